import { Concealment } from '../codec/concealment.ts';
import { decodeG711, encodeG711, FRAME_SAMPLES, silenceOctet, transcode } from '../codec/g711.ts';
import { frameCodecOf, type AudioMedia, type G711Codec } from '../sdp/media.ts';
import { DtmfReceiver, type DtmfEvent } from './dtmf.ts';
import { DtmfToneDetector } from './dtmf-tones.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { LossRuns } from './loss-runs.ts';
import type { ReceivedFrame } from './media-leg.ts';
import { extendCounter, type RtpPacket } from './packet.ts';
import { Reception } from './reception.ts';

/** Static payload types (RFC 3551 §6) that are understood whatever was negotiated. */
const STATIC_PCMU = 0;
const STATIC_PCMA = 8;
const STATIC_COMFORT_NOISE = 13;
/** Below that peak (−48 dBFS) a change of delay is not heard. */
const QUIET_PEAK = 130;
/** A new source replaces the present one at its second packet, or at once when that one has been silent so long. */
const SOURCE_SILENCE_MS = 100;
/** Timestamps start one cycle up, so that none from before the first is negative. */
const TIMESTAMP_BASE = 0x100000000;

/** The receiving half of an audio stream: RTP packets in, one frame every 20 ms out. Knows nothing of sockets. */
export class AudioReceiver {
  readonly reception = new Reception(8000);
  /** What was missing when it was due. */
  readonly losses = new LossRuns();
  readonly frame: ReceivedFrame;
  late = 0;
  /** Packets with a payload type nobody negotiated, or too long. */
  unusable = 0;
  duplicates = 0;
  readonly #buffer = new JitterBuffer();
  readonly #concealment = new Concealment();
  readonly #dtmf: DtmfReceiver;
  readonly #onDtmf: (event: DtmfEvent) => void;
  /** Only where keys do not come as telephone-events. */
  #tones: DtmfToneDetector | undefined;
  #codec: G711Codec;
  #payloadType: number;
  #dtmfPayloadType: number | undefined;
  #timestamp = -1;
  #lastArrivalMs = 0;
  #nextSource = -1;
  #nextSequence = -1;
  #quiet = true;

