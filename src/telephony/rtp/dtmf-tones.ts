import type { DtmfEvent } from './dtmf.ts';

const SAMPLE_HZ = 8000;
const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const TONES_HZ = [...LOW_HZ, ...HIGH_HZ];
const KEYS = '123A456B789C*0#D';
/** 20 ms under a Hann window, every 10 ms: tones of one group are told apart, and phases tell how far a tone is off. */
const WINDOW_SAMPLES = 160;
const HOP_SAMPLES = 80;
const HOP_MS = 10;
/** ITU-T Q.24: within 1.5 % is a key, beyond 3.5 % is none. */
const FREQUENCY_TOLERANCE = 0.025;
/** −34 dBm0 a tone; administrations of Q.24 ask for −24 to −29 dBm and refuse from −36 on. */
const MIN_AMPLITUDE = 450;
/** Most that the high group may lie above the low one, and below: Q.24 has 4 to 10 dB. */
const MAX_TWIST_RATIO = 10 ** (6 / 10);
const MIN_TWIST_RATIO = 10 ** (-10 / 10);
/** Share of all power that the two tones must have: speech hardly ever puts that much there, keys 15 dB above noise have 0.8. */
const MIN_TONE_SHARE = 0.72;
/** Windows that are full of the tone come within 3 dB of the best. */
const FULL_SHARE = 0.5;
/** Q.24: 40 ms are a key, 23 ms are none. A tone of 40 ms fills 3 or 4 windows, one of 23 ms 1 or 2. */
const MIN_WINDOWS = 3;
/** Q.24: an interruption of 10 ms is none, a pause of 40 ms is one. */
const END_WINDOWS = 3;
/** Where the window before had less of a tone, its phase says nothing. */
const MIN_PHASE_SHARE = 0.1;

const hann = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW_SAMPLES),
);
const HANN_SUM = hann.reduce((sum, weight) => sum + weight, 0);
const HANN_SQUARES = hann.reduce((sum, weight) => sum + weight * weight, 0);
const cosines = TONES_HZ.map((hz) => Math.cos((2 * Math.PI * hz) / SAMPLE_HZ));
const sines = TONES_HZ.map((hz) => Math.sin((2 * Math.PI * hz) / SAMPLE_HZ));
/** Power is amplitude² / 2; the least energy of a key is that of both tones. */
const LEAST_POWER = (MIN_AMPLITUDE * MIN_AMPLITUDE) / 2;
const LEAST_ENERGY = 2 * LEAST_POWER * HANN_SQUARES;
/** The window at hand, and how much of its energy it has in common with itself two samples on; one detector works at a time. */
const weighted = new Float64Array(WINDOW_SAMPLES);
const shared = new Float64Array(1);
/**
 * A tone of f Hz has cos(2π · f / 4000) of its energy in common with itself two samples on: a key at most 0.39 (697 and 1209 Hz,
 * the low one 10 dB up), and 0.56 with the most that else may be there. Voice lies mostly below 600 Hz and has more.
 */
const MAX_SHARED = 0.6;

/**
 * Hears key presses in 8 kHz speech where the far end does not send them as telephone-events. Each is reported when it
 * ends, as events are.
 */
export class DtmfToneDetector {
  readonly #onEvent: (event: DtmfEvent) => void;
  /** The previous frame and the present one, each where the one before the other was. */
  readonly #samples = new Int16Array(2 * WINDOW_SAMPLES);
  /** Where the previous frame begins; windows count from there. */
  #origin = 0;
  /** Of the window at hand and of the one before it. */
  #tones = newTones();
  #before = newTones();
  /** The last frame may have been of a key; its windows were not looked at. */
  #promising = false;
  #skipped = false;
  #key = -1;
  #best = 0;
  #full = 0;
  #misses = 0;
  #startedMs = 0;
  #lastMs = 0;

