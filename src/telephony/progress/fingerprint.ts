import { powerSpectrum, WINDOW_SAMPLES } from './fft.ts';

/** 20 ms at 8 kHz from one sub-fingerprint to the next. */
const HOP_SAMPLES = 160;
const BANDS = 33;
const LOW_HZ = 300;
const HIGH_HZ = 2500;
/** Windows quieter than this (mean square, about −50 dBFS) say nothing. */
const SILENCE_POWER = 10_000;

/** Sub-fingerprints compared at once: 1.92 s. */
const BLOCK = 96;
/** Share of a block that must not be silent before it is compared. */
const MIN_ACTIVE_RATIO = 0.6;
/**
 * Bit errors of a block that still count as the same audio. Measured on ten sentences of one human voice: unrelated
 * speech never below 0.41; the same audio shifted off the frame grid, through A-law, with noise at 15 dB and 5 % of
 * the packets lost 0.25 (median) and 0.32 (95th percentile).
 */
const MAX_BIT_ERROR_RATIO = 0.36;
/** Announcements share phrases (您拨打的…, 请稍后再拨): a block decides only when no other label fits nearly as well. */
const AMBIGUITY_MARGIN = 0.08;
/** A block is compared every so many hops: 300 ms. */
const COMPARE_EVERY = 15;
/** Every fourth sub-fingerprint, 768 bits, is within this of the whole block's ratio. */
const COARSE_STRIDE = 4;
const COARSE_MARGIN = 0.06;

const edges = bandEdges();

/** The sound of a recording as 32 bits per 20 ms: signs of band-energy differences over time and frequency. */
export interface Fingerprint {
  readonly bits: Uint32Array;
  /** 1 where the window was loud enough to mean something. */
  readonly active: Uint8Array;
}

/** Computes fingerprints as audio arrives. Method: Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", 2002. */
export class FingerprintStream {
  readonly #window = new Float64Array(WINDOW_SAMPLES);
  #filled = 0;
  #previous: Float64Array | undefined;

