/** Frames quieter than this are never speech, whatever the noise floor: −54 dBFS RMS. */
const QUIETEST_SPEECH_RMS = 65;
/** Speech stands this far above the floor; tried on the human clips that `webrtc.test.ts` reads. */
const OPEN_RATIO = 10 ** (8 / 20);
/** Once open, the gate stays open above this, so that word endings are not cut. */
const STAY_RATIO = 10 ** (4 / 20);
/** The floor is the least smoothed level of the last 1.6 to 2.4 s, longer than a talker goes without a pause. */
const WINDOW_FRAMES = 40;
const WINDOWS = 3;
const SMOOTHING = 0.4;
/**
 * A level that stays within this ratio for this long (320 ms) is noise or a tone: white noise and tones stay well
 * within it. Only a long drawn vowel comes near, and the next dip opens the gate again.
 */
const STEADY_RATIO = 1.35;
const STEADY_FRAMES = 16;
const LEAST = WINDOWS;
const SMOOTH = WINDOWS + 1;

/**
 * An adaptive level gate: follows the noise floor by minimum statistics, so that steady noise and tones that last are
 * rejected at any level and speech passes above them. Until it has heard a dip it takes what it hears for noise.
 */
export class EnergyGate {
  /** The least levels of the last windows and of the present one, then the smoothed level. */
  readonly #levels = new Float64Array(WINDOWS + 2).fill(Infinity);
  readonly #recent = new Float64Array(STEADY_FRAMES);
  #next = 0;
  #window = 0;
  #frames = 0;
  #open = false;

  /** Whether the frame is loud enough, against the floor, to be speech. */
  push(pcm: Int16Array): boolean {
    const level = Math.sqrt(energyOf(pcm) / Math.max(1, pcm.length));
    const levels = this.#levels;
    const before = levels[SMOOTH]!;
    const smooth = before === Infinity ? level : before + SMOOTHING * (level - before);
    levels[SMOOTH] = smooth;
    if (smooth < levels[LEAST]!) levels[LEAST] = smooth;
    this.#frames += 1;
    if (this.#frames === WINDOW_FRAMES) {
      levels[this.#window] = levels[LEAST]!;
      this.#window = (this.#window + 1) % WINDOWS;
      levels[LEAST] = Infinity;
      this.#frames = 0;
    }
    if (this.#steady(level)) levels.fill(smooth, 0, LEAST + 1);
    const floor = this.floorRms;
    const threshold = Math.max(QUIETEST_SPEECH_RMS, floor * (this.#open ? STAY_RATIO : OPEN_RATIO));
    this.#open = level >= threshold;
    return this.#open;
  }

  #steady(level: number): boolean {
    this.#recent[this.#next] = level;
    this.#next = (this.#next + 1) % STEADY_FRAMES;
    let least = Infinity;
    let most = 0;
    for (let index = 0; index < STEADY_FRAMES; index += 1) {
      const recent = this.#recent[index]!;
      if (recent < least) least = recent;
      if (recent > most) most = recent;
    }
    return least > 0 && most < least * STEADY_RATIO;
  }

  /** The noise level the gate works against, RMS on the 16-bit scale. */
  get floorRms(): number {
    let floor = Infinity;
    for (let index = 0; index <= LEAST; index += 1) floor = Math.min(floor, this.#levels[index]!);
    return floor;
  }
}

/** Four sums side by side, because each addition waits for the one before; whole numbers, so that their order does not matter. */
function energyOf(pcm: Int16Array): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let index = 0;
  for (; index + 3 < pcm.length; index += 4) {
    const one = pcm[index]!;
    const two = pcm[index + 1]!;
    const three = pcm[index + 2]!;
    const four = pcm[index + 3]!;
    first += one * one;
    second += two * two;
    third += three * three;
    fourth += four * four;
  }
  for (; index < pcm.length; index += 1) first += pcm[index]! * pcm[index]!;
  return first + second + third + fourth;
}
