import { createHash } from 'node:crypto';
import type { Language } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';
import type { Log } from '#platform/log.ts';
import { encodeG711, type G711Codec } from '../g711.ts';
import { PhraseStore } from './phrase-store.ts';
import type { Synthesizer } from './synthesizer.ts';

const MEMORY_BYTES = 64 * 1024 * 1024;
const DISK_BYTES = 2 * 1024 * 1024 * 1024;
/** Texts under way at once while warming: one is spoken while the next is read from disk, and live texts wait little. */
const WARM_CONCURRENCY = 2;
const CODECS: readonly G711Codec[] = ['PCMA', 'PCMU'];

/** Who speaks a phrase and for which line. */
export interface PhraseOptions {
  readonly voice: string;
  readonly language: Language;
  readonly codec: G711Codec;
}

/** Where phrases came from since the start; `hitRatio` is the share that needed no synthesis. */
export interface PhraseStats {
  readonly memoryHits: number;
  readonly diskHits: number;
  readonly synthesised: number;
  readonly failed: number;
  readonly hitRatio: number;
  readonly memoryBytes: number;
  readonly phrases: number;
}

/**
 * Every phrase as ready-to-send G.711: in memory (least recently used goes first), then on disk, else synthesised once
 * however many ask. A failing disk costs synthesis, never a phrase.
 */
export class PhraseCache {
  readonly #synthesizer: Synthesizer;
  readonly #store: PhraseStore | undefined;
  readonly #log: Log;
  readonly #maxBytes: number;
  readonly #memory = new Map<string, Uint8Array>();
  readonly #pending = new Map<string, Promise<Uint8Array>>();
  readonly #closing = new AbortController();
  readonly #writes = new Set<Promise<unknown>>();
  #bytes = 0;
  #memoryHits = 0;
  #diskHits = 0;
  #synthesised = 0;
  #failed = 0;

  constructor(options: {
    readonly synthesizer: Synthesizer;
    readonly log: Log;
    /** None: phrases live in memory only. */
    readonly directory?: string;
    readonly memoryBytes?: number;
    readonly diskBytes?: number;
  }) {
    this.#synthesizer = options.synthesizer;
    this.#log = options.log;
    this.#maxBytes = options.memoryBytes ?? MEMORY_BYTES;
    if (options.directory === undefined) return;
    this.#store = new PhraseStore(options.directory, options.diskBytes ?? DISK_BYTES);
    this.#store.prune().catch(() => this.#log.warn({}, 'phrase directory could not be pruned'));
  }

  /** @throws what `Synthesizer.synthesize` throws */
  async get(text: string, options: PhraseOptions): Promise<Uint8Array> {
    const key = this.#key(text, options);
    const name = `${key}.${options.codec.toLowerCase()}`;
    const known = this.#memory.get(name);
    if (known !== undefined) {
      this.#memory.delete(name);
      this.#memory.set(name, known);
      this.#memoryHits += 1;
      return known;
    }
    const pending = this.#pending.get(name);
    if (pending !== undefined) {
      this.#memoryHits += 1;
      return pending;
    }
    const work = this.#fetch(text, options, key, name);
    this.#pending.set(name, work);
    try {
      return await work;
    } finally {
      this.#pending.delete(name);
    }
  }

  /** Prepares many phrases; a phrase that fails is counted and left to be spoken when it is needed. */
  async warm(
    texts: readonly string[],
    options: PhraseOptions,
    onProgress?: (progress: { readonly done: number; readonly total: number }) => void,
  ): Promise<{ readonly failed: number }> {
    const unique = [...new Set(texts)];
    const work = unique.values();
    let done = 0;
    let failed = 0;
    const run = async (): Promise<void> => {
      for (const text of work) {
        try {
          await this.get(text, options);
        } catch (cause) {
          if (cause instanceof AppError && (cause.code === 'aborted' || cause.code === 'invalid-input')) throw cause;
          failed += 1;
        }
        done += 1;
        onProgress?.({ done, total: unique.length });
      }
    };
    await Promise.all(Array.from({ length: WARM_CONCURRENCY }, run));
    return { failed };
  }

  stats(): PhraseStats {
    const hits = this.#memoryHits + this.#diskHits;
    const asked = hits + this.#synthesised + this.#failed;
    return {
      memoryHits: this.#memoryHits,
      diskHits: this.#diskHits,
      synthesised: this.#synthesised,
      failed: this.#failed,
      hitRatio: asked === 0 ? 1 : hits / asked,
      memoryBytes: this.#bytes,
      phrases: this.#memory.size,
    };
  }

  /** Fails what is under way and ends when all is on disk; the synthesizer is its owner's to close. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#memory.clear();
    this.#bytes = 0;
    await Promise.all(this.#writes);
  }

  #key(text: string, { voice, language }: PhraseOptions): string {
    const parts = [this.#synthesizer.engine, voice, language, text];
    return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 40);
  }

  async #fetch(text: string, options: PhraseOptions, key: string, name: string): Promise<Uint8Array> {
    const stored = await this.#read(name);
    if (stored !== undefined) {
      this.#diskHits += 1;
      this.#keep(name, stored);
      return stored;
    }
    let pcm: Int16Array;
    try {
      const { voice, language } = options;
      pcm = await this.#synthesizer.synthesize(text, { voice, language, signal: this.#closing.signal });
    } catch (cause) {
      this.#failed += 1;
      throw cause;
    }
    this.#synthesised += 1;
    const audio = encodeG711(options.codec, pcm);
    this.#keep(name, audio);
    this.#persist(key, options.codec, audio, pcm);
    return audio;
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#store?.read(name);
    } catch {
      this.#log.warn({}, 'cached phrase could not be read');
      return undefined;
    }
  }

  /** Writes behind the caller's back: a phrase is ready when it is synthesised, not when the disk has it. */
  #persist(key: string, codec: G711Codec, audio: Uint8Array, pcm: Int16Array): void {
    const store = this.#store;
    if (store === undefined) return;
    const write = Promise.all(
      CODECS.map((variant) =>
        store.write(`${key}.${variant.toLowerCase()}`, variant === codec ? audio : encodeG711(variant, pcm)),
      ),
    )
      .catch(() => this.#log.warn({}, 'phrase could not be written to disk'))
      .finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  #keep(name: string, audio: Uint8Array): void {
    if (this.#closing.signal.aborted || audio.length > this.#maxBytes) return;
    const before = this.#memory.get(name);
    if (before !== undefined) this.#bytes -= before.length;
    this.#memory.delete(name);
    this.#memory.set(name, audio);
    this.#bytes += audio.length;
    for (const [oldest, bytes] of this.#memory) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#memory.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}
