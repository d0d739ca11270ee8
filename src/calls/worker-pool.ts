import { Worker } from 'node:worker_threads';
import type { AttemptId } from '#domain/ids.ts';
import type { Log } from '#platform/log.ts';
import { AppError } from '#platform/error.ts';
import type { FromWorker, PhraseRequest, ToWorker, WorkerSettings } from './worker-protocol.ts';

/** How long a worker may take to finish its recordings when it is asked to close. */
const CLOSE_TIMEOUT_MS = 5000;
/** A worker that dies is replaced after this, so that a fault at start does not spin. */
const RESTART_DELAY_MS = 500;

/** Events of one call; `lost` means that its worker is gone and nothing more will come. */
export interface WorkerCallEvents {
  onMessage(message: Exclude<FromWorker, { type: 'ready' | 'phrase' | 'closed' }>): void;
  onLost(): void;
}

interface Seat {
  readonly index: number;
  worker: Worker;
  ready: Promise<void>;
  readonly calls: Map<AttemptId, WorkerCallEvents>;
  readonly scripts: Set<string>;
}

export interface WorkerPoolOptions {
  readonly log: Log;
  readonly workers: number;
  /** Split into one disjoint range a worker. */
  readonly ports: { readonly first: number; readonly last: number };
  readonly settings: Omit<WorkerSettings, 'index' | 'ports'>;
  readonly phrase: (request: PhraseRequest) => Promise<Uint8Array | undefined>;
}

/** The call workers: hands a new call to the one with the fewest, replaces one that dies. Closed by the call centre. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #seats: Seat[] = [];
  #closing = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    for (let index = 0; index < options.workers; index++) {
      const seat: Seat = { index, calls: new Map(), scripts: new Set(), ...this.#start(index) };
      this.#watch(seat);
      this.#seats.push(seat);
    }
  }

  /** Resolves when every worker has its media engine; rejects with the first that cannot start. */
  async ready(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.ready));
  }

  get calls(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.calls.size, 0);
  }

  /** Takes a seat for a call. The returned `post` sends to its worker, `leave` frees the seat. */
  seat(
    call: AttemptId,
    events: WorkerCallEvents,
  ): { readonly post: (message: ToWorker) => void; readonly leave: () => void; knows(script: string): boolean } {
    const seat = this.#seats.reduce((best, each) => (each.calls.size < best.calls.size ? each : best));
    seat.calls.set(call, events);
    return {
      post: (message) => {
        if (message.type === 'script') seat.scripts.add(message.key);
        seat.worker.postMessage(message);
      },
      leave: () => seat.calls.delete(call),
      knows: (script) => seat.scripts.has(script),
    };
  }

  /** Lets every worker finish its files, then ends it. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      this.#seats.map(async (seat) => {
        const gone = new Promise<void>((resolve) => {
          seat.worker.once('exit', () => resolve());
        });
        seat.worker.postMessage({ type: 'close' } satisfies ToWorker);
        const timer = setTimeout(() => void seat.worker.terminate(), CLOSE_TIMEOUT_MS);
        await gone;
        clearTimeout(timer);
      }),
    );
  }

  #start(index: number): { worker: Worker; ready: Promise<void> } {
    const { ports, settings, workers } = this.#options;
    const size = Math.floor((ports.last - ports.first + 1) / workers / 4) * 4;
    const first = ports.first + index * size;
    const workerData: WorkerSettings = { ...settings, index, ports: { first, last: first + size - 1 } };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: `calls-${index}` });
    const ready = new Promise<void>((resolve, reject) => {
      const onMessage = (message: FromWorker): void => {
        if (message.type !== 'ready') return;
        worker.off('message', onMessage);
        resolve();
      };
      worker.on('message', onMessage);
      worker.once('error', reject);
      worker.once('exit', () => reject(workerGone()));
    });
    ready.catch(() => undefined);
    return { worker, ready };
  }

  #watch(seat: Seat): void {
    const { worker } = seat;
    worker.on('message', (message: FromWorker) => this.#receive(seat, message));
    worker.on('error', (error) => this.#options.log.error({ worker: seat.index, err: error }, 'call worker failed'));
    worker.once('exit', () => {
      const calls = [...seat.calls.values()];
      seat.calls.clear();
      seat.scripts.clear();
      for (const call of calls) call.onLost();
      if (this.#closing) return;
      this.#options.log.warn({ worker: seat.index, calls: calls.length }, 'call worker ended, starting another');
      setTimeout(() => {
        if (this.#closing) return;
        Object.assign(seat, this.#start(seat.index));
        this.#watch(seat);
      }, RESTART_DELAY_MS).unref();
    });
  }

  #receive(seat: Seat, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
      case 'closed':
        return;
      case 'phrase': {
        const { worker } = seat;
        void this.#options.phrase(message.phrase).then(
          (audio) => worker.postMessage({ type: 'phrase', request: message.request, audio } satisfies ToWorker),
          (error: unknown) => {
            this.#options.log.warn({ err: error }, 'phrase could not be made');
            worker.postMessage({ type: 'phrase', request: message.request, audio: undefined } satisfies ToWorker);
          },
        );
        return;
      }
      default:
        seat.calls.get(message.call)?.onMessage(message);
    }
  }
}

function workerGone(): AppError {
  return new AppError('unavailable', {
    zh: '通话线程启动失败，请查看日志后重新启动。',
    en: 'A call worker did not start; see the log, then start again.',
  });
}
