import { FRAME_SAMPLES } from './g711.ts';

/** Pitch between 66 and 200 Hz at 8 kHz. */
const MIN_PITCH_SAMPLES = 40;
const MAX_PITCH_SAMPLES = 120;
/** The match looks at 20 ms, as in G.711 appendix I. */
const MATCH_SAMPLES = 160;
const HISTORY_SAMPLES = FRAME_SAMPLES * 3;
/** Full level for 10 ms of loss, then 20 % down every 10 ms: silent after 60 ms. */
const HOLD_SAMPLES = 80;
const FADE_SAMPLES = 400;

/** What was heard until a loss; one concealment works at a time. */
const history = new Int16Array(HISTORY_SAMPLES);

/**
 * Hides lost frames of 8 kHz speech: repeats the last pitch periods, fading, and blends back into what arrives next.
 * In the spirit of ITU-T G.711 appendix I, without its 3.75 ms of delay.
 */
export class Concealment {
  /** A ring of whole frames. */
  readonly #heard = new Int16Array(HISTORY_SAMPLES);
  /** Where the oldest frame begins. */
  #oldest = 0;
  readonly #pitch = new Float32Array(MAX_PITCH_SAMPLES * 3);
  #pitchSamples = 0;
  #cycleSamples = 0;
  #cyclePosition = 0;
  /** Samples concealed since the last good one. */
  #concealedSamples = 0;

  /** True while the fade still has sound; silence is the better answer afterwards. */
  get audible(): boolean {
    return this.#concealedSamples < HOLD_SAMPLES + FADE_SAMPLES;
  }

  /** Takes a received frame of 160 samples; after a loss its start is blended with the concealment, in place. */
  good(pcm: Int16Array): void {
    if (this.#concealedSamples > 0) {
      const overlap = Math.min(FRAME_SAMPLES, 32 + (this.#concealedSamples >> 3));
      for (let i = 0; i < overlap; i++) {
        const weight = (i + 1) / (overlap + 1);
        pcm[i] = Math.round(pcm[i]! * weight + this.#next() * (1 - weight));
      }
      this.#concealedSamples = 0;
    }
    this.#remember(pcm);
  }

  /** Writes 160 samples in place of a lost frame. */
  lost(pcm: Int16Array): void {
    if (this.#concealedSamples === 0) this.#begin();
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      // A longer cycle after 10 ms keeps the repetition from buzzing.
      if (this.#concealedSamples === HOLD_SAMPLES) this.#lengthen();
      pcm[i] = Math.round(this.#next());
    }
  }

  /** Fills the lost part of a frame whose rest arrived: from what was heard before the frame, as its own start may be missing. */
  patch(pcm: Int16Array, from: number, to: number): void {
    if (this.#concealedSamples === 0) this.#begin();
    for (let i = from; i < to; i++) pcm[i] = Math.round(this.#next());
    this.#concealedSamples = 0;
    this.#remember(pcm);
  }

  /** The far end chose silence: nothing may be repeated from before it. */
  reset(): void {
    this.#heard.fill(0);
    this.#concealedSamples = 0;
  }

  #remember(pcm: Int16Array): void {
    this.#heard.set(pcm, this.#oldest);
    this.#oldest = this.#oldest + FRAME_SAMPLES < HISTORY_SAMPLES ? this.#oldest + FRAME_SAMPLES : 0;
  }

  #next(): number {
    const faded = this.#concealedSamples++ - HOLD_SAMPLES;
    const gain = faded <= 0 ? 1 : Math.max(0, 1 - faded / FADE_SAMPLES);
    const sample = this.#pitch[this.#cyclePosition]! * gain;
    this.#cyclePosition = (this.#cyclePosition + 1) % this.#cycleSamples;
    return sample;
  }

  #begin(): void {
    this.#unroll();
    this.#pitchSamples = this.#findPitch();
    this.#cyclePosition = 0;
    this.#loadCycle(1);
  }

  #lengthen(): void {
    this.#unroll();
    const phase = this.#cyclePosition;
    this.#loadCycle(2);
    this.#cyclePosition = phase % this.#cycleSamples;
  }

  /** Puts what was heard into `history`, the oldest sample first. */
  #unroll(): void {
    history.set(this.#heard.subarray(this.#oldest));
    history.set(this.#heard.subarray(0, this.#oldest), HISTORY_SAMPLES - this.#oldest);
  }

  /** The cycle is the history's last periods; its end is blended into what came before its start, so that it loops. */
  #loadCycle(periods: number): void {
    const cycle = this.#pitchSamples * periods;
    const start = HISTORY_SAMPLES - cycle;
    const overlap = this.#pitchSamples >> 2;
    for (let i = 0; i < cycle; i++) this.#pitch[i] = history[start + i]!;
    for (let i = 0; i < overlap; i++) {
      const weight = (i + 1) / (overlap + 1);
      const at = cycle - overlap + i;
      this.#pitch[at] = this.#pitch[at]! * (1 - weight) + history[start - overlap + i]! * weight;
    }
    this.#cycleSamples = cycle;
  }

  /** The lag at which the last 20 ms best match what went before: every second lag and sample, then exactly. */
  #findPitch(): number {
    let best = MIN_PITCH_SAMPLES;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let lag = MIN_PITCH_SAMPLES; lag <= MAX_PITCH_SAMPLES; lag += 2) {
      const score = this.#correlation(lag, 2);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    bestScore = Number.NEGATIVE_INFINITY;
    const centre = best;
    for (let lag = centre - 1; lag <= centre + 1; lag++) {
      if (lag < MIN_PITCH_SAMPLES || lag > MAX_PITCH_SAMPLES) continue;
      const score = this.#correlation(lag, 1);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }

  #correlation(lag: number, stride: number): number {
    let product = 0;
    let energy = 1;
    for (let i = HISTORY_SAMPLES - MATCH_SAMPLES; i < HISTORY_SAMPLES; i += stride) {
      const earlier = history[i - lag]!;
      product += history[i]! * earlier;
      energy += earlier * earlier;
    }
    return product / Math.sqrt(energy);
  }
}
