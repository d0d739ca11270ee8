import { decodeG711, FRAME_SAMPLES } from '../codec/g711.ts';
import { G722Encoder } from '../codec/g722.ts';
import { OpusEncoder } from '../codec/opus.ts';
import { frameCodecOf, type AudioMedia, type G711Codec } from '../sdp/media.ts';

/** 120 ms, as libopus's longest. */
const MAX_UNITS = 960;
const UNITS_PER_MS = 8;
/** The most of a packet of Opus that is kept room for; speech at 8 kHz takes a tenth of it. */
const MAX_OPUS_BYTES = 1276;

/** Turns frames of 20 ms into payloads of the negotiated codec and packet time. */
export interface Packetizer {
  /** Room that a payload takes at most. */
  readonly maxBytes: number;
  /** Takes a frame of 160 octets, or in its place the octets of the wire; `emit` gets each payload that is full now. */
  push(frame: Uint8Array, wire: Uint8Array | undefined): void;
  /** A pause: what has not been sent is dropped. */
  pause(): void;
  /** Frees what an encoder holds. */
  close(): void;
}

/** Where payloads go: `room` is the buffer of the next packet from its payload on. */
export interface PayloadSink {
  room(): Uint8Array;
  /** The first octets of the room are a payload; it began so many units of 8 kHz after the frame that was pushed last. */
  emit(bytes: number, startUnits: number): void;
}

/** The packetizer that a negotiation asks for. */
export function packetizerFor(media: AudioMedia, sink: PayloadSink): Packetizer {
  if (media.codec === 'opus') return new OpusPacketizer(media, sink);
  return new OctetPacketizer(media, sink);
}

/** G.711 and G.722: an octet a unit, so that packets may be cut anywhere. */
class OctetPacketizer implements Packetizer {
  readonly maxBytes: number;
  readonly #sink: PayloadSink;
  readonly #g722: FrameEncoder | undefined;
  #filled = 0;

  constructor(media: AudioMedia, sink: PayloadSink) {
    this.#sink = sink;
    this.maxBytes = Math.max(
      UNITS_PER_MS * 10,
      Math.min(MAX_UNITS, Math.floor(media.ptimeMs / 10) * 10 * UNITS_PER_MS),
    );
    this.#g722 = media.codec === 'G722' ? new FrameEncoder(frameCodecOf(media.codec)) : undefined;
  }

  push(frame: Uint8Array, wire: Uint8Array | undefined): void {
    const octets = wire ?? this.#g722?.encode(frame) ?? frame;
    if (this.maxBytes === FRAME_SAMPLES) {
      this.#sink.room().set(octets);
      this.#sink.emit(FRAME_SAMPLES, 0);
      return;
    }
    let taken = 0;
    while (taken < FRAME_SAMPLES) {
      const part = Math.min(FRAME_SAMPLES - taken, this.maxBytes - this.#filled);
      this.#sink.room().set(part === octets.length ? octets : octets.subarray(taken, taken + part), this.#filled);
      taken += part;
      this.#filled += part;
      if (this.#filled < this.maxBytes) return;
      this.#filled = 0;
      this.#sink.emit(this.maxBytes, taken - this.maxBytes);
    }
  }

  pause(): void {
    this.#filled = 0;
  }

  close(): void {}
}

/** Frames of G.711 into G.722. */
class FrameEncoder {
  readonly #codec: G711Codec;
  readonly #encoder = new G722Encoder();
  readonly #pcm = new Int16Array(FRAME_SAMPLES);
  readonly #octets = new Uint8Array(FRAME_SAMPLES);

  constructor(codec: G711Codec) {
    this.#codec = codec;
  }

  encode(frame: Uint8Array): Uint8Array {
    decodeG711(this.#codec, frame, this.#pcm);
    this.#encoder.encode(this.#pcm, this.#octets);
    return this.#octets;
  }
}

/** One packet of Opus is one frame of it: 10, 20, 40 or 60 ms. */
class OpusPacketizer implements Packetizer {
  readonly maxBytes = MAX_OPUS_BYTES;
  readonly #sink: PayloadSink;
  readonly #codec: G711Codec;
  readonly #encoder: OpusEncoder;
  readonly #packetSamples: number;
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  readonly #pcm: Int16Array;
  #filled = 0;

  constructor(media: AudioMedia, sink: PayloadSink) {
    this.#sink = sink;
    this.#codec = frameCodecOf(media.codec);
    this.#encoder = new OpusEncoder(media.opus ?? { fec: false, cbr: false, maxBitsPerSecond: undefined });
    this.#packetSamples = media.ptimeMs < 20 ? 80 : media.ptimeMs < 40 ? 160 : media.ptimeMs < 60 ? 320 : 480;
    this.#pcm = new Int16Array(this.#packetSamples);
  }

  push(frame: Uint8Array, wire: Uint8Array | undefined): void {
    if (wire !== undefined) {
      this.#filled = 0;
      this.#sink.room().set(wire);
      this.#sink.emit(wire.length, 0);
      return;
    }
    decodeG711(this.#codec, frame, this.#frame);
    let taken = 0;
    while (taken < FRAME_SAMPLES) {
      const part = Math.min(FRAME_SAMPLES - taken, this.#packetSamples - this.#filled);
      this.#pcm.set(this.#frame.subarray(taken, taken + part), this.#filled);
      taken += part;
      this.#filled += part;
      if (this.#filled < this.#packetSamples) return;
      this.#filled = 0;
      const bytes = this.#encoder.encode(this.#pcm, this.#packetSamples, this.#sink.room(), 0);
      if (bytes > 0) this.#sink.emit(bytes, taken - this.#packetSamples);
    }
  }

  pause(): void {
    this.#filled = 0;
  }

  close(): void {
    this.#encoder.close();
  }
}
