import { systemClock } from '#platform/clock.ts';
import { watchSignals } from '#platform/shutdown.ts';

/** Aborts with the first SIGINT, SIGTERM or SIGHUP; another one later ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  watchSignals({
    clock: systemClock,
    graceful: (signal) => controller.abort(signal),
    forced: () => process.exit(130),
  });
  return controller.signal;
}

/**
 * How a server is told to end: `drain` aborts with a first SIGTERM, `stop` with Ctrl-C, SIGHUP or any second signal,
 * and one more ends the process at once.
 */
export function stopSignals(): { readonly drain: AbortSignal; readonly stop: AbortSignal } {
  const drain = new AbortController();
  const stop = new AbortController();
  watchSignals({
    clock: systemClock,
    drain: (signal) => drain.abort(signal),
    graceful: (signal) => stop.abort(signal),
    forced: () => process.exit(130),
  });
  return { drain: drain.signal, stop: stop.signal };
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
