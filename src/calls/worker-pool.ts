import { Worker } from 'node:worker_threads';
import type { AttemptId } from '#domain/ids.ts';
import type { Log } from '#platform/log.ts';
import { AppError } from '#platform/error.ts';
import type { FromWorker, PhraseRequest, ToWorker, WorkerLoad, WorkerSettings } from './worker-protocol.ts';

/** How long a worker may take to finish its recordings when it is asked to close. */
const CLOSE_TIMEOUT_MS = 5000;
/** A worker that dies is replaced after this, so that a fault at start does not spin. */
const RESTART_DELAY_MS = 500;
/** RTP and RTCP, for audio and for text. */
const PORTS_A_CALL = 4;
/** Scripts that a worker keeps compiled; beyond, the one that was sent first goes. */
const SCRIPTS_KEPT = 100;

/** What a worker says about one call. */
export type CallMessage = Exclude<FromWorker, { type: 'ready' | 'load' | 'phrase' | 'closed' }>;

/** Events of one call; `lost` means that its worker is gone and nothing more will come. */
export interface WorkerCallEvents {
  onMessage(message: CallMessage): void;
  onLost(): void;
}

/** A call's place on a worker. */
export interface Seat {
  post(message: ToWorker): void;
  /** Whether the worker has the script; else it is sent first. */
  knows(script: string): boolean;
  /** No more events; the worker is told nothing. */
  leave(): void;
}

/** One thread from its start to its end. */
interface Running {
  readonly index: number;
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  readonly calls: Map<AttemptId, WorkerCallEvents>;
  readonly scripts: Set<string>;
  isReady: boolean;
  load: (WorkerLoad & { readonly atMs: number }) | undefined;
}

export interface WorkerPoolOptions {
  readonly log: Log;
  readonly workers: number;
  /** Split into one disjoint range a worker. */
  readonly ports: { readonly first: number; readonly last: number };
  readonly settings: Omit<WorkerSettings, 'index' | 'ports'>;
  readonly phrase: (request: PhraseRequest) => Promise<Uint8Array | undefined>;
  /** The thread's program; another one is for tests. */
  readonly program?: URL;
}

