import { FRAME_MS } from '../g711.ts';

/** An edge of speech, or none for most frames. */
export type SpeechEdge = 'start' | 'stop' | 'none';

/**
 * Turns voiced and unvoiced frames into stretches of speech: one starts when enough voice has gathered and stops after
 * silence. Clicks shorter than the onset never start one.
 */
export class SpeechTracker {
  readonly #onsetMs: number;
  readonly #silenceMs: number;
  #gatheredMs = 0;
  #quietMs = 0;
  #speaking = false;
  #startMs = 0;
  #endMs = 0;
  #voicedMs = 0;

  constructor(options: { readonly onsetMs: number; readonly silenceMs: number }) {
    this.#onsetMs = options.onsetMs;
    this.#silenceMs = options.silenceMs;
  }

  /** `atMs` is the end of the frame. */
  push(voiced: boolean, atMs: number): SpeechEdge {
    if (!this.#speaking) {
      if (voiced && this.#gatheredMs === 0) this.#startMs = atMs - FRAME_MS;
      this.#gatheredMs = Math.max(0, this.#gatheredMs + (voiced ? FRAME_MS : -FRAME_MS));
      if (this.#gatheredMs < this.#onsetMs) return 'none';
      this.#speaking = true;
      this.#voicedMs = this.#gatheredMs;
      this.#quietMs = 0;
      this.#endMs = atMs;
      return 'start';
    }
    if (voiced) {
      this.#voicedMs += FRAME_MS;
      this.#quietMs = 0;
      this.#endMs = atMs;
      return 'none';
    }
    this.#quietMs += FRAME_MS;
    if (this.#quietMs < this.#silenceMs) return 'none';
    this.#speaking = false;
    this.#gatheredMs = 0;
    return 'stop';
  }

  /** Whether voice is gathering that may become speech within the next frames. */
  get gathering(): boolean {
    return !this.#speaking && this.#gatheredMs > 0;
  }

  /** Start of the first voiced frame of this (or the last) stretch. */
  get startMs(): number {
    return this.#startMs;
  }

  /** End of its last voiced frame so far. */
  get endMs(): number {
    return this.#endMs;
  }

  /** Voiced time of this (or the last) stretch. */
  get voicedMs(): number {
    return this.#voicedMs;
  }
}
