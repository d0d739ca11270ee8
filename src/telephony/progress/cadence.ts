import type { FrameSound } from './spectrum.ts';

/** Which country's call-progress tones to expect. */
export const TONE_PLANS = ['cn', 'eu', 'us'] as const;
export type TonePlan = (typeof TONE_PLANS)[number];

/** `sit-…`: what North American switches say by the first two frequencies of their special information tone. */
export type ToneLabel =
  | 'ringback'
  | 'busy'
  | 'congestion'
  | 'sit'
  | 'sit-intercept'
  | 'sit-vacant'
  | 'sit-reorder'
  | 'sit-no-circuit'
  | 'fax-ced'
  | 'fax-cng';

type Range = readonly [low: number, high: number];

interface Cadence {
  readonly label: ToneLabel;
  readonly hz: Range;
  /** The higher frequency of a dual tone whose two are told apart. */
  readonly secondHz?: Range;
  /** Milliseconds on and off by turns; a tone may begin anywhere in it. */
  readonly pattern: readonly { readonly on: Range; readonly off: Range }[];
  /** Full rounds of the pattern that must have been heard. */
  readonly rounds: number;
}

/** 3 or 4 s of pause; it counts as soon as it has lasted two seconds. */
const LONG_PAUSE: Range = [2000, Infinity];
const slow = (on: Range) => [{ on, off: LONG_PAUSE }];
const even = (nominalMs: number, toleranceMs: number) => {
  const range: Range = [nominalMs - toleranceMs, nominalMs + toleranceMs];
  return [{ on: range, off: range }];
};

/**
 * Nominal cadences (ITU-T E.180 supplement 2) with a tolerance that a lost packet at either end fits in. China (GB/T 3380,
 * YD/T): 450 ± 25 Hz, ringback 1/4 s, busy 0.35/0.35, congestion 0.7/0.7. Europe (ETSI TR 101 041): 425 Hz, 1/4, 0.5/0.5,
 * 0.25/0.25 or 0.2/0.2; with it the United Kingdom's 400 + 450 Hz 0.4/0.2/0.4/2 and 400 Hz 0.375/0.375. North America:
 * 440 + 480 Hz 2/4, 480 + 620 Hz 0.5/0.5 and 0.25/0.25.
 */
const PLANS: Readonly<Record<TonePlan, readonly Cadence[]>> = {
  cn: [
    { label: 'ringback', hz: [405, 495], pattern: slow([750, 1300]), rounds: 1 },
    { label: 'busy', hz: [405, 495], pattern: even(350, 105), rounds: 2 },
    { label: 'congestion', hz: [405, 495], pattern: even(700, 130), rounds: 2 },
  ],
  eu: [
    { label: 'ringback', hz: [380, 470], pattern: slow([720, 1700]), rounds: 1 },
    {
      label: 'ringback',
      hz: [365, 490],
      pattern: [
        { on: [300, 500], off: [110, 290] },
        { on: [300, 500], off: [1500, Infinity] },
      ],
      rounds: 1,
    },
    { label: 'busy', hz: [375, 470], pattern: even(460, 150), rounds: 2 },
    { label: 'congestion', hz: [375, 470], pattern: even(230, 75), rounds: 3 },
  ],
  us: [
    { label: 'ringback', hz: [425, 495], pattern: slow([1600, 2400]), rounds: 1 },
    { label: 'busy', hz: [450, 510], secondHz: [590, 650], pattern: even(500, 130), rounds: 2 },
    { label: 'congestion', hz: [450, 510], secondHz: [590, 650], pattern: even(250, 85), rounds: 3 },
  ],
};

const FRAME_MS = 20;
/** Another sound must last two frames to end a tone or a pause: one frame is a click or a loss. */
const TURN_FRAMES = 2;
const KEPT_RUNS = 14;
/** A pause of a cadence is at least this much below the tone; noise may be there. */
const PAUSE_BELOW_DB = 7;
/** The tones of one cadence are alike. */
const SAME_HZ = 18;
const SAME_DB = 6;
/** Frames of one tone: the beat of two tones close together moves the peak that far. */
const NEAR_HZ = 45;

interface Run {
  /** Mean over its frames; undefined for a pause. */
  hz: number | undefined;
  /** Mean over those of its frames that had a second tone. */
  secondHz: number;
  secondFrames: number;
  levelDb: number;
  frames: number;
}

/** Follows tones frame by frame and names each cadence once. */
export class CadenceTracker {
  readonly #plan: TonePlan;
  #runs: Run[] = [];
  /** What may be the beginning of the next run. */
  #next: Run | undefined;
  readonly #told = new Set<ToneLabel>();

  constructor(plan: TonePlan) {
    this.#plan = plan;
  }

