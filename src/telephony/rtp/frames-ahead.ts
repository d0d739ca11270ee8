import { FRAME_SAMPLES, silentFrame } from '../codec/g711.ts';
import type { G711Codec } from '../sdp/media.ts';
import { MOST_AHEAD } from './ticker.ts';

/**
 * Which frames of a leg were sent before their ticks, and what was in them, for who records both sides. They go in order:
 * where one had to wait for its tick, those after it wait too.
 */
export class FramesAhead {
  /** Frames whose turn to be sent has come and whose tick has not. */
  #due = 0;
  /** Those of them that were sent. */
  #sent = 0;
  #next = 0;
  /** Only once a loop was late. */
  #frames: readonly Uint8Array[] | undefined;

  /** The turn of another frame has come; false where it must wait for its tick. */
  offer(): boolean {
    return this.#due++ === this.#sent && this.#sent < MOST_AHEAD;
  }

  /** The frame that was offered has these 160 octets; they are copied. */
  keep(frame: Uint8Array): void {
    this.#frames ??= Array.from({ length: MOST_AHEAD }, () => new Uint8Array(FRAME_SAMPLES));
    this.#frames[this.#next]!.set(frame);
    this.#next = (this.#next + 1) % MOST_AHEAD;
    this.#sent++;
  }

  /** A tick: the frame that left before it, or undefined where it is still to be sent. */
  take(): Uint8Array | undefined {
    if (this.#due === 0) return undefined;
    this.#due--;
    if (this.#sent === 0) return undefined;
    return this.#frames?.[(this.#next - this.#sent-- + MOST_AHEAD) % MOST_AHEAD];
  }

  /** Ticks that are given up; returns how many of their frames were not sent. */
  skip(ticks: number): number {
    const sent = Math.min(ticks, this.#sent);
    this.#sent -= sent;
    this.#due = Math.max(0, this.#due - ticks);
    return ticks - sent;
  }

  /** Another codec: what was sent in the one before means nothing in it. */
  changeCodec(codec: G711Codec): void {
    for (const frame of this.#frames ?? []) frame.set(silentFrame(codec));
  }
}
