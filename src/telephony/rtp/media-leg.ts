import type { MediaStats } from '#domain/call.ts';
import type { NegotiatedMedia } from '../sdp/media.ts';
import type { DtmfEvent } from './dtmf.ts';

/** What one tick heard. The arrays are reused by every leg of the thread: copy what outlives the handler. */
export interface ReceivedFrame {
  /** `none`: the far end sends nothing (before its first packet, DTX, hold); payload and samples are silence then. */
  kind: 'audio' | 'concealed' | 'none';
  /** 160 octets in `frameCodecOf` the negotiated codec. */
  readonly payload: Uint8Array;
  /** The same 20 ms as Int16 mono at 8 kHz. */
  readonly pcm: Int16Array;
  /**
   * The same 20 ms in the codec of the wire as they came (160 octets of G.711 or G.722, one packet of Opus), for
   * `MediaLeg.relay` of a leg with the same codec; undefined where they did not come whole and alone.
   */
  wire: Uint8Array | undefined;
  /** The tick's deadline on the monotonic clock; exactly 20 ms after the previous one unless frames were dropped. */
  atMs: number;
}

/** What a leg tells its owner; all run on the engine's tick or socket callbacks and must not throw or block. */
export interface LegHandlers {
  /**
   * Every 20 ms once started, on a busy thread two or four frames in a row; `tx` (160 octets, `frameCodecOf` the negotiated codec) holds silence and is sent as the handler
   * leaves it, unless it was `sent` already, as `onSend` left it.
   */
  onFrame(rx: ReceivedFrame, tx: Uint8Array, sent: boolean): void;
  /**
   * The thread is busy, and `tx`, which holds silence, could leave before its tick: true where the handler has filled it. Who
   * must hear first what came in returns false or has no such handler. `atMs` is the deadline of the frame.
   */
  onSend?(tx: Uint8Array, atMs: number): boolean;
  /** Real-time text in order; `\b` erases, U+FFFD stands for text that was lost. */
  onText(text: string): void;
  /** Once per key press, when it ends. */
  onDtmf(event: DtmfEvent): void;
  /** The first valid RTP packet has arrived. */
  onRemoteRtp?(): void;
  /** Nothing arrived for 30 s although the far end should be sending. */
  onTimeout?(): void;
}

/** One party's media: audio with its RTCP and real-time text with its own, on ports of this engine. */
export interface MediaLeg {
  readonly audioPort: number;
  readonly textPort: number;
  /** Begins to send and receive; again after a renegotiation. */
  start(media: NegotiatedMedia): void;
  /** From within `onFrame`: sends this `ReceivedFrame.wire` of another leg with the same codec as it is, in place of `tx`. */
  relay(wire: Uint8Array): void;
  /** Does nothing where no text was negotiated. */
  sendText(text: string): void;
  /** Digits 0–9, *, #, A–D after one another: as telephone-events where they were negotiated, else as tones in the audio. */
  sendDtmf(digits: string): void;
  stats(): MediaStats;
  /** Where media comes from; undefined until something valid has arrived. */
  readonly source: { readonly address: string; readonly port: number } | undefined;
  /** Sends RTCP BYE and frees the ports; idempotent. */
  close(): void;
}
