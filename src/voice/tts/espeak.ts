import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock, type Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import type { EspeakReply, EspeakRequest } from './espeak-protocol.ts';
import { spokenText } from './spoken-text.ts';
import type { SynthesisOptions, Synthesizer } from './synthesizer.ts';
import { espeakVoice, type EspeakVoice } from './voices.ts';

/** Longest time for one text, engine start included; a minute of speech takes about a second. */
const REQUEST_TIMEOUT_MS = 20_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
/** A text that was under way in this many crashes is refused instead of tried again. */
const CRASHES_PER_TEXT = 2;
/** An engine that cannot even start this many times in a row fails all that waits. */
const FAILED_STARTS = 2;

interface Job {
  readonly text: string;
  readonly voice: EspeakVoice;
  readonly resolve: (pcm: Int16Array) => void;
  readonly reject: (reason: AppError) => void;
  crashes: number;
  settled: boolean;
}

function aborted(): AppError {
  return new AppError('aborted', { zh: '语音合成已取消', en: 'Speech synthesis was cancelled' });
}

/**
 * The always-there voice: espeak-ng in a process of its own, one text at a time. The process starts with the first text,
 * starts again with growing delays after a crash, and ends with `close` or with this process.
 */
export class EspeakSynthesizer implements Synthesizer {
  readonly engine = 'espeak-ng-0.3.5-1';
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #requestTimeoutMs: number;
  readonly #hostFile: string;
  #child: ChildProcess | undefined;
  #ready = false;
  #failedStarts = 0;
  #closed = false;
  #nextId = 1;
  #backoffMs = 0;
  #restart: Timer | undefined;
  #deadline: Timer | undefined;
  #current: { readonly id: number; readonly job: Job } | undefined;
  readonly #waiting: Job[] = [];

  constructor(options: {
    readonly log: Log;
    readonly clock?: Clock;
    readonly requestTimeoutMs?: number;
    /** Another program that speaks `espeak-protocol.ts`. */
    readonly hostFile?: string;
  }) {
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#hostFile = options.hostFile ?? fileURLToPath(new URL('./espeak-host.ts', import.meta.url));
  }

  /** Process id of the engine while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async synthesize(text: string, options: SynthesisOptions): Promise<Int16Array> {
    const voice = espeakVoice(options.voice, options.language);
    const { signal } = options;
    if (this.#closed || signal?.aborted === true) throw aborted();
    const spoken = spokenText(text, options.language);
    if (!/[\p{L}\p{N}]/u.test(spoken)) return new Int16Array(0);
    const { promise, resolve, reject } = Promise.withResolvers<Int16Array>();
    const job: Job = { text: spoken, voice, resolve, reject, crashes: 0, settled: false };
    const onAbort = (): void => {
      const index = this.#waiting.indexOf(job);
      if (index >= 0) this.#waiting.splice(index, 1);
      this.#settle(job, aborted());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(job);
    this.#pump();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#restart?.cancel();
    this.#deadline?.cancel();
    const jobs = this.#current === undefined ? this.#waiting : [this.#current.job, ...this.#waiting];
    for (const job of jobs) this.#settle(job, aborted());
    this.#waiting.length = 0;
    this.#current = undefined;
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.removeAllListeners();
    child.on('error', () => undefined);
    child.kill('SIGKILL');
  }

  #settle(job: Job, result: Int16Array | AppError): void {
    if (job.settled) return;
    job.settled = true;
    if (result instanceof AppError) job.reject(result);
    else job.resolve(result);
  }

  /** Sends the next text when the engine is free; starts the engine when there is none. */
  #pump(): void {
    if (this.#closed || this.#current !== undefined) return;
    if (this.#waiting.length === 0) {
      this.#hold(false);
      return;
    }
    if (this.#child === undefined) {
      if (this.#restart === undefined) this.#start();
      return;
    }
    if (!this.#ready) return;
    this.#hold(true);
    const job = this.#waiting.shift()!;
    const request: EspeakRequest = { id: this.#nextId++, text: job.text, voice: job.voice };
    this.#current = { id: request.id, job };
    this.#arm();
    this.#child.send(request, (cause) => {
      if (cause !== null) this.#log.warn({}, 'speech engine did not take a text');
    });
  }

  #arm(): void {
    this.#deadline?.cancel();
    this.#deadline = this.#clock.setTimer(this.#requestTimeoutMs, () => this.#onTimeout(), { unref: true });
  }

  #start(): void {
    this.#ready = false;
    const child = fork(this.#hostFile, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child = child;
    this.#arm();
    child.on('message', (message) => {
      if (this.#child === child) this.#onReply(message as EspeakReply);
    });
    child.on('error', () => this.#onEnd(child, null));
    child.on('exit', (code) => this.#onEnd(child, code));
    this.#hold(true);
  }

  /** A text under way keeps this process alive, an idle engine does not. */
  #hold(busy: boolean): void {
    const child = this.#child;
    if (child === undefined) return;
    if (busy) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  }

  #onReply(message: EspeakReply): void {
    if (message.type === 'ready') {
      this.#ready = true;
      this.#failedStarts = 0;
      this.#deadline?.cancel();
      this.#pump();
      return;
    }
    const current = this.#current;
    if (current === undefined || current.id !== message.id) return;
    this.#current = undefined;
    this.#deadline?.cancel();
    this.#backoffMs = 0;
    if (message.type === 'speech') this.#settle(current.job, message.pcm);
    else this.#settle(current.job, this.#unavailable(message.detail));
    this.#pump();
  }

  #unavailable(cause: string): AppError {
    const text = { zh: '语音合成失败', en: 'Speech synthesis failed' };
    return new AppError('unavailable', text, { retryable: true, cause });
  }

  #onTimeout(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined)
      this.#settle(
        current.job,
        new AppError('timeout', { zh: '语音合成超时', en: 'Speech synthesis timed out' }, { retryable: true }),
      );
    this.#log.warn({ timeoutMs: this.#requestTimeoutMs }, 'speech engine does not answer, ending it');
    this.#child?.kill('SIGKILL');
  }

  /** The engine is gone: the text under way is tried once more, the engine starts again after a delay. */
  #onEnd(child: ChildProcess, exitCode: number | null): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (!this.#ready) this.#failedStarts += 1;
    this.#ready = false;
    this.#deadline?.cancel();
    const job = this.#current?.job;
    this.#current = undefined;
    if (job !== undefined && !job.settled) {
      job.crashes += 1;
      if (job.crashes >= CRASHES_PER_TEXT) this.#settle(job, this.#unavailable('engine ended'));
      else this.#waiting.unshift(job);
    }
    if (this.#failedStarts >= FAILED_STARTS)
      for (const waiting of this.#waiting.splice(0)) this.#settle(waiting, this.#unavailable('engine does not start'));
    this.#backoffMs = Math.min(LONGEST_BACKOFF_MS, Math.max(FIRST_BACKOFF_MS, this.#backoffMs * 2));
    this.#log.warn({ exitCode, backoffMs: this.#backoffMs }, 'speech engine ended');
    if (this.#waiting.length === 0 && this.#backoffMs === FIRST_BACKOFF_MS) return;
    this.#restart = this.#clock.setTimer(
      this.#backoffMs,
      () => {
        this.#restart = undefined;
        this.#pump();
      },
      { unref: this.#waiting.length === 0 },
    );
  }
}
