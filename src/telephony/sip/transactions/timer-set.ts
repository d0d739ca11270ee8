import type { Timer } from '#platform/clock.ts';
import type { TimerName } from './timers.ts';

/** Starts a timer on the injected clock. */
export type StartTimer = (delayMs: number, fire: () => void) => Timer;

/** The running timers of one transaction: two at most at a time, so a short list does. */
export class TimerSet {
  readonly #running: { readonly name: TimerName; readonly timer: Timer }[] = [];
  readonly #start: StartTimer;
  readonly #fire: (name: TimerName) => void;

  constructor(start: StartTimer, fire: (name: TimerName) => void) {
    this.#start = start;
    this.#fire = fire;
  }

  start(name: TimerName, delayMs: number): void {
    this.stop(name);
    const timer = this.#start(delayMs, () => {
      this.#remove(name);
      this.#fire(name);
    });
    this.#running.push({ name, timer });
  }

  stop(name: TimerName): void {
    this.#remove(name)?.cancel();
  }

  stopAll(): void {
    for (const { timer } of this.#running) timer.cancel();
    this.#running.length = 0;
  }

  #remove(name: TimerName): Timer | undefined {
    const index = this.#running.findIndex((entry) => entry.name === name);
    return index < 0 ? undefined : this.#running.splice(index, 1)[0]?.timer;
  }
}
