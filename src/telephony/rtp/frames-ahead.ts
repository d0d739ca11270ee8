import { FRAME_SAMPLES, silentFrame } from '../codec/g711.ts';
import type { G711Codec } from '../sdp/media.ts';
import { FRAME_MS } from './ticker.ts';

/** Frames that may leave before they are ticked: the ticker asks for no more. */
const MOST_AHEAD = 8;

/**
 * How far a leg has come: up to which deadline its frames have been ticked, and up to which sent, which may be further. It
 * keeps what was sent before its tick, for who records both sides. Frames leave in order: where one has to wait for its
 * tick, those after it wait too. Deadlines are multiples of a frame apart.
 */
export class FramesAhead {
  /** Of the next frame to be ticked, and to be sent; undefined before the first. */
  #tickMs: number | undefined;
  #sendMs = 0;
  #next = 0;
  /** Only once a frame was ahead. */
  #frames: readonly Uint8Array[] | undefined;

  /** Whether the frame of that deadline has been sent. */
  sent(deadlineMs: number): boolean {
    return this.#tickMs !== undefined && deadlineMs < this.#sendMs;
  }

  /** Whether it is this frame's turn to be sent. */
  mayLeave(deadlineMs: number): boolean {
    this.#begin(deadlineMs);
    return deadlineMs === this.#sendMs && this.#ahead < MOST_AHEAD;
  }

  /** The frame whose turn it was has left; its 160 octets are copied. */
  keep(frame: Uint8Array): void {
    this.#frames ??= Array.from({ length: MOST_AHEAD }, () => new Uint8Array(FRAME_SAMPLES));
    this.#frames[this.#next]!.set(frame);
    this.#next = (this.#next + 1) % MOST_AHEAD;
    this.#sendMs += FRAME_MS;
  }

  /** The deadline of the next frame to be ticked, where it is due by then. */
  due(deadlineMs: number): number | undefined {
    this.#begin(deadlineMs);
    return this.#tickMs! <= deadlineMs ? this.#tickMs : undefined;
  }

  /** The tick of the frame that is due: what was sent in it, or undefined where it is sent now. */
  take(): Uint8Array | undefined {
    const kept = this.#ahead > 0 ? this.#frames?.[(this.#next - this.#ahead + MOST_AHEAD) % MOST_AHEAD] : undefined;
    this.#tickMs! += FRAME_MS;
    if (kept === undefined) this.#sendMs = this.#tickMs!;
    return kept;
  }

  /** Gives up all frames before that deadline; how many ticks that are, and how many of them had not been sent. */
  skip(deadlineMs: number): { readonly ticks: number; readonly unsent: number } {
    if (this.#tickMs === undefined || this.#tickMs >= deadlineMs) return { ticks: 0, unsent: 0 };
    const ticks = Math.round((deadlineMs - this.#tickMs) / FRAME_MS);
    const unsent = Math.max(0, Math.round((deadlineMs - this.#sendMs) / FRAME_MS));
    this.#tickMs += ticks * FRAME_MS;
    this.#sendMs += unsent * FRAME_MS;
    return { ticks, unsent };
  }

  /** Another codec: what was sent in the one before means nothing in it. */
  changeCodec(codec: G711Codec): void {
    for (const frame of this.#frames ?? []) frame.set(silentFrame(codec));
  }

  get #ahead(): number {
    return Math.round((this.#sendMs - this.#tickMs!) / FRAME_MS);
  }

  #begin(deadlineMs: number): void {
    if (this.#tickMs === undefined) this.#tickMs = this.#sendMs = deadlineMs;
  }
}