  /** Takes the next 20 ms; returns a label the first time its cadence is complete. */
  push(sound: FrameSound): ToneLabel | undefined {
    this.#extend(sound);
    const found = this.#fax() ?? this.#sit() ?? this.#cadence();
    if (found === undefined || this.#told.has(found)) return undefined;
    this.#told.add(found);
    return found;
  }

  #extend(sound: FrameSound): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && belongs(last, sound)) {
      // A click or a loss in between belongs to the run as well.
      if (this.#next !== undefined) last.frames += this.#next.frames;
      this.#next = undefined;
      extend(last, sound);
      return;
    }
    if (this.#next === undefined || !belongs(this.#next, sound)) {
      // Two different sounds in a row: the first was a click, and belongs to what was before.
      if (this.#next !== undefined && last !== undefined) last.frames += this.#next.frames;
      this.#next = begin(sound);
    } else extend(this.#next, sound);
    if (last !== undefined && this.#next.frames < TURN_FRAMES) return;
    this.#runs.push(this.#next);
    this.#next = undefined;
    if (this.#runs.length > KEPT_RUNS) this.#runs = this.#runs.slice(-KEPT_RUNS);
  }

  #cadence(): ToneLabel | undefined {
    return PLANS[this.#plan].find((cadence) => this.#matches(cadence))?.label;
  }

  /** Whether the last runs are the whole cadence, begun at any of its tones. */
  #matches(cadence: Cadence): boolean {
    const runs = this.#runs;
    // A tone that still lasts is not judged; a pause that still lasts counts once it is long enough.
    const end = runs.at(-1)?.hz === undefined ? runs.length : runs.length - 1;
    const count = cadence.pattern.length * cadence.rounds;
    if (end < 2 * count) return false;
    const heard = runs.slice(end - 2 * count, end);
    if (!alike(heard, cadence)) return false;
    return cadence.pattern.some((_, turn) =>
      Array.from({ length: count }, (_unused, i) => i).every((i) => {
        const { on, off } = cadence.pattern[(i + turn) % cadence.pattern.length]!;
        return within(heard[2 * i]!.frames * FRAME_MS, on) && within(heard[2 * i + 1]!.frames * FRAME_MS, off);
      }),
    );
  }

  /** ITU-T T.30: CED 2100 Hz for seconds; CNG 1100 Hz, 0.5 s on, 3 s off. */
  #fax(): ToneLabel | undefined {
    const last = this.#runs.at(-1);
    if (last === undefined) return undefined;
    if (last.hz !== undefined && Math.abs(last.hz - 2100) <= 25 && last.frames * FRAME_MS >= 500) return 'fax-ced';
    const on = this.#runs.at(-2);
    const cng = on?.hz !== undefined && Math.abs(on.hz - 1100) <= 40 && within(on.frames * FRAME_MS, [400, 600]);
    return cng && last.hz === undefined && last.frames * FRAME_MS > 400 ? 'fax-cng' : undefined;
  }

  /** ITU-T E.180 §11: 950, 1400, 1800 ± 50 Hz, a third of a second each, at most 30 ms between them. */
  #sit(): ToneLabel | undefined {
    const tones = this.#runs.filter(({ hz, frames }) => hz !== undefined || frames * FRAME_MS > 80).slice(-3);
    const wanted = [950, 1400, 1800];
    const fits =
      tones.length === 3 &&
      tones.every(
        (run, i) =>
          run.hz !== undefined &&
          !isDual(run) &&
          Math.abs(run.hz - wanted[i]!) <= 60 &&
          within(run.frames * FRAME_MS, [200, 460]),
      );
    if (!fits) return undefined;
    if (this.#plan !== 'us') return 'sit';
    const [high, higher] = [tones[0]!.hz! > 950, tones[1]!.hz! > 1400];
    if (high) return higher ? 'sit-no-circuit' : 'sit-vacant';
    return higher ? 'sit-reorder' : 'sit-intercept';
  }
}

function begin({ toneHz, secondHz = 0, levelDb }: FrameSound): Run {
  return { hz: toneHz, secondHz, secondFrames: secondHz > 0 ? 1 : 0, levelDb, frames: 1 };
}

/** Where one tone gives way to the next a frame holds both, which makes neither a dual tone. */
function isDual({ secondFrames, frames }: Run): boolean {
  return secondFrames > frames / 2;
}

function belongs({ hz }: Run, { toneHz }: FrameSound): boolean {
  if (hz === undefined || toneHz === undefined) return hz === toneHz;
  return Math.abs(hz - toneHz) <= NEAR_HZ;
}

function extend(run: Run, { toneHz, secondHz, levelDb }: FrameSound): void {
  const weight = 1 / ++run.frames;
  run.levelDb += (levelDb - run.levelDb) * weight;
  if (run.hz !== undefined && toneHz !== undefined) run.hz += (toneHz - run.hz) * weight;
  if (secondHz !== undefined) run.secondHz += (secondHz - run.secondHz) / ++run.secondFrames;
}

/** Tones of one frequency and level in the cadence's range, with pauses that are quieter. */
function alike(runs: readonly Run[], { hz, secondHz }: Cadence): boolean {
  const first = runs[0]!;
  if (first.hz === undefined) return false;
  return runs.every((run, i) => {
    if (i % 2 === 1) return run.hz === undefined && run.levelDb <= runs[i - 1]!.levelDb - PAUSE_BELOW_DB;
    if (run.hz === undefined || !within(run.hz, hz)) return false;
    if (secondHz !== undefined && !(isDual(run) && within(run.secondHz, secondHz))) return false;
    return Math.abs(run.hz - first.hz!) <= SAME_HZ && Math.abs(run.levelDb - first.levelDb) <= SAME_DB;
  });
}

function within(value: number, [low, high]: Range): boolean {
  return value >= low && value <= high;
}
