import type { MediaStats } from '#domain/call.ts';
import type { Log } from '#platform/log.ts';
import type { NegotiatedMedia } from '../sdp/media.ts';
import { AudioStream, type StreamContext } from './audio-stream.ts';
import { EarlyDatagrams } from './early-datagrams.ts';
import { GuardedHandlers } from './guarded-handlers.ts';
import type { LegHandlers, MediaLeg } from './media-leg.ts';
import { mediaStats } from './media-stats.ts';
import type { PortPair } from './port-pairs.ts';
import { TextStream } from './text-stream.ts';
import type { Ticked, Ticker } from './ticker.ts';

/** A leg on its four sockets, driven by the engine's ticker. */
export class RtpLeg implements MediaLeg, Ticked {
  readonly #context: StreamContext;
  readonly #log: Log;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #ticker: Ticker;
  readonly #audioPorts: PortPair;
  readonly #textPorts: PortPair;
  readonly #handlers: GuardedHandlers;
  readonly #onClosed: (leg: RtpLeg) => void;
  /** Until the first negotiation. */
  #earlyText: EarlyDatagrams | undefined;
  #audio: AudioStream | undefined;
  #text: TextStream | undefined;
  #codec: MediaStats['codec'] = 'PCMA';
  #closed = false;

  constructor(options: {
    readonly context: StreamContext;
    readonly log: Log;
    readonly labels: Readonly<Record<string, string>>;
    readonly ticker: Ticker;
    readonly audioPorts: PortPair;
    readonly textPorts: PortPair;
    readonly handlers: LegHandlers;
    readonly onClosed: (leg: RtpLeg) => void;
  }) {
    this.#context = options.context;
    this.#log = options.log;
    this.#labels = options.labels;
    this.#ticker = options.ticker;
    this.#audioPorts = options.audioPorts;
    this.#textPorts = options.textPorts;
    this.#handlers = new GuardedHandlers(options.handlers, options.log, options.labels);
    this.#onClosed = options.onClosed;
    this.#earlyText = new EarlyDatagrams(options.textPorts.rtp);
  }

  get audioPort(): number {
    return this.#audioPorts.rtp.port;
  }

  get textPort(): number {
    return this.#textPorts.rtp.port;
  }

  start(media: NegotiatedMedia): void {
    if (this.#closed) return;
    this.#codec = media.audio.codec;
    if (this.#audio === undefined) {
      this.#audio = new AudioStream(this.#context, this.#audioPorts, media.audio, this.#handlers);
      this.#ticker.add(this);
    } else {
      this.#audio.renegotiate(media.audio);
    }
    const early = this.#earlyText?.take(media.text?.remoteAddress ?? '', media.text?.remotePort ?? 0);
    this.#earlyText = undefined;
    if (media.text === undefined) {
      this.#text?.close();
      this.#text = undefined;
      this.#textPorts.rtp.onDatagram = this.#textPorts.rtcp.onDatagram = undefined;
    } else if (this.#text === undefined) {
      this.#text = new TextStream(this.#context, this.#textPorts, media.text, (text) => this.#handlers.onText(text));
      for (const datagram of early ?? []) this.#text.accept(datagram);
    } else {
      this.#text.renegotiate(media.text);
    }
  }

  relay(wire: Uint8Array): void {
    this.#audio?.sender.relay(wire);
  }

  sendText(text: string): void {
    this.#text?.sender.enqueue(text);
  }

  sendDtmf(digits: string): void {
    this.#audio?.sender.enqueueDtmf(digits);
  }

  get source(): { readonly address: string; readonly port: number } | undefined {
    const latch = this.#audio?.latch;
    return latch?.latched === true ? { address: latch.address, port: latch.port } : undefined;
  }

  stats(): MediaStats {
    return mediaStats(this.#codec, this.#audio);
  }

  tick(deadlineMs: number): void {
    this.#audio?.tick(deadlineMs);
    if (!this.#closed) this.#text?.tick(deadlineMs);
  }

  send(deadlineMs: number): boolean {
    return this.#audio?.send(deadlineMs) ?? false;
  }

  skip(deadlineMs: number): number {
    return this.#audio?.skip(deadlineMs) ?? 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handlers.closed = true;
    this.#ticker.remove(this);
    this.#text?.close();
    this.#audio?.close();
    this.#logOddities();
    this.#onClosed(this);
  }

  /** One line a call, and only where something was odd. */
  #logOddities(): void {
    const audio = this.#audio;
    if (audio === undefined) return;
    const strangers = audio.latch.strangers + (this.#text?.latch.strangers ?? 0);
    const malformed = audio.malformed + (this.#text?.malformed ?? 0);
    const { unusable } = audio.receiver;
    const { faults } = this.#handlers;
    const refused = audio.crypto.dropped + (this.#text?.crypto.dropped ?? 0);
    if (strangers + malformed + unusable + refused + faults > 0)
      this.#log.warn(
        { ...this.#labels, strangers, malformed, unusable, refused, faults },
        'media leg saw packets that it ignored',
      );
  }
}
