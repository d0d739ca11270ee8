import { FRAME_SAMPLES, silentFrame } from '../codec/g711.ts';
import type { G711Codec } from '../sdp/media.ts';
import { FRAME_MS } from './ticker.ts';

/** Frames that may leave before they are ticked: the ticker asks for no more. */
const MOST_AHEAD = 10;

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
  /** Only once a frame was ahead. */
  #frames: readonly Uint8Array[] | undefined;

  /** Whether the frame of that deadline has been sent. */
  sent(deadlineMs: number): boolean {
    return this.#tickMs >= 0 && deadlineMs < this.#tickMs + this.#ahead * FRAME_MS;
  }

  /** Whether it is this frame's turn to be sent. */
  mayLeave(deadlineMs: number): boolean {
    if (this.#tickMs < 0) this.#tickMs = deadlineMs;
    return deadlineMs === this.#tickMs + this.#ahead * FRAME_MS && this.#ahead < MOST_AHEAD;
  }

  /** The frame whose turn it was has left; its 160 octets are copied. */
  keep(frame: Uint8Array): void {
    this.#frames ??= Array.from({ length: MOST_AHEAD }, () => new Uint8Array(FRAME_SAMPLES));
    this.#frames[this.#next]!.set(frame);
    this.#next = (this.#next + 1) % MOST_AHEAD;
    this.#ahead++;
  }

  /** The deadline of the next frame to be ticked where it is due by then, else -1. */
  due(deadlineMs: number): number {
    if (this.#tickMs < 0) this.#tickMs = deadlineMs;
    return this.#tickMs <= deadlineMs ? this.#tickMs : -1;
  }

  /** The tick of the frame that is due: what was sent in it, or undefined where it is sent now. */
  take(): Uint8Array | undefined {
    this.#tickMs += FRAME_MS;
    if (this.#ahead === 0) return undefined;
    const kept = this.#frames?.[(this.#next - this.#ahead + MOST_AHEAD) % MOST_AHEAD];
    // From the start once none is ahead: what is used again lies in the processor's cache.
    if (--this.#ahead === 0) this.#next = 0;
    return kept;
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
    for (const frame of this.#frames ?? []) frame.set(silentFrame(codec));
  }
}
