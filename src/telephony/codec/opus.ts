import { AppError } from '#platform/error.ts';
import type { OpusWishes } from '../sdp/media.ts';
import { libOpus, type LibOpus } from './opus-wasm.ts';

const RATE_HZ = 8000;
const CHANNELS = 1;
/** The longest packet, 120 ms (RFC 6716 §3.2.5). */
export const OPUS_MAX_SAMPLES = 960;
/** RFC 7587 §4.2 sets none; more would not fit a datagram that no network divides. */
const MAX_PACKET_BYTES = 1276;
const APPLICATION_VOIP = 2048;
const SIGNAL_VOICE = 3001;
/** Speech at 8 kHz is transparent to libopus's listeners at 12 to 16 kbit/s; redundancy takes some of it. */
const BITS_PER_SECOND = 16_000;
const BITS_PER_SECOND_WITH_FEC = 20_000;
const MIN_BITS_PER_SECOND = 6000;
/** Half the time of complexity 9 for a difference nobody hears at 8 kHz. */
const COMPLEXITY = 5;
/** Redundancy is only sent for a loss that is expected. */
const EXPECTED_LOSS_PERCENT = 10;

/** How long a packet lasts, in samples at 8 kHz; -1 where it is malformed (RFC 6716 §3.1, §3.2). */
export function opusSamples(packet: Uint8Array): number {
  const bytes = packet.length;
  if (bytes === 0) return -1;
  const toc = packet[0]!;
  const config = toc >> 3;
  const frame = config < 12 ? SILK_SAMPLES[config & 3]! : config < 16 ? 80 << (config & 1) : 20 << (config & 3);
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : bytes < 2 ? 0 : packet[1]! & 63;
  const samples = frame * frames;
  return samples > 0 && samples <= OPUS_MAX_SAMPLES ? samples : -1;
}

/** 10, 20, 40 and 60 ms. */
const SILK_SAMPLES = [80, 160, 320, 480] as const;

/** Decodes one direction of a call to 8 kHz speech, whatever bandwidth and channels the far end sends. */
export class OpusDecoder {
  readonly #lib: LibOpus;
  #state: number;
  readonly #packet: number;
  readonly #pcm: number;

  /** Loads libopus where this thread has not yet; throws `resource-exhausted` where its memory does not suffice. The caller closes it. */
  constructor() {
    const lib = libOpus();
    this.#lib = lib;
    this.#packet = lib.malloc(MAX_PACKET_BYTES);
    this.#pcm = lib.malloc(OPUS_MAX_SAMPLES * 4);
    this.#state = lib.opus_decoder_create(RATE_HZ, CHANNELS, this.#pcm);
    if (this.#state === 0) throw outOfMemory();
  }

  /** Decodes the first `bytes` of a packet into `out` (up to 960 samples) and returns how many; -1 where it is malformed. */
  decode(packet: Uint8Array, bytes: number, out: Int16Array): number {
    return this.#run(packet, bytes, OPUS_MAX_SAMPLES, 0, out, 0);
  }

  /** Makes up for lost samples (a multiple of 20) from the redundancy in the packet after them, or as `conceal` where it has none. */
  recover(next: Uint8Array, bytes: number, samples: number, out: Int16Array, at: number): boolean {
    return this.#run(next, bytes, samples, 1, out, at) === samples;
  }

  /** Goes on from what was heard last for lost samples (a multiple of 20), fading. */
  conceal(samples: number, out: Int16Array, at: number): boolean {
    return this.#run(undefined, 0, samples, 0, out, at) === samples;
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 0) return;
    this.#lib.opus_decoder_destroy(this.#state);
    this.#lib.free(this.#packet);
    this.#lib.free(this.#pcm);
    this.#state = 0;
  }

  #run(
    packet: Uint8Array | undefined,
    bytes: number,
    samples: number,
    fec: 0 | 1,
    out: Int16Array,
    at: number,
  ): number {
    if (this.#state === 0 || bytes > MAX_PACKET_BYTES) return -1;
    const lib = this.#lib;
    if (packet !== undefined) {
      const copy = new Uint8Array(lib.memory.buffer, this.#packet, bytes);
      for (let i = 0; i < bytes; i++) copy[i] = packet[i]!;
    }
    const address = packet === undefined ? 0 : this.#packet;
    const decoded = lib.opus_decode_float(this.#state, address, bytes, this.#pcm, samples, fec);
    if (decoded < 0) return -1;
    const pcm = new Float32Array(lib.memory.buffer, this.#pcm, decoded);
    for (let i = 0; i < decoded; i++) {
      const sample = Math.round(pcm[i]! * 32_768);
      out[at + i] = sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample;
    }
    return decoded;
  }
}

/** Codes 8 kHz speech for one direction of a call. */
export class OpusEncoder {
  readonly #lib: LibOpus;
  #state: number;
  readonly #packet: number;
  readonly #pcm: number;

  /** As with the decoder. */
  constructor(wishes: OpusWishes) {
    const lib = libOpus();
    this.#lib = lib;
    this.#packet = lib.malloc(MAX_PACKET_BYTES);
    this.#pcm = lib.malloc(OPUS_MAX_SAMPLES * 4);
    this.#state = lib.opus_encoder_create(RATE_HZ, CHANNELS, APPLICATION_VOIP, this.#pcm);
    if (this.#state === 0) throw outOfMemory();
    const wanted = wishes.fec ? BITS_PER_SECOND_WITH_FEC : BITS_PER_SECOND;
    const allowed = Math.max(MIN_BITS_PER_SECOND, wishes.maxBitsPerSecond ?? wanted);
    lib.opus_set_bitrate(this.#state, Math.min(wanted, allowed));
    lib.opus_set_complexity(this.#state, COMPLEXITY);
    lib.opus_set_signal(this.#state, SIGNAL_VOICE);
    if (wishes.cbr) lib.opus_set_vbr(this.#state, 0);
    if (wishes.fec) {
      lib.opus_set_inband_fec(this.#state, 1);
      lib.opus_set_packet_loss_perc(this.#state, EXPECTED_LOSS_PERCENT);
    }
  }

  /** Codes 80, 160, 320 or 480 samples as one packet at `at` of `out` and returns its octets; 0 where it does not fit. */
  encode(pcm: Int16Array, samples: number, out: Uint8Array, at: number): number {
    if (this.#state === 0) return 0;
    const lib = this.#lib;
    const input = new Float32Array(lib.memory.buffer, this.#pcm, samples);
    for (let i = 0; i < samples; i++) input[i] = pcm[i]! / 32_768;
    const room = Math.min(MAX_PACKET_BYTES, out.length - at);
    const bytes = lib.opus_encode_float(this.#state, this.#pcm, samples, this.#packet, room);
    if (bytes <= 0) return 0;
    out.set(new Uint8Array(lib.memory.buffer, this.#packet, bytes), at);
    return bytes;
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 0) return;
    this.#lib.opus_encoder_destroy(this.#state);
    this.#lib.free(this.#packet);
    this.#lib.free(this.#pcm);
    this.#state = 0;
  }
}

function outOfMemory(): AppError {
  return new AppError('resource-exhausted', {
    zh: 'Opus 编解码器内存不足：减少并发通话或从线路中去掉 opus。',
    en: 'No memory for another Opus codec: run fewer calls at once or take opus out of the trunk’s codecs.',
  });
}
