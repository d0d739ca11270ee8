import type { Clock, Timer } from '#platform/clock.ts';

/** Runs a look at the earliest moment asked for, never two at once; a failed look is repeated after a second. */
export class Waker {
  readonly #clock: Clock;
  readonly #look: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #timer: Timer | undefined;
  #wakeAtMs = Infinity;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(clock: Clock, look: () => Promise<void>, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#look = look;
    this.#onError = onError;
  }

  /** Looks at that moment of the monotonic clock or before; a past moment means as soon as possible. */
  at(atMs: number): void {
    if (this.#stopped || atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    if (this.#looking === undefined) this.#arm();
  }

  /** Resolves when the look in progress, if any, is over. */
  async idle(): Promise<void> {
    await this.#looking;
  }

  /** No more looks; resolves when the one in progress is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#wakeAtMs === Infinity) return;
    const delayMs = Math.max(0, this.#wakeAtMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#wakeAtMs = Infinity;
      // Set before the look begins, because a look asks for the next one.
      this.#looking = Promise.resolve().then(() => this.#run());
    });
  }

  async #run(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      this.#onError(error);
      this.at(this.#clock.monotonicMs() + 1000);
    } finally {
      this.#looking = undefined;
      if (!this.#stopped) this.#arm();
    }
  }
}
