import type { Clock } from './clock.ts';

/** Copies of one signal: Ctrl-C reaches every process of the terminal, and a launcher passes its own on. */
const ONE_SIGNAL_MS = 1000;

/**
 * Calls `drain`, where there is one, on a first SIGTERM; `graceful` on a first SIGINT or SIGHUP or on whatever follows
 * the drain; and `forced` on the next after that. Copies of a signal do not count. Returns the end of watching.
 */
export function watchSignals(options: {
  readonly clock: Clock;
  readonly drain?: (signal: NodeJS.Signals) => void;
  readonly graceful: (signal: NodeJS.Signals) => void;
  readonly forced: () => void;
}): () => void {
  const { clock, drain, graceful, forced } = options;
  let phase: 'running' | 'draining' | 'stopping' = 'running';
  let lastMs = -Infinity;
  const listener = (signal: NodeJS.Signals) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs < ONE_SIGNAL_MS) return;
    lastMs = nowMs;
    if (phase === 'running' && signal === 'SIGTERM' && drain !== undefined) {
      phase = 'draining';
      drain(signal);
    } else if (phase !== 'stopping') {
      phase = 'stopping';
      graceful(signal);
    } else forced();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
