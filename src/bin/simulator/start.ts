import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError } from '#platform/error.ts';
import type { FromSimulator, SimulatorSettings } from './protocol.ts';

/** A running simulator; its owner closes it. */
export interface Simulator {
  readonly address: { readonly address: string; readonly port: number };
  readonly pid: number;
  close(): Promise<void>;
}

/** Longest start: synthesising every line of the sample on a slow machine. */
const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 5000;

/**
 * Starts the simulated carrier as a child process and waits until it answers SIP; throws what it says is wrong, and
 * `aborted` when `signal` does meanwhile.
 */
export async function startSimulator(
  settings: SimulatorSettings,
  options: { readonly onWarming?: (done: number, total: number) => void; readonly signal?: AbortSignal } = {},
): Promise<Simulator> {
  const { onWarming, signal } = options;
  const child = fork(fileURLToPath(new URL('./process.ts', import.meta.url)), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const close = async (): Promise<void> => {
    if (child.connected) child.send('stop');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  };
  const ready = Promise.withResolvers<{ readonly address: string; readonly port: number }>();
  const timer = setTimeout(() => ready.reject(notStarted()), START_TIMEOUT_MS);
  child.on('message', (message: FromSimulator) => {
    if (message.type === 'warming') onWarming?.(message.done, message.total);
    else if (message.type === 'ready') ready.resolve(message.address);
    else ready.reject(new AppError('unavailable', message.text));
  });
  child.once('error', (cause) => ready.reject(notStarted(cause)));
  void exited.then(() => ready.reject(notStarted()));
  const onAbort = (): void =>
    ready.reject(new AppError('aborted', { zh: '启动被中断。', en: 'The start was interrupted.' }));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    const address = await ready.promise;
    return { address, pid: child.pid ?? 0, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function notStarted(cause?: unknown): AppError {
  return new AppError(
    'unavailable',
    { zh: '模拟运营商没有启动，请查看上面的日志。', en: 'The simulated carrier did not start; see the log above.' },
    { cause },
  );
}