  constructor(onEvent: (event: DtmfEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes the next 160 samples, whose last is of `nowMs`. */
  push(pcm: Int16Array, nowMs: number): void {
    this.#samples.set(pcm, this.#origin);
    this.#origin = WINDOW_SAMPLES - this.#origin;
    // Of three windows in a row, the least that a key fills, one is a whole frame. Where neither this nor the last frame can
    // be of a key, the window between the two would begin nothing that lasts.
    const promising = this.#mayHoldKey(WINDOW_SAMPLES);
    const worthIt = promising || this.#promising || this.#key >= 0;
    this.#promising = promising;
    if (worthIt) {
      if (this.#skipped) this.#recall();
      this.#window(HOP_SAMPLES, nowMs - HOP_MS);
      this.#window(WINDOW_SAMPLES, nowMs);
    }
    this.#skipped = !worthIt;
  }

  /** Whether what was pushed last is of a key, as far as one can tell so early: most likely, from its first 20 ms on. */
  get sounding(): boolean {
    return this.#key >= 0;
  }

  /** Another source: what was heard of the one before is over. */
  reset(): void {
    this.#finish();
    this.#samples.fill(0);
    this.#before.powers.fill(0);
    this.#before.lowKnown = this.#before.highKnown = true;
    this.#promising = this.#skipped = false;
  }

  /** What the last window of the previous frame had. */
  #recall(): void {
    const before = this.#before;
    if (this.#weigh(0) < LEAST_ENERGY) {
      before.powers.fill(0);
    } else {
      transform(before, 0);
      transform(before, 4);
    }
    before.lowKnown = before.highKnown = true;
  }

  #window(from: number, nowMs: number): void {
    const key = this.#classify(from);
    const power = key < 0 ? 0 : this.#tones.powers[key >> 2]! + this.#tones.powers[4 + (key & 3)]!;
    const before = this.#before;
    this.#before = this.#tones;
    this.#tones = before;
    if (key >= 0 && (this.#key < 0 || (key !== this.#key && this.#full < MIN_WINDOWS))) this.#begin(key, nowMs);
    if (key >= 0 && key === this.#key && power >= this.#best * FULL_SHARE) {
      // A louder window shows that those before it were only partly filled.
      if (power * FULL_SHARE > this.#best) this.#full = 0;
      this.#best = Math.max(this.#best, power);
      this.#full++;
      this.#misses = 0;
      this.#lastMs = nowMs;
    } else if (this.#key >= 0 && ++this.#misses >= END_WINDOWS) {
      this.#finish();
    }
  }

  #begin(key: number, nowMs: number): void {
    this.#key = key;
    this.#best = 0;
    this.#full = 0;
    this.#misses = 0;
    this.#startedMs = nowMs - WINDOW_SAMPLES / 8;
  }

  #finish(): void {
    const digit = KEYS[this.#key];
    // A tone fills about 4 ms more than its windows' distance: they count from 60 % on.
    const durationMs = this.#lastMs - this.#startedMs - WINDOW_SAMPLES / 8 + HOP_MS + 4;
    if (digit !== undefined && this.#full >= MIN_WINDOWS)
      this.#onEvent({ digit, durationMs: Math.round(durationMs), atMs: this.#startedMs, asTone: true });
    this.#key = -1;
  }

  /** The key that fills the window, as row · 4 + column, or -1. */
  #classify(from: number): number {
    const tones = this.#tones;
    const { powers } = tones;
    if (!this.#mayHoldKey(from)) return -1;
    const low = strongest(powers, 0);
    const lowPower = powers[low]!;
    transform(tones, 4);
    tones.highKnown = true;
    const high = strongest(powers, 4);
    const highPower = powers[high]!;
    if (highPower < LEAST_POWER) return -1;
    if (lowPower + highPower < tones.leastPower) return -1;
    if (highPower > lowPower * MAX_TWIST_RATIO || highPower < lowPower * MIN_TWIST_RATIO) return -1;
    const before = this.#before;
    if (!before.highKnown) {
      this.#weigh(from - HOP_SAMPLES);
      if (!before.lowKnown) transform(before, 0);
      transform(before, 4);
      before.lowKnown = before.highKnown = true;
    }
    if (!this.#onPitch(low) || !this.#onPitch(high)) return -1;
    return low * 4 + high - 4;
  }

  /** Looks for the low group; false where no high tone would make the window one of a key. */
  #mayHoldKey(from: number): boolean {
    const tones = this.#tones;
    const energy = this.#weigh(from);
    tones.leastPower = (energy * MIN_TONE_SHARE) / HANN_SQUARES;
    tones.lowKnown = tones.highKnown = energy < LEAST_ENERGY;
    if (tones.lowKnown) {
      tones.powers.fill(0);
      return false;
    }
    if (shared[0]! > energy * MAX_SHARED) return false;
    transform(tones, 0);
    tones.lowKnown = true;
    const lowPower = tones.powers[strongest(tones.powers, 0)]!;
    return lowPower >= LEAST_POWER && lowPower * (1 + MAX_TWIST_RATIO) >= tones.leastPower;
  }

  /** Puts a window under its curve; returns its energy. */
  #weigh(from: number): number {
    const samples = this.#samples;
    let energy = 0;
    let common = 0;
    let even = 0;
    let odd = 0;
    for (let half = 0; half < WINDOW_SAMPLES; half += HOP_SAMPLES) {
      const at = (this.#origin + from + half) % (2 * WINDOW_SAMPLES);
      for (let i = 0; i < HOP_SAMPLES; i += 2) {
        const first = samples[at + i]! * hann[half + i]!;
        const second = samples[at + i + 1]! * hann[half + i + 1]!;
        weighted[half + i] = first;
        weighted[half + i + 1] = second;
        energy += first * first;
        energy += second * second;
        common += first * even;
        common += second * odd;
        even = first;
        odd = second;
      }
    }
    shared[0] = common;
    return energy;
  }

  /** How far the phase moved since the window before says how far the tone is off, to ± 50 Hz. */
  #onPitch(tone: number): boolean {
    if (this.#before.powers[tone]! < this.#tones.powers[tone]! * MIN_PHASE_SHARE) return true;
    const moved = phaseOf(this.#tones, tone) - phaseOf(this.#before, tone);
    const turns = moved / (2 * Math.PI) - (TONES_HZ[tone]! * HOP_SAMPLES) / SAMPLE_HZ;
    const offHz = ((turns - Math.round(turns)) * SAMPLE_HZ) / HOP_SAMPLES;
    return Math.abs(offHz) <= TONES_HZ[tone]! * FREQUENCY_TOLERANCE;
  }
}

/** What a window has of each tone. */
interface Tones {
  readonly powers: Float64Array;
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
  /** False where that group was not looked for. */
  lowKnown: boolean;
  highKnown: boolean;
  /** What both tones of a key must have together. */
  leastPower: number;
}

function newTones(): Tones {
  const values = (): Float64Array => new Float64Array(TONES_HZ.length);
  return { powers: values(), real: values(), imaginary: values(), lowKnown: true, highKnown: true, leastPower: 0 };
}

/** Goertzel of one group of four tones side by side, which keeps the processor's units busy. */
function transform(tones: Tones, first: number): void {
  const c0 = 2 * cosines[first]!;
  const c1 = 2 * cosines[first + 1]!;
  const c2 = 2 * cosines[first + 2]!;
  const c3 = 2 * cosines[first + 3]!;
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < WINDOW_SAMPLES; i += 2) {
    const even = weighted[i]!;
    b0 = even + c0 * a0 - b0;
    b1 = even + c1 * a1 - b1;
    b2 = even + c2 * a2 - b2;
    b3 = even + c3 * a3 - b3;
    const odd = weighted[i + 1]!;
    a0 = odd + c0 * b0 - a0;
    a1 = odd + c1 * b1 - a1;
    a2 = odd + c2 * b2 - a2;
    a3 = odd + c3 * b3 - a3;
  }
  resolve(tones, first, a0, b0);
  resolve(tones, first + 1, a1, b1);
  resolve(tones, first + 2, a2, b2);
  resolve(tones, first + 3, a3, b3);
}

/** Power and phase of a tone from the last two states of its filter. */
function resolve(tones: Tones, tone: number, last: number, before: number): void {
  const real = last - before * cosines[tone]!;
  const imaginary = before * sines[tone]!;
  tones.real[tone] = real;
  tones.imaginary[tone] = imaginary;
  tones.powers[tone] = (2 * (real * real + imaginary * imaginary)) / (HANN_SUM * HANN_SUM);
}

/** Phases lie by the same angle off in every window. */
function phaseOf(tones: Tones, tone: number): number {
  return Math.atan2(tones.imaginary[tone]!, tones.real[tone]!);
}

function strongest(powers: Float64Array, from: number): number {
  let best = from;
  for (let tone = from + 1; tone < from + 4; tone++) if (powers[tone]! > powers[best]!) best = tone;
  return best;
}
