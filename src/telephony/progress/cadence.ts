import type { FrameSound } from './spectrum.ts';

/** Which country's call-progress tones to expect. */
export type TonePlan = 'cn' | 'eu' | 'us';

export type ToneLabel = 'ringback' | 'busy' | 'congestion' | 'sit' | 'fax-ced' | 'fax-cng';

interface Cadence {
  readonly label: ToneLabel;
  readonly lowHz: number;
  readonly highHz: number;
  readonly onMs: readonly [number, number];
  readonly offMs: readonly [number, number];
  /** Full on-off cycles that must have been heard. */
  readonly cycles: number;
}

/** 1 s on, 4 s off; an `off` counts as soon as it has lasted two seconds. */
const SLOW_OFF_MS: readonly [number, number] = [2000, Infinity];

/**
 * Nominal cadences with a tolerance of about a quarter. China: YD/T 450 ± 25 Hz, ringback 1/4 s, busy 0.35/0.35,
 * congestion 0.7/0.7; Europe: ETSI 425 Hz, 1/4, 0.5/0.5, 0.25/0.25; North America: 440+480 2/4, 480+620 0.5/0.5 and 0.25/0.25.
 */
const PLANS: Readonly<Record<TonePlan, readonly Cadence[]>> = {
  cn: [
    { label: 'ringback', lowHz: 400, highHz: 500, onMs: [750, 1300], offMs: SLOW_OFF_MS, cycles: 1 },
    { label: 'busy', lowHz: 400, highHz: 500, onMs: [240, 460], offMs: [240, 460], cycles: 2 },
    { label: 'congestion', lowHz: 400, highHz: 500, onMs: [560, 860], offMs: [560, 860], cycles: 2 },
  ],
  eu: [
    { label: 'ringback', lowHz: 375, highHz: 475, onMs: [750, 1300], offMs: SLOW_OFF_MS, cycles: 1 },
    { label: 'busy', lowHz: 375, highHz: 475, onMs: [380, 620], offMs: [380, 620], cycles: 2 },
    { label: 'congestion', lowHz: 375, highHz: 475, onMs: [160, 330], offMs: [160, 330], cycles: 3 },
  ],
  us: [
    { label: 'ringback', lowHz: 425, highHz: 500, onMs: [1600, 2400], offMs: SLOW_OFF_MS, cycles: 1 },
    { label: 'busy', lowHz: 450, highHz: 650, onMs: [380, 620], offMs: [380, 620], cycles: 2 },
    { label: 'congestion', lowHz: 450, highHz: 650, onMs: [160, 330], offMs: [160, 330], cycles: 3 },
  ],
};

const FRAME_MS = 20;
/** One frame without tone inside a tone is a glitch of the line, not a pause. */
const GLITCH_MS = 40;

interface Run {
  readonly tone: number | undefined;
  ms: number;
}

/** Follows tones frame by frame and names each cadence once until something else is heard. */
export class CadenceTracker {
  readonly #plan: readonly Cadence[];
  #runs: Run[] = [];
  readonly #told = new Set<ToneLabel>();
  #glitchMs = 0;

  constructor(plan: TonePlan) {
    this.#plan = PLANS[plan];
  }

  /** Takes the next 20 ms; returns a label the first time its cadence is complete. */
  push(sound: FrameSound): ToneLabel | undefined {
    this.#extend(sound.toneHz);
    const found = this.#fax() ?? this.#sit() ?? this.#cadence();
    if (found === undefined || this.#told.has(found)) return undefined;
    this.#told.add(found);
    return found;
  }

  #extend(tone: number | undefined): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && near(last.tone, tone)) {
      last.ms += FRAME_MS + this.#glitchMs;
      this.#glitchMs = 0;
      return;
    }
    if (
      last !== undefined &&
      last.tone !== undefined &&
      last.ms > GLITCH_MS &&
      tone === undefined &&
      this.#glitchMs < GLITCH_MS
    ) {
      this.#glitchMs += FRAME_MS;
      return;
    }
    const ms = FRAME_MS + this.#glitchMs;
    this.#glitchMs = 0;
    this.#runs.push({ tone, ms });
    if (this.#runs.length > 12) this.#runs = this.#runs.slice(-12);
  }

  #cadence(): ToneLabel | undefined {
    for (const cadence of this.#plan) if (this.#matches(cadence)) return cadence.label;
    return undefined;
  }

  #matches({ lowHz, highHz, onMs, offMs, cycles }: Cadence): boolean {
    const runs = this.#runs;
    let end = runs.length - 1;
    // A pause that still lasts counts once it is long enough.
    if (runs[end]?.tone !== undefined) end--;
    for (let cycle = 0; cycle < cycles; cycle++) {
      const off = runs[end - 2 * cycle];
      const on = runs[end - 2 * cycle - 1];
      if (off === undefined || on === undefined || off.tone !== undefined || on.tone === undefined) return false;
      if (on.tone < lowHz || on.tone > highHz || !within(on.ms, onMs) || !within(off.ms, offMs)) return false;
    }
    return true;
  }

  /** ITU-T T.30: CED 2100 Hz for seconds; CNG 1100 Hz, 0.5 s on, 3 s off. */
  #fax(): ToneLabel | undefined {
    const last = this.#runs.at(-1);
    if (last?.tone !== undefined && Math.abs(last.tone - 2100) <= 25 && last.ms >= 500) return 'fax-ced';
    const on = this.#runs.at(-2);
    if (
      on?.tone !== undefined &&
      Math.abs(on.tone - 1100) <= 50 &&
      within(on.ms, [420, 600]) &&
      last !== undefined &&
      last.ms > 400
    )
      return 'fax-cng';
    return undefined;
  }

  /** ITU-T E.180 special information tone: 950, 1400, 1800 Hz, a third of a second each. */
  #sit(): ToneLabel | undefined {
    const tones = this.#runs.filter((run) => run.tone !== undefined || run.ms > 100).slice(-3);
    const wanted = [950, 1400, 1800];
    const fits =
      tones.length === 3 &&
      tones.every(
        (run, i) => run.tone !== undefined && Math.abs(run.tone - wanted[i]!) <= 50 && within(run.ms, [240, 420]),
      );
    return fits ? 'sit' : undefined;
  }
}

function near(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Math.abs(a - b) <= 50;
}

function within(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}
