import type { Clock } from './clock.ts';

/** Copies of one signal: Ctrl-C reaches every process of the terminal, and a launcher passes its own on. */
const ONE_SIGNAL_MS = 1000;

/**
 * Calls `graceful` on the first SIGINT, SIGTERM or SIGHUP and `forced` on the next that is not a copy of it. Returns
 * the end of watching.
 */
export function watchSignals(options: {
  readonly clock: Clock;
  readonly graceful: (signal: NodeJS.Signals) => void;
  readonly forced: () => void;
}): () => void {
  const { clock, graceful, forced } = options;
  let firstMs: number | undefined;
  const listener = (signal: NodeJS.Signals) => {
    const nowMs = clock.monotonicMs();
    if (firstMs === undefined) {
      firstMs = nowMs;
      graceful(signal);
    } else if (nowMs - firstMs >= ONE_SIGNAL_MS) forced();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
