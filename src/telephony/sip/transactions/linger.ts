import type { Clock, Timer } from '#platform/clock.ts';

/** What waits for its end; `dueMs` and `next` belong to the `Linger`. */
export interface Lingerer {
  dueMs: number;
  next: Lingerer | undefined;
  /** The time is over. */
  end(): void;
}

interface Queue {
  readonly delayMs: number;
  first: Lingerer | undefined;
  last: Lingerer | undefined;
  timer: Timer | undefined;
}

/**
 * Holds what is over but must stay for a fixed time. There are few such times (timers D, I, J, K, L and M), and whoever
 * comes first under one goes first: a queue and a single timer for each keep thousands of ends at a few words apiece.
 */
export class Linger {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Queue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `end` after the delay. */
  add(lingerer: Lingerer, delayMs: number): void {
    let queue = this.#queues.get(delayMs);
    if (queue === undefined) {
      queue = { delayMs, first: undefined, last: undefined, timer: undefined };
      this.#queues.set(delayMs, queue);
    }
    lingerer.dueMs = this.#clock.monotonicMs() + delayMs;
    if (queue.last === undefined) queue.first = lingerer;
    else queue.last.next = lingerer;
    queue.last = lingerer;
    if (queue.timer === undefined) this.#arm(queue, delayMs);
  }

  /** Forgets everybody, without a call. */
  close(): void {
    for (const queue of this.#queues.values()) queue.timer?.cancel();
    this.#queues.clear();
  }

  #arm(queue: Queue, delayMs: number): void {
    queue.timer = this.#clock.setTimer(delayMs, () => this.#release(queue));
  }

  #release(queue: Queue): void {
    queue.timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    while (queue.first !== undefined && queue.first.dueMs <= nowMs) {
      const { first } = queue;
      queue.first = first.next;
      if (queue.first === undefined) queue.last = undefined;
      // Garbage that points to what is younger drags it into the old generation.
      first.next = undefined;
      first.end();
    }
    // `close` during an `end` leaves nothing to wait for.
    if (queue.first !== undefined && queue.timer === undefined && this.#queues.get(queue.delayMs) === queue)
      this.#arm(queue, queue.first.dueMs - nowMs);
  }
}