  /** Takes 160 samples (Int16 mono, 8 kHz); returns the sub-fingerprint once the window is full. */
  push(pcm: Int16Array): { readonly bits: number; readonly active: boolean } | undefined {
    this.#window.copyWithin(0, HOP_SAMPLES);
    let sum = 0;
    for (let i = 0; i < HOP_SAMPLES; i++) this.#window[WINDOW_SAMPLES - HOP_SAMPLES + i] = pcm[i] ?? 0;
    this.#filled += HOP_SAMPLES;
    if (this.#filled < WINDOW_SAMPLES) return undefined;
    for (const sample of this.#window) sum += sample * sample;
    const active = sum / WINDOW_SAMPLES >= SILENCE_POWER;
    const energies = bandEnergies(powerSpectrum(this.#window));
    const previous = this.#previous;
    this.#previous = energies;
    if (previous === undefined) return undefined;
    let bits = 0;
    for (let band = 0; band < BANDS - 1; band++) {
      const now = energies[band]! - energies[band + 1]!;
      const before = previous[band]! - previous[band + 1]!;
      bits = (bits << 1) | (now - before > 0 ? 1 : 0);
    }
    return { bits: bits >>> 0, active };
  }
}

/** The fingerprint of a whole recording (Int16 mono, 8 kHz). */
export function fingerprint(pcm: Int16Array): Fingerprint {
  const stream = new FingerprintStream();
  const bits: number[] = [];
  const active: number[] = [];
  for (let at = 0; at + HOP_SAMPLES <= pcm.length; at += HOP_SAMPLES) {
    const sub = stream.push(pcm.subarray(at, at + HOP_SAMPLES));
    if (sub === undefined) continue;
    bits.push(sub.bits);
    active.push(sub.active ? 1 : 0);
  }
  return { bits: Uint32Array.from(bits), active: Uint8Array.from(active) };
}

/** Known announcements by what they stand for. Immutable after loading; shared by all calls of a worker. */
export class FingerprintLibrary {
  readonly #entries: { readonly label: string; readonly print: Fingerprint }[] = [];

  /** `label` is an outcome code; several recordings may carry the same. Recordings under two seconds are refused. */
  add(label: string, pcm: Int16Array): boolean {
    const print = fingerprint(pcm);
    if (print.bits.length < BLOCK) return false;
    this.#entries.push({ label, print });
    return true;
  }

  get size(): number {
    return this.#entries.length;
  }

  toJson(): unknown {
    return this.#entries.map(({ label, print }) => ({ label, bits: [...print.bits], active: [...print.active] }));
  }

  static fromJson(json: unknown): FingerprintLibrary {
    const library = new FingerprintLibrary();
    if (!Array.isArray(json)) return library;
    for (const entry of json as { label: string; bits: number[]; active: number[] }[]) {
      library.#entries.push({
        label: entry.label,
        print: { bits: Uint32Array.from(entry.bits), active: Uint8Array.from(entry.active) },
      });
    }
    return library;
  }

  /** The label that one block belongs to, or undefined where none or more than one fits. */
  match(block: Uint32Array): { readonly label: string; readonly bitErrorRatio: number } | undefined {
    const ratios = new Map<string, number>();
    for (const { label, print } of this.#entries) {
      const limit = ratios.get(label) ?? MAX_BIT_ERROR_RATIO + AMBIGUITY_MARGIN;
      const ratio = closest(print.bits, block, limit);
      if (ratio < limit) ratios.set(label, ratio);
    }
    const [best, second] = [...ratios].toSorted((a, b) => a[1] - b[1]);
    if (best === undefined || best[1] > MAX_BIT_ERROR_RATIO) return undefined;
    if (second !== undefined && second[1] - best[1] < AMBIGUITY_MARGIN) return undefined;
    return { label: best[0], bitErrorRatio: best[1] };
  }
}

/** Listens for the library's announcements in one stream. */
export class AnnouncementMatcher {
  readonly #library: FingerprintLibrary;
  readonly #stream = new FingerprintStream();
  readonly #bits = new Uint32Array(BLOCK);
  readonly #active = new Uint8Array(BLOCK);
  #count = 0;

  constructor(library: FingerprintLibrary) {
    this.#library = library;
  }

  push(pcm: Int16Array): { readonly label: string; readonly confidence: number } | undefined {
    if (this.#library.size === 0) return undefined;
    const sub = this.#stream.push(pcm);
    if (sub === undefined) return undefined;
    this.#bits.copyWithin(0, 1);
    this.#active.copyWithin(0, 1);
    this.#bits[BLOCK - 1] = sub.bits;
    this.#active[BLOCK - 1] = sub.active ? 1 : 0;
    this.#count++;
    if (this.#count < BLOCK || this.#count % COMPARE_EVERY !== 0) return undefined;
    let active = 0;
    for (const flag of this.#active) active += flag;
    if (active < BLOCK * MIN_ACTIVE_RATIO) return undefined;
    const match = this.#library.match(this.#bits);
    if (match === undefined) return undefined;
    return { label: match.label, confidence: Math.min(0.99, 1 - match.bitErrorRatio * 0.5) };
  }
}

/** The least bit error ratio of a block over all places of an entry, or `limitRatio` where none is below it. */
function closest(entry: Uint32Array, block: Uint32Array, limitRatio: number): number {
  let found = limitRatio;
  for (let offset = 0; offset + BLOCK <= entry.length; offset++) {
    // A quarter of the block tells nearly all wrong places apart from right ones.
    if (errorRatio(entry, offset, block, COARSE_STRIDE) > found + COARSE_MARGIN) continue;
    const ratio = errorRatio(entry, offset, block, 1);
    if (ratio < found) found = ratio;
  }
  return found;
}

function errorRatio(entry: Uint32Array, offset: number, block: Uint32Array, stride: number): number {
  let errors = 0;
  for (let i = 0; i < BLOCK; i += stride) errors += popCount((entry[offset + i]! ^ block[i]!) >>> 0);
  return (errors * stride) / (BLOCK * 32);
}

function popCount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return (((v + (v >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

function bandEdges(): Int32Array {
  const perHz = WINDOW_SAMPLES / 8000;
  return Int32Array.from({ length: BANDS + 1 }, (_, band) =>
    Math.round(LOW_HZ * (HIGH_HZ / LOW_HZ) ** (band / BANDS) * perHz),
  );
}

function bandEnergies(spectrum: Float64Array): Float64Array {
  const energies = new Float64Array(BANDS);
  for (let band = 0; band < BANDS; band++) {
    let sum = 0;
    for (let bin = edges[band]!; bin < edges[band + 1]!; bin++) sum += spectrum[bin]!;
    energies[band] = sum;
  }
  return energies;
}
