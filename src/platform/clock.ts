import { performance } from 'node:perf_hooks';

/** A running timer; `cancel` after it fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time outside `bin/`: wall time for dates, monotonic time for durations. */
export interface Clock {
  /** Wall time; may jump. */
  now(): Date;
  /** Milliseconds with fractions from an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Runs `fire` once, at the earliest after `delayMs`. A pending timer does not keep the process alive when `unref`. */
  setTimer(delayMs: number, fire: () => void, options?: { readonly unref?: boolean }): Timer;
}

/** The machine's clock. `performance` is imported because the global of that name is a getter, which costs more than the call. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fire, options) {
    const handle = setTimeout(fire, delayMs);
    if (options?.unref === true) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

interface PendingTimer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly fire: () => void;
}

/** A clock that moves only when told: for tests and for simulated days. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sequence = 0;
  readonly #timers: PendingTimer[] = [];

  constructor(start = new Date('2026-01-05T02:00:00Z')) {
    this.#nowMs = start.getTime();
    this.#startMs = this.#nowMs;
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  /** Moves time on and fires every timer that falls due, in order, timers set meanwhile included. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      let next: PendingTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.dueMs > untilMs) continue;
        if (
          next === undefined ||
          timer.dueMs < next.dueMs ||
          (timer.dueMs === next.dueMs && timer.sequence < next.sequence)
        )
          next = timer;
      }
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
    }
    this.#nowMs = untilMs;
  }
}