  constructor(media: AudioMedia, onDtmf: (event: DtmfEvent) => void) {
    this.#codec = frameCodecOf(media.codec);
    this.#payloadType = media.payloadType;
    this.#dtmfPayloadType = media.dtmfPayloadType;
    this.#onDtmf = onDtmf;
    this.#dtmf = new DtmfReceiver(onDtmf);
    this.#listenForTones();
    this.frame = {
      kind: 'none',
      payload: new Uint8Array(FRAME_SAMPLES).fill(silenceOctet(this.#codec)),
      pcm: new Int16Array(FRAME_SAMPLES),
      atMs: 0,
    };
  }

  /** The playout delay that the stream's jitter asks for at present. */
  get bufferMs(): number {
    return this.#buffer.targetMs;
  }

  /** Takes over what a renegotiation agreed; packets that wait were sent before it and are let go if the codec changed. */
  renegotiate(media: AudioMedia): void {
    const codec = frameCodecOf(media.codec);
    if (codec !== this.#codec) this.#buffer.reset();
    this.#codec = codec;
    this.#payloadType = media.payloadType;
    this.#dtmfPayloadType = media.dtmfPayloadType;
    this.#listenForTones();
  }

  /** True where a packet of this payload type belongs to the stream. */
  understands(payloadType: number): boolean {
    return (
      payloadType === this.#payloadType ||
      payloadType === this.#dtmfPayloadType ||
      payloadType === STATIC_PCMU ||
      payloadType === STATIC_PCMA ||
      payloadType === STATIC_COMFORT_NOISE
    );
  }

  /** Takes a packet that was read from `bytes`, whose payload may be transcoded in place. */
  accept(packet: RtpPacket, bytes: Uint8Array, nowMs: number): void {
    if (!this.understands(packet.payloadType)) {
      this.unusable++;
      return;
    }
    if (!this.#admitSource(packet, nowMs)) return;
    const sequence = this.reception.count(packet.sequence, packet.timestamp, nowMs);
    if (sequence < 0) return;
    this.#lastArrivalMs = nowMs;
    const payload = bytes.subarray(packet.payloadStart, packet.payloadEnd);
    if (packet.payloadType === this.#dtmfPayloadType) {
      this.#dtmf.push(packet.timestamp, payload, nowMs);
      this.#buffer.skip(sequence);
      this.losses.mark(sequence);
      return;
    }
    this.#timestamp =
      this.#timestamp < 0 ? TIMESTAMP_BASE + packet.timestamp : extendCounter(packet.timestamp, this.#timestamp, 32);
    const comfort = packet.payloadType === STATIC_COMFORT_NOISE && this.#payloadType !== STATIC_COMFORT_NOISE;
    if (!comfort) transcode(this.#codecOf(packet.payloadType), this.#codec, payload);
    const pushed = this.#buffer.push(
      sequence,
      this.#timestamp,
      packet.marker,
      comfort ? payload.subarray(0, 0) : payload,
      nowMs,
    );
    if (pushed === 'kept') this.losses.mark(sequence);
    else if (pushed === 'late') this.late++;
    else if (pushed === 'duplicate') this.duplicates++;
    else if (pushed === 'dropped') this.unusable++;
  }

  /** Makes the frame that is due at `nowMs`; the same object every time. */
  pull(nowMs: number): ReceivedFrame {
    const { frame } = this;
    const buffer = this.#buffer;
    frame.atMs = nowMs;
    frame.payload.fill(silenceOctet(this.#codec));
    this.#dtmf.poll(nowMs);
    const pulled = buffer.pull(nowMs, frame.payload, this.#quiet);
    if (pulled === 'audio') {
      decodeG711(this.#codec, frame.payload, frame.pcm);
      if (buffer.lostFrom < buffer.lostTo) {
        this.#concealment.patch(frame.pcm, buffer.lostFrom, buffer.lostTo);
        encodeG711(this.#codec, frame.pcm, frame.payload);
      } else {
        this.#concealment.good(frame.pcm);
      }
      frame.kind = 'audio';
    } else if (pulled === 'lost' && this.reception.started && this.#concealment.audible) {
      this.#concealment.lost(frame.pcm);
      encodeG711(this.#codec, frame.pcm, frame.payload);
      frame.kind = 'concealed';
    } else {
      if (pulled === 'silent') this.#concealment.reset();
      frame.pcm.fill(0);
      frame.kind = 'none';
    }
    this.#quiet = isQuiet(frame.pcm);
    this.#tones?.push(frame.pcm, nowMs);
    return frame;
  }

  #listenForTones(): void {
    if (this.#dtmfPayloadType !== undefined) this.#tones = undefined;
    else this.#tones ??= new DtmfToneDetector(this.#onDtmf);
  }

  #codecOf(payloadType: number): G711Codec {
    if (payloadType === this.#payloadType) return this.#codec;
    return payloadType === STATIC_PCMA ? 'PCMA' : 'PCMU';
  }

  /** A source other than the present one needs two packets in sequence, so that a stray one does no harm. */
  #admitSource(packet: RtpPacket, nowMs: number): boolean {
    const { reception } = this;
    if (reception.started && packet.ssrc === reception.ssrc) {
      this.#nextSource = -1;
      return true;
    }
    const proven = this.#nextSource === packet.ssrc && this.#nextSequence === packet.sequence;
    if (reception.started && !proven && nowMs - this.#lastArrivalMs < SOURCE_SILENCE_MS) {
      this.#nextSource = packet.ssrc;
      this.#nextSequence = (packet.sequence + 1) & 0xffff;
      return false;
    }
    reception.restart(packet.ssrc, packet.sequence);
    this.losses.restart();
    this.#buffer.reset();
    this.#dtmf.reset();
    this.#tones?.reset();
    this.#timestamp = -1;
    this.#nextSource = -1;
    return true;
  }
}

function isQuiet(pcm: Int16Array): boolean {
  for (let i = 0; i < pcm.length; i += 4) if (Math.abs(pcm[i]!) > QUIET_PEAK) return false;
  return true;
}
