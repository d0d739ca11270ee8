import { FRAME_SAMPLES, linearTable } from '../codec/g711.ts';
import { G722Decoder } from '../codec/g722.ts';
import { OPUS_MAX_SAMPLES, OpusDecoder } from '../codec/opus.ts';
import type { AudioCodec, G711Codec } from '../sdp/media.ts';
import type { PartReader } from './jitter-buffer.ts';

/** How a buffered packet is to be read; octets of G.711 are in the codec of the frames by then. */
export const WIRE_FORMATS: Readonly<Record<AudioCodec, number>> = { PCMA: 0, PCMU: 0, G722: 1, opus: 2 };
const G722 = WIRE_FORMATS.G722;
const OPUS = WIRE_FORMATS.opus;
/** libopus fades on its own; what it makes up beyond 100 ms is no longer like what was said. */
const MAX_HIDDEN_FRAMES = 5;
/** libopus makes up multiples of 2.5 ms only. */
const OPUS_STEP = 20;

/** Turns the parts of packets that are not G.711 alone into samples at 8 kHz. */
export class WireDecoder implements PartReader {
  /** The frame's packet as it came, where it is 20 ms in the codec that was asked for; the buffer's own, until the next packet. */
  wire: Uint8Array | undefined;
  /** The codec itself has made up what was missing. */
  hidden = false;
  readonly #pcm: Int16Array;
  readonly #table: Int16Array;
  readonly #wireFormat: number;
  readonly #decoded = new Int16Array(OPUS_MAX_SAMPLES);
  #decodedSequence = -1;
  #decodedSamples = 0;
  #hiddenFrames = 0;
  #format = 0;
  #g722: G722Decoder | undefined;
  #opus: OpusDecoder | undefined;

  /** Writes into `pcm` (160 samples). `wireCodec` is the negotiated one, `frameCodec` that of octets. */
  constructor(wireCodec: AudioCodec, frameCodec: G711Codec, pcm: Int16Array) {
    this.#wireFormat = WIRE_FORMATS[wireCodec];
    this.#table = linearTable(frameCodec);
    this.#pcm = pcm;
  }

  /** A new frame: nothing of it is there yet. */
  begin(): void {
    this.#pcm.fill(0);
    this.wire = undefined;
    this.hidden = false;
  }

  take(
    packet: Uint8Array,
    bytes: number,
    format: number,
    sequence: number,
    offset: number,
    units: number,
    at: number,
  ): void {
    this.#format = format;
    this.#hiddenFrames = 0;
    const pcm = this.#pcm;
    if (format === OPUS) {
      this.#decodeOpus(packet, bytes, sequence);
      const end = Math.min(units, this.#decodedSamples - offset);
      for (let i = 0; i < end; i++) pcm[at + i] = this.#decoded[offset + i]!;
      if (units === FRAME_SAMPLES && this.#decodedSamples === units) this.#hand(format, packet.subarray(0, bytes));
      return;
    }
    if (format === G722) {
      this.#g722 ??= new G722Decoder();
      this.#g722.decode(packet, offset, offset + units, pcm, at);
    } else {
      for (let i = 0; i < units; i++) pcm[at + i] = this.#table[packet[offset + i]!]!;
    }
    if (units === FRAME_SAMPLES) this.#hand(format, packet.subarray(offset, offset + units));
  }

  miss(units: number, at: number, next: Uint8Array | undefined, bytes: number): void {
    if (this.#format !== OPUS || this.#opus === undefined || units % OPUS_STEP !== 0) return;
    if (++this.#hiddenFrames > MAX_HIDDEN_FRAMES) return;
    this.hidden =
      next === undefined
        ? this.#opus.conceal(units, this.#pcm, at)
        : this.#opus.recover(next, bytes, units, this.#pcm, at);
  }

  /** Another source: nothing of the one before may be heard in it. */
  reset(): void {
    this.close();
    this.#g722 = undefined;
    this.#opus = undefined;
    this.#decodedSequence = -1;
    this.#format = 0;
  }

  /** Frees what libopus holds. */
  close(): void {
    this.#opus?.close();
  }

  #decodeOpus(packet: Uint8Array, bytes: number, sequence: number): void {
    if (sequence === this.#decodedSequence) return;
    this.#opus ??= new OpusDecoder();
    this.#decodedSequence = sequence;
    this.#decodedSamples = Math.max(0, this.#opus.decode(packet, bytes, this.#decoded));
  }

  #hand(format: number, octets: Uint8Array): void {
    if (format === this.#wireFormat) this.wire = octets;
  }
}
