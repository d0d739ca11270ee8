import { powerSpectrum } from './fft.ts';
import { analyseFrame, FRAME_SAMPLES } from './spectrum.ts';
import type { FrameSound } from './spectrum.ts';

/** 256 ms at 8 kHz. */
const WINDOW_SAMPLES = 2048;
/** Frames that one sub-fingerprint looks at. */
export const WINDOW_FRAMES = Math.ceil(WINDOW_SAMPLES / FRAME_SAMPLES);
const BANDS = 33;
const LOW_HZ = 300;
const HIGH_HZ = 2500;
/** Windows quieter than this (mean square, about −50 dBFS) say nothing. */
const SILENCE_POWER = 10_000;

/** Milliseconds from one sub-fingerprint to the next. */
export const HOP_MS = 20;

const edges = bandEdges();
const spectrum = powerSpectrum(WINDOW_SAMPLES);

/** The sound of a recording as 32 bits per 20 ms: signs of band-energy differences over time and frequency. */
export interface Fingerprint {
  readonly bits: Uint32Array;
  /** 1 where the window was loud enough to mean something. */
  readonly active: Uint8Array;
}

/** 20 ms of a fingerprint. */
export interface SubFingerprint {
  readonly bits: number;
  readonly active: boolean;
}

const INACTIVE: SubFingerprint = { bits: 0, active: false };

/** Computes fingerprints as audio arrives. Method: Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", 2002. */
export class FingerprintStream {
  readonly #window = new Float64Array(WINDOW_SAMPLES);
  #filled = 0;
  #quietFrames = 0;
  #previous: Float64Array | undefined;

  /** Takes 160 samples (Int16 mono, 8 kHz) and what they sound like; returns the sub-fingerprint once the window is full. */
  push(pcm: Int16Array, sound: FrameSound): SubFingerprint | undefined {
    this.#window.copyWithin(0, FRAME_SAMPLES);
    for (let i = 0; i < FRAME_SAMPLES; i++) this.#window[WINDOW_SAMPLES - FRAME_SAMPLES + i] = pcm[i] ?? 0;
    this.#filled += FRAME_SAMPLES;
    this.#quietFrames = sound.silent || sound.toneHz !== undefined ? this.#quietFrames + 1 : 0;
    if (this.#filled < WINDOW_SAMPLES) return undefined;
    // Nothing but silence and pure tones, as during ringback, is no announcement: the costly part is spared.
    if (this.#quietFrames >= WINDOW_FRAMES) {
      this.#previous = undefined;
      return INACTIVE;
    }
    let sum = 0;
    for (let i = 0; i < WINDOW_SAMPLES; i++) sum += this.#window[i]! * this.#window[i]!;
    const energies = bandEnergies(spectrum.of(this.#window));
    const previous = this.#previous;
    this.#previous = energies;
    if (previous === undefined) return INACTIVE;
    let bits = 0;
    for (let band = 0; band < BANDS - 1; band++) {
      const now = energies[band]! - energies[band + 1]!;
      const before = previous[band]! - previous[band + 1]!;
      bits = (bits << 1) | (now - before > 0 ? 1 : 0);
    }
    return { bits: bits >>> 0, active: sum / WINDOW_SAMPLES >= SILENCE_POWER };
  }
}

/** The fingerprint of a whole recording (Int16 mono, 8 kHz). */
export function fingerprint(pcm: Int16Array): Fingerprint {
  const stream = new FingerprintStream();
  const bits: number[] = [];
  const active: number[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES) {
    const frame = pcm.subarray(at, at + FRAME_SAMPLES);
    const sub = stream.push(frame, analyseFrame(frame));
    if (sub === undefined) continue;
    bits.push(sub.bits);
    active.push(sub.active ? 1 : 0);
  }
  return { bits: Uint32Array.from(bits), active: Uint8Array.from(active) };
}

/** Different bits of two sub-fingerprints, 0–32. */
export function bitErrors(a: number, b: number): number {
  let v = (a ^ b) >>> 0;
  v -= (v >>> 1) & 0x55555555;
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return (((v + (v >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

function bandEdges(): Int32Array {
  const perHz = WINDOW_SAMPLES / 8000;
  return Int32Array.from({ length: BANDS + 1 }, (_, band) =>
    Math.round(LOW_HZ * (HIGH_HZ / LOW_HZ) ** (band / BANDS) * perHz),
  );
}

function bandEnergies(power: Float64Array): Float64Array {
  const energies = new Float64Array(BANDS);
  for (let band = 0; band < BANDS; band++) {
    let sum = 0;
    for (let bin = edges[band]!; bin < edges[band + 1]!; bin++) sum += power[bin]!;
    energies[band] = sum;
  }
  return energies;
}
