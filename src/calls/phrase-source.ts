import type { Clock, Timer } from '#platform/clock.ts';
import type { PhraseRequest } from './worker-protocol.ts';

/** Phrases kept per worker: 64 MiB are about two hours of G.711. */
const MAX_BYTES = 64 * 1024 * 1024;

/** How long a call waits for a phrase before it goes on without. */
const PHRASE_TIMEOUT_MS = 10_000;

/** A question to the main thread; `resolve` is gone once the time was up, a late answer is still kept. */
interface Question {
  readonly key: string;
  resolve: ((audio: Uint8Array | undefined) => void) | undefined;
  readonly timer: Timer;
}

/**
 * A worker's view of the phrase cache on the main thread: a byte-bounded LRU, one question in flight a phrase.
 * `undefined` means that no audio could be had; the text still goes out as real-time text.
 */
export class PhraseSource {
  readonly #clock: Clock;
  readonly #ask: (request: number, phrase: PhraseRequest) => void;
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Uint8Array>();
  readonly #inFlight = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #questions = new Map<number, Question>();
  readonly #toWarm: PhraseRequest[] = [];
  #warming = false;
  #bytes = 0;
  #nextRequest = 1;
  #closed = false;

  constructor(options: {
    readonly clock: Clock;
    readonly ask: (request: number, phrase: PhraseRequest) => void;
    readonly maxBytes?: number;
  }) {
    this.#clock = options.clock;
    this.#ask = options.ask;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
  }

  /** The phrase if it is here already: the path without waiting. */
  peek(phrase: PhraseRequest): Uint8Array | undefined {
    const key = keyOf(phrase);
    const audio = this.#kept.get(key);
    if (audio === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, audio);
    return audio;
  }

  /** The phrase, asked for once however many calls want it. */
  async get(phrase: PhraseRequest): Promise<Uint8Array | undefined> {
    const key = keyOf(phrase);
    const kept = this.peek(phrase);
    if (kept !== undefined) return kept;
    const pending = this.#inFlight.get(key);
    if (pending !== undefined) return pending;
    if (this.#closed) return undefined;
    const request = this.#nextRequest++;
    const asked = new Promise<Uint8Array | undefined>((resolve) => {
      const timer = this.#clock.setTimer(PHRASE_TIMEOUT_MS, () => this.#giveUp(request), { unref: true });
      this.#questions.set(request, { key, resolve, timer });
      this.#ask(request, phrase);
    });
    this.#inFlight.set(key, asked);
    return asked;
  }

  /** Fetches phrases for later, one after the other, so that what a call wants now never waits behind them. */
  warm(phrases: readonly PhraseRequest[]): void {
    this.#toWarm.push(...phrases);
    if (!this.#warming) void this.#warmAll();
  }

  /** The main thread's answer to `request`. */
  answer(request: number, audio: Uint8Array | undefined): void {
    const question = this.#questions.get(request);
    if (question === undefined) return;
    this.#questions.delete(request);
    question.timer.cancel();
    if (audio !== undefined) this.#keep(question.key, audio);
    this.#settle(question, audio);
  }

  /** Whoever waits goes on without; nothing is asked any more. */
  close(): void {
    this.#closed = true;
    this.#toWarm.length = 0;
    for (const request of this.#questions.keys()) this.answer(request, undefined);
  }

  #giveUp(request: number): void {
    const question = this.#questions.get(request);
    if (question !== undefined) this.#settle(question, undefined);
  }

  #settle(question: Question, audio: Uint8Array | undefined): void {
    if (question.resolve === undefined) return;
    this.#inFlight.delete(question.key);
    question.resolve(audio);
    question.resolve = undefined;
  }

  async #warmAll(): Promise<void> {
    this.#warming = true;
    for (let next = this.#toWarm.shift(); next !== undefined; next = this.#toWarm.shift()) await this.get(next);
    this.#warming = false;
  }

  #keep(key: string, audio: Uint8Array): void {
    this.#bytes += audio.byteLength - (this.#kept.get(key)?.byteLength ?? 0);
    this.#kept.delete(key);
    this.#kept.set(key, audio);
    for (const [oldest, bytes] of this.#kept) {
      if (this.#bytes <= this.#maxBytes || oldest === key) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.byteLength;
    }
  }
}

function keyOf(phrase: PhraseRequest): string {
  return `${phrase.codec}|${phrase.language}|${phrase.voice}|${phrase.audio ?? ''}|${phrase.text}`;
}
