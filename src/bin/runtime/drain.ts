import type { Clock } from '#platform/clock.ts';

/** Often enough that the end of the last call is noticed at once, as people count. */
const LOOK_MS = 250;

export interface DrainOptions {
  /** Live calls may go on for this long. */
  readonly limitMs: number;
  /** Ends the waiting. */
  readonly stop: AbortSignal;
  /** Told at the start and whenever the number of calls that go on has changed. */
  readonly onLeft: (calls: number) => void;
}

/** Waits until `left` is nothing, the time is up, or somebody is impatient; says which. */
export async function waitForCalls(
  clock: Clock,
  left: () => number,
  { limitMs, stop, onLeft }: DrainOptions,
): Promise<'done' | 'limit' | 'stopped'> {
  const endMs = clock.monotonicMs() + limitMs;
  let told: number | undefined;
  for (;;) {
    const calls = left();
    if (calls !== told) onLeft(calls);
    told = calls;
    if (calls === 0) return 'done';
    if (stop.aborted) return 'stopped';
    const restMs = endMs - clock.monotonicMs();
    if (restMs <= 0) return 'limit';
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(Math.min(LOOK_MS, restMs), finish);
      stop.addEventListener('abort', finish, { once: true });
      function finish(): void {
        timer.cancel();
        stop.removeEventListener('abort', finish);
        resolve();
      }
    });
  }
}
