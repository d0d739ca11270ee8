import type { Turn } from '#domain/call.ts';

/** A time of the call (ms since the dial) as a time of its recording, which starts when the callee answers. */
export function recordingMs(callMs: number, answeredMs: number | null): number {
  return Math.max(0, callMs - (answeredMs ?? 0));
}

/**
 * The turn that is heard at a time of the recording: the last one that has begun, for as long as nothing else begins;
 * undefined before the first.
 */
export function turnAt(
  turns: readonly Pick<Turn, 'index' | 'startMs'>[],
  atMs: number,
  answeredMs: number | null,
): number | undefined {
  let found: { readonly index: number; readonly startMs: number } | undefined;
  for (const { index, startMs } of turns) {
    const begun = recordingMs(startMs, answeredMs) <= atMs;
    if (begun && (found === undefined || startMs >= found.startMs)) found = { index, startMs };
  }
  return found?.index;
}
