import type { Clock } from '#platform/clock.ts';

/** Seeking in a recording asks for it many times; one listener and call count once in this time. */
const ONCE_MS = 10 * 60_000;
const MAX_ENTRIES = 10_000;

/** Tells the first request of a listener for a recording from those that follow while it plays. */
export class PlaybackAudit {
  readonly #clock: Clock;
  readonly #heardMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isNew(actor: string, callId: string): boolean {
    const key = `${actor} ${callId}`;
    const nowMs = this.#clock.monotonicMs();
    const beforeMs = this.#heardMs.get(key);
    if (beforeMs !== undefined && nowMs - beforeMs < ONCE_MS) return false;
    this.#heardMs.delete(key);
    this.#heardMs.set(key, nowMs);
    const oldest = this.#heardMs.keys().next();
    if (this.#heardMs.size > MAX_ENTRIES && oldest.done !== true) this.#heardMs.delete(oldest.value);
    return true;
  }
}
