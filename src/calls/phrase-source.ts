import type { PhraseRequest } from './worker-protocol.ts';

/** Phrases kept per worker: 64 MiB are about two hours of G.711. */
const MAX_BYTES = 64 * 1024 * 1024;

/** How long a call waits for a phrase before it goes on without. */
const PHRASE_TIMEOUT_MS = 10_000;

type Ask = (request: number, phrase: PhraseRequest) => void;

interface Waiting {
  readonly resolve: (audio: Uint8Array | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A worker's view of the phrase cache on the main thread: a byte-bounded LRU, one question in flight a phrase.
 * `undefined` means that no audio could be had; the text still goes out as real-time text.
 */
export class PhraseSource {
  readonly #ask: Ask;
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Uint8Array>();
  readonly #inFlight = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #waiting = new Map<number, Waiting>();
  #bytes = 0;
  #nextRequest = 1;

  constructor(ask: Ask, maxBytes = MAX_BYTES) {
    this.#ask = ask;
    this.#maxBytes = maxBytes;
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
    const request = this.#nextRequest++;
    const asked = new Promise<Uint8Array | undefined>((resolve) => {
      const timer = setTimeout(() => this.answer(request, undefined), PHRASE_TIMEOUT_MS);
      timer.unref();
      this.#waiting.set(request, { resolve, timer });
      this.#ask(request, phrase);
    }).then((audio) => {
      this.#inFlight.delete(key);
      if (audio !== undefined) this.#keep(key, audio);
      return audio;
    });
    this.#inFlight.set(key, asked);
    return asked;
  }

  /** The main thread's answer to `request`. */
  answer(request: number, audio: Uint8Array | undefined): void {
    const waiting = this.#waiting.get(request);
    if (waiting === undefined) return;
    this.#waiting.delete(request);
    clearTimeout(waiting.timer);
    waiting.resolve(audio);
  }

  close(): void {
    for (const request of this.#waiting.keys()) this.answer(request, undefined);
  }

  #keep(key: string, audio: Uint8Array): void {
    this.#kept.set(key, audio);
    this.#bytes += audio.byteLength;
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
