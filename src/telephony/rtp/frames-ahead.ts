import { FRAME_SAMPLES, silentFrame } from '../codec/g711.ts';
import type { G711Codec } from '../sdp/media.ts';
import { FRAME_MS, MOST_AHEAD_FRAMES } from './ticker.ts';

const FRAME_WORDS = FRAME_SAMPLES / 4;
/** The frame that was taken last, of whichever leg. */
const takenWords = new Uint32Array(FRAME_WORDS);
const taken = new Uint8Array(takenWords.buffer);

/**
 * How far a leg has come: up to which deadline its frames have been ticked, and how many more were sent. It keeps what was
 * sent before its tick, for who records both sides. Frames leave in order: where one has to wait for its tick, those after
 * it wait too. Deadlines are whole milliseconds, multiples of a frame apart.
 */
export class FramesAhead {
  /** Of the next frame to be ticked; -1 before the first. */
  #tickMs = -1;
  /** Frames that were sent and have not been ticked. */
  #ahead = 0;
  #next = 0;
  /** All frames in one block, and the same four octets a word; only once a frame was ahead. */
  #octets: Uint8Array<ArrayBuffer> | undefined;
  #words: Uint32Array | undefined;

  /** Whether the frame of that deadline has been sent. */
  sent(deadlineMs: number): boolean {
    return this.#tickMs >= 0 && deadlineMs < this.#tickMs + this.#ahead * FRAME_MS;
  }

  /** Whether it is this frame's turn to be sent. */
  mayLeave(deadlineMs: number): boolean {
    if (this.#tickMs < 0) this.#tickMs = deadlineMs;
    return deadlineMs === this.#tickMs + this.#ahead * FRAME_MS && this.#ahead < MOST_AHEAD_FRAMES;
  }

  /** The frame whose turn it was has left; its 160 octets are copied. */
  keep(frame: Uint8Array): void {
    this.#octets ??= new Uint8Array(MOST_AHEAD_FRAMES * FRAME_SAMPLES);
    this.#octets.set(frame, this.#next * FRAME_SAMPLES);
    this.#next = (this.#next + 1) % MOST_AHEAD_FRAMES;
    this.#ahead++;
  }

  /** The deadline of the next frame to be ticked where it is due by then, else -1. */
  due(deadlineMs: number): number {
    if (this.#tickMs < 0) this.#tickMs = deadlineMs;
    return this.#tickMs <= deadlineMs ? this.#tickMs : -1;
  }

  /**
   * The tick of the frame that is due: what was sent in it, until the next call for whichever leg, or undefined where it is
   * sent now.
   */
  take(): Uint8Array | undefined {
    this.#tickMs += FRAME_MS;
    if (this.#ahead === 0 || this.#octets === undefined) return undefined;
    this.#words ??= new Uint32Array(this.#octets.buffer);
    const at = ((this.#next - this.#ahead + MOST_AHEAD_FRAMES) % MOST_AHEAD_FRAMES) * FRAME_WORDS;
    for (let i = 0; i < FRAME_WORDS; i++) takenWords[i] = this.#words[at + i]!;
    // From the start once none is ahead: what is used again lies in the processor's cache.
    if (--this.#ahead === 0) this.#next = 0;
    return taken;
  }

  /** Gives up all frames before that deadline; how many ticks that are, and how many of them had not been sent. */
  skip(deadlineMs: number): { readonly ticks: number; readonly unsent: number } {
    if (this.#tickMs < 0 || this.#tickMs >= deadlineMs) return { ticks: 0, unsent: 0 };
    const ticks = Math.round((deadlineMs - this.#tickMs) / FRAME_MS);
    const sent = Math.min(ticks, this.#ahead);
    this.#tickMs += ticks * FRAME_MS;
    this.#ahead -= sent;
    return { ticks, unsent: ticks - sent };
  }

  /** Another codec: what was sent in the one before means nothing in it. */
  changeCodec(codec: G711Codec): void {
    for (let i = 0; i < MOST_AHEAD_FRAMES; i++) this.#octets?.set(silentFrame(codec), i * FRAME_SAMPLES);
  }
}
