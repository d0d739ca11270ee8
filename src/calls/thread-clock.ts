import type { Clock } from '#platform/clock.ts';

/** Milliseconds of the process-wide monotonic clock; `performance.now()` has another origin in every thread. */
export function processMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What to add to `clock.monotonicMs()` of this thread to get `processMs()`. */
export function threadOffsetMs(clock: Clock): number {
  return processMs() - clock.monotonicMs();
}
