/**
 * An absolute schedule of calls at a rate: slots follow each other at a fixed distance, so a late timer costs nothing
 * and unused slots never add up to a burst.
 */
export class Pace {
  readonly #intervalMs: number;
  #nextMs = 0;

  constructor(callsPerSecond: number) {
    this.#intervalMs = 1000 / callsPerSecond;
  }

  /** The first free slot, on the monotonic clock. */
  nextMs(nowMs: number): number {
    return Math.max(nowMs, this.#nextMs);
  }

  /** How many slots are free before `untilMs`. */
  countUntil(nowMs: number, untilMs: number): number {
    const first = this.nextMs(nowMs);
    return first >= untilMs ? 0 : Math.ceil((untilMs - first) / this.#intervalMs);
  }

  /** Takes the first free slot and says how far away it is; undefined where that is more than `withinMs`. */
  takeWithin(nowMs: number, withinMs: number): number | undefined {
    const atMs = this.nextMs(nowMs);
    if (atMs - nowMs > withinMs) return undefined;
    this.take(atMs);
    return atMs - nowMs;
  }

  /** Takes the slot at `atMs`, which is not before the first free one. */
  take(atMs: number): void {
    this.#nextMs = atMs + this.#intervalMs;
  }
}