/** The call workers: hands a new call to the one with the fewest, replaces one that dies. Closed by the call centre. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  /** By index; undefined while a dead one waits for its replacement. */
  readonly #running: (Running | undefined)[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  #fingerprints: unknown;
  #closed: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#fingerprints = options.settings.fingerprints;
    for (let index = 0; index < options.workers; index++) this.#running.push(this.#start(index));
  }

  /** Resolves when every worker has its media engine; rejects with the first that cannot start. */
  async ready(): Promise<void> {
    await Promise.all(this.#alive().map(({ ready }) => ready));
  }

  get calls(): number {
    return this.#alive().reduce((sum, running) => sum + running.calls.size, 0);
  }

  /** How many calls the media ports are enough for. */
  get capacity(): number {
    const { ports, workers } = this.#options;
    return Math.floor((ports.last - ports.first + 1) / workers / PORTS_A_CALL) * workers;
  }

  /** The latest report of every worker that has sent one, with its age. */
  get loads(): readonly (WorkerLoad & { readonly ageMs: number })[] {
    const nowMs = performance.now();
    return this.#alive().flatMap(({ load }) => (load === undefined ? [] : { ...load, ageMs: nowMs - load.atMs }));
  }

  /** Takes a seat for a call on the worker with the fewest calls; throws `unavailable` while none runs. */
  seat(call: AttemptId, events: WorkerCallEvents): Seat {
    const alive = this.#alive();
    const ready = alive.filter(({ isReady }) => isReady);
    const candidates = ready.length > 0 ? ready : alive;
    const first = candidates[0];
    if (first === undefined || this.#closed !== undefined) throw noWorkerNow();
    const running = candidates.reduce((best, each) => (each.calls.size < best.calls.size ? each : best), first);
    running.calls.set(call, events);
    return {
      post: (message) => {
        if (message.type === 'script') remember(running, message.key);
        running.worker.postMessage(message);
      },
      knows: (script) => running.scripts.has(script),
      leave: () => {
        if (running.calls.get(call) === events) running.calls.delete(call);
      },
    };
  }

  /** Announcements that calls opened from now on know, on every worker and on those that replace one. */
  teach(fingerprints: unknown): void {
    this.#fingerprints = fingerprints;
    for (const { worker } of this.#alive())
      worker.postMessage({ type: 'fingerprints', fingerprints } satisfies ToWorker);
  }

  /** Lets every worker finish its files, then ends it; calls that are still there are lost. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all(
      this.#alive().map(async ({ worker, exited }) => {
        worker.postMessage({ type: 'close' } satisfies ToWorker);
        const timer = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS);
        await exited;
        clearTimeout(timer);
      }),
    );
  }

  #alive(): Running[] {
    return this.#running.filter((running) => running !== undefined);
  }

  #start(index: number): Running {
    const { ports, settings, workers, program, log } = this.#options;
    const size = Math.floor((ports.last - ports.first + 1) / workers / PORTS_A_CALL) * PORTS_A_CALL;
    const first = ports.first + index * size;
    const workerData: WorkerSettings = {
      ...settings,
      fingerprints: this.#fingerprints,
      index,
      ports: { first, last: first + size - 1 },
    };
    const worker = new Worker(program ?? new URL('./worker.ts', import.meta.url), {
      workerData,
      name: `calls-${index}`,
    });
    const ready = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined);
    const calls = new Map<AttemptId, WorkerCallEvents>();
    const scripts = new Set<string>();
    const running: Running = {
      index,
      worker,
      ready: ready.promise,
      exited: exited.promise,
      calls,
      scripts,
      isReady: false,
      load: undefined,
    };
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') {
        running.isReady = true;
        ready.resolve();
      } else this.#receive(running, message);
    });
    worker.on('error', (error) => {
      log.error({ worker: index, err: error }, 'call worker failed');
      ready.reject(error);
    });
    worker.once('exit', () => {
      ready.reject(workerGone());
      this.#onExit(running);
      exited.resolve();
    });
    return running;
  }

  #onExit(running: Running): void {
    const { index, calls } = running;
    if (this.#running[index] === running) this.#running[index] = undefined;
    const lost = [...calls.values()];
    calls.clear();
    for (const call of lost) call.onLost();
    if (this.#closed !== undefined) return;
    this.#options.log.warn({ worker: index, calls: lost.length }, 'call worker ended, starting another');
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#running[index] = this.#start(index);
    }, RESTART_DELAY_MS);
    timer.unref();
    this.#restarts.add(timer);
  }

  #receive(running: Running, message: Exclude<FromWorker, { type: 'ready' }>): void {
    switch (message.type) {
      case 'closed':
        return;
      case 'load':
        running.load = { ...message.load, atMs: performance.now() };
        return;
      case 'phrase': {
        const { worker } = running;
        const { request } = message;
        void this.#options.phrase(message.phrase).then(
          (audio) => worker.postMessage({ type: 'phrase', request, audio } satisfies ToWorker),
          (error: unknown) => {
            this.#options.log.warn({ err: error }, 'phrase could not be made');
            worker.postMessage({ type: 'phrase', request, audio: undefined } satisfies ToWorker);
          },
        );
        return;
      }
      default:
        running.calls.get(message.call)?.onMessage(message);
    }
  }
}

/** Notes that a worker gets a script, and lets it forget its oldest one beyond the limit. */
function remember({ scripts, worker }: Running, key: string): void {
  scripts.add(key);
  const [oldest] = scripts;
  if (scripts.size <= SCRIPTS_KEPT || oldest === undefined) return;
  scripts.delete(oldest);
  worker.postMessage({ type: 'forget-script', key: oldest } satisfies ToWorker);
}

function workerGone(): AppError {
  return new AppError('unavailable', {
    zh: '通话线程启动失败，请查看日志后重新启动。',
    en: 'A call worker did not start; see the log, then start again.',
  });
}

function noWorkerNow(): AppError {
  return new AppError(
    'unavailable',
    { zh: '通话线程正在重启或已关闭，请稍后再试。', en: 'No call worker runs at the moment; try again later.' },
    { retryable: true },
  );
}
