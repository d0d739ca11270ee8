import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Recording } from '#domain/call.ts';
import type { Log } from '#platform/log.ts';
import { FRAME_SAMPLES, linearTable, silenceOctet, transcode } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav-header.ts';

const FRAME_MS = 20;
const FRAME_BYTES = FRAME_SAMPLES * 2;
/** Two seconds of both sides: each write wakes another thread, which costs more than the octets. */
const CHUNK_BYTES = 32_000;
/** So many may wait for the disk; beyond, silence takes their place. */
const MAX_QUEUED_CHUNKS = 8;
const FRAMES_PER_PEAK = 2;
/** Of 20 s; longer calls make room. */
const FIRST_PEAKS = 512;
/** With these bits of an octet turned round its low seven bits rise with the level (ITU-T G.711). */
const MAGNITUDE_BITS = { PCMA: 0x55, PCMU: 0xff } as const;
/** The low seven bits of each of four octets, and their signs. */
const LEVEL_BITS = 0x7f7f7f7f;
const SIGN_BITS = 0x80808080 | 0;
const PART_SUFFIX = '.part';

/** Memory of one write, as octets and as words of four: callee, platform, callee, platform, the first one lowest. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** The frames at hand, read four octets at a time, and the highest levels of the last two, side by side. */
const calleeFrame = new Uint8Array(FRAME_SAMPLES);
const calleeWords = new Int32Array(calleeFrame.buffer);
const platformFrame = new Uint8Array(FRAME_SAMPLES);
const platformWords = new Int32Array(platformFrame.buffer);
const highest = new Int32Array(2);

/** Spare chunks of this thread: recording allocates nothing while calls run. */
const spareChunks: Chunk[] = [];
const FRAMES_A_CHUNK = CHUNK_BYTES / FRAME_BYTES;
/** Has no divisor in common with a chunk's frames, so that all their numbers have their turn. */
const NEXT_TURN = 37;
let turn = 0;

/** Levels of a recording so far, an octet each. */
class Peaks {
  #octets = new Uint8Array(FIRST_PEAKS);
  #count = 0;

  push(level: number): void {
    if (this.#count === this.#octets.length) {
      const more = new Uint8Array(2 * this.#count);
      more.set(this.#octets);
      this.#octets = more;
    }
    this.#octets[this.#count++] = level;
  }

  all(): number[] {
    return Array.from(this.#octets.subarray(0, this.#count));
  }
}

/** Begins a recording; the file and its folders are made on the way, and `close` tells when that failed. */
export function openRecorder(options: {
  readonly directory: string;
  /** Below the directory, with `/`; the `Recording` repeats it. */
  readonly path: string;
  readonly codec: G711Codec;
  readonly log: Log;
}): Recorder {
  return new Recorder(options);
}

/**
 * Writes one call's stereo WAV: callee left, platform right, 8 kHz, the octets of the leg's frames. It grows as `<path>.part`
 * and gets its name when it is whole and on the disk.
 */
export class Recorder {
  readonly #fullPath: string;
  readonly #path: string;
  readonly #codec: G711Codec;
  #wireCodec: G711Codec;
  readonly #log: Log;
  readonly #magnitude: Uint8Array;
  readonly #calleePeaks = new Peaks();
  readonly #platformPeaks = new Peaks();
  #file: FileHandle | undefined;
  #chunk: Chunk;
  #chunkFill = 0;
  #chunkEnd = firstChunkBytes();
  /** Data octets handed to the queue. */
  #queuedBytes = 0;
  #queue: { readonly chunk: Chunk; readonly length: number; readonly at: number }[] = [];
  #holes: { readonly length: number; readonly at: number }[] = [];
  #writing: Promise<void> | undefined;
  #failure: unknown;
  #frames = 0;
  #startMs: number | undefined;
  #calleePeak = 0;
  #platformPeak = 0;
  #finished: Promise<Recording> | undefined;
  #ended = false;

  constructor(options: {
    readonly directory: string;
    readonly path: string;
    readonly codec: G711Codec;
    readonly log: Log;
  }) {
    this.#fullPath = join(options.directory, options.path);
    this.#path = options.path;
    this.#codec = options.codec;
    this.#wireCodec = options.codec;
    this.#log = options.log;
    this.#magnitude = magnitudes(options.codec);
    this.#chunk = takeChunk();
    this.#writing = this.#create();
  }

  /** Milliseconds recorded so far. */
  get durationMs(): number {
    return this.#frames * FRAME_MS;
  }

  /** The wire changes its codec in mid-call: the file keeps its own and frames are turned into it. */
  renegotiated(codec: G711Codec): void {
    this.#wireCodec = codec;
  }

  /** Appends 20 ms of both sides, 160 octets each; with the tick's `atMs`, frames that it gave up become silence. */
  push(callee: Uint8Array, platform: Uint8Array, atMs?: number): void {
    if (this.#ended) return;
    if (atMs !== undefined) this.#catchUp(atMs);
    if (this.#wireCodec !== this.#codec) {
      callee = this.#transcoded(callee);
      platform = this.#transcoded(platform);
    }
    calleeFrame.set(callee);
    platformFrame.set(platform);
    const flip = MAGNITUDE_BITS[this.#codec];
    interleave(this.#chunk.words, this.#chunkFill >> 2, Math.imul(flip, 0x01010101));
    this.#calleePeak = Math.max(this.#calleePeak, this.#magnitude[highestOctet(highest[0]!) ^ flip]!);
    this.#platformPeak = Math.max(this.#platformPeak, this.#magnitude[highestOctet(highest[1]!) ^ flip]!);
    this.#advance();
  }

  /** Writes what is left and the header, puts it on the disk and gives the file its name; idempotent. */
  close(): Promise<Recording> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  /** Throws the recording away, unless it has been closed. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    giveChunk(this.#chunk);
    await this.#drain().catch(() => undefined);
    await this.#file?.close();
    await rm(this.#fullPath + PART_SUFFIX, { force: true });
  }

  async #finish(): Promise<Recording> {
    if (this.#ended) throw new Error('recording was aborted');
    this.#ended = true;
    if (this.#chunkFill > 0) this.#enqueue();
    else giveChunk(this.#chunk);
    if (this.#frames % FRAMES_PER_PEAK !== 0) this.#pushPeaks();
    try {
      const file = await this.#drain();
      await this.#fillHoles(file);
      await writeAll(file, wavHeader(this.#codec, 2, this.#queuedBytes), 0);
      await file.sync();
    } finally {
      await this.#file?.close();
    }
    await rename(this.#fullPath + PART_SUFFIX, this.#fullPath);
    await syncDirectory(dirname(this.#fullPath));
    return {
      path: this.#path,
      durationMs: this.durationMs,
      bytes: WAV_HEADER_BYTES + this.#queuedBytes,
      peaks: {
        perSecond: 1000 / (FRAME_MS * FRAMES_PER_PEAK),
        callee: this.#calleePeaks.all(),
        platform: this.#platformPeaks.all(),
      },
    };
  }

  #transcoded(frame: Uint8Array): Uint8Array {
    const copy = frame.slice();
    transcode(this.#wireCodec, this.#codec, copy);
    return copy;
  }

  #catchUp(atMs: number): void {
    this.#startMs ??= atMs - this.durationMs;
    const due = Math.round((atMs - this.#startMs) / FRAME_MS);
    const silence = silenceOctet(this.#codec);
    while (this.#frames < due) this.#appendSilence(silence);
  }

  #appendSilence(octet: number): void {
    this.#chunk.bytes.fill(octet, this.#chunkFill, this.#chunkFill + FRAME_BYTES);
    this.#advance();
  }

  #advance(): void {
    this.#chunkFill += FRAME_BYTES;
    this.#frames++;
    if (this.#frames % FRAMES_PER_PEAK === 0) this.#pushPeaks();
    if (this.#chunkFill < this.#chunkEnd) return;
    this.#enqueue();
    this.#chunk = takeChunk();
    this.#chunkEnd = CHUNK_BYTES;
  }

  #pushPeaks(): void {
    this.#calleePeaks.push(this.#calleePeak);
    this.#platformPeaks.push(this.#platformPeak);
    this.#calleePeak = this.#platformPeak = 0;
  }

  #enqueue(): void {
    const at = WAV_HEADER_BYTES + this.#queuedBytes;
    const length = this.#chunkFill;
    this.#queuedBytes += length;
    this.#chunkFill = 0;
    if (this.#queue.length >= MAX_QUEUED_CHUNKS || this.#failure !== undefined) {
      if (this.#holes.length === 0) this.#log.warn({}, 'recording falls behind the disk');
      this.#holes.push({ length, at });
      giveChunk(this.#chunk);
      return;
    }
    this.#queue.push({ chunk: this.#chunk, length, at });
    this.#writing ??= this.#writeQueue();
  }

  async #create(): Promise<void> {
    try {
      await mkdir(dirname(this.#fullPath), { recursive: true });
      this.#file = await open(this.#fullPath + PART_SUFFIX, 'w', 0o600);
    } catch (error) {
      this.#fail(error);
    }
    await this.#writeQueue();
  }

  async #writeQueue(): Promise<void> {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      try {
        if (this.#file !== undefined) await writeAll(this.#file, next.chunk.bytes.subarray(0, next.length), next.at);
      } catch (error) {
        this.#fail(error);
      }
      this.#queue.shift();
      giveChunk(next.chunk);
    }
    this.#writing = undefined;
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) this.#log.error({ err: error }, 'recording cannot be written');
    this.#failure ??= error;
  }

  /** Rejects with the first error of the file system. */
  async #drain(): Promise<FileHandle> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#file === undefined || this.#failure !== undefined)
      throw new Error('recording cannot be written', { cause: this.#failure });
    return this.#file;
  }

  async #fillHoles(file: FileHandle): Promise<void> {
    const silence = new Uint8Array(CHUNK_BYTES).fill(silenceOctet(this.#codec));
    for (const { length, at } of this.#holes) await writeAll(file, silence.subarray(0, length), at);
  }
}

/** Deletes the `.part` files below a directory that a crash left behind and returns how many; none may be in use. */
export async function deleteUnfinishedRecordings(directory: string): Promise<number> {
  let deleted = 0;
  try {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(PART_SUFFIX)) continue;
      await rm(join(entry.parentPath, entry.name), { force: true });
      deleted++;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return deleted;
}

/** Makes a new name as durable as the file that has it. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/**
 * Puts both frames at hand into `out` from that word on, and their highest levels into `highest`: of every fourth octet one,
 * as its low seven bits turned round by `flip`.
 */
function interleave(out: Int32Array, at: number, flip: number): void {
  let calleeHighest = 0;
  let platformHighest = 0;
  for (let i = 0; i < FRAME_SAMPLES / 4; i++) {
    const callee = calleeWords[i]!;
    const platform = platformWords[i]!;
    out[at + 2 * i] = apart(callee) | (apart(platform) << 8);
    out[at + 2 * i + 1] = apart(callee >>> 16) | (apart(platform >>> 16) << 8);
    calleeHighest = higher(calleeHighest, (callee ^ flip) & LEVEL_BITS);
    platformHighest = higher(platformHighest, (platform ^ flip) & LEVEL_BITS);
  }
  highest[0] = calleeHighest;
  highest[1] = platformHighest;
}

/** The two low octets with one between them. */
function apart(word: number): number {
  return (word & 0xff) | ((word & 0xff00) << 8);
}

/** The higher one of each of four numbers of seven bits: a sign bit that the difference leaves says that the first one is. */
function higher(first: number, second: number): number {
  const notLower = ((first | SIGN_BITS) - second) & SIGN_BITS;
  return second ^ ((first ^ second) & (notLower - (notLower >>> 7)));
}

function highestOctet(word: number): number {
  return Math.max(word & 0x7f, (word >>> 8) & 0x7f, (word >>> 16) & 0x7f, (word >>> 24) & 0x7f);
}

function takeChunk(): Chunk {
  const spare = spareChunks.pop();
  if (spare !== undefined) return spare;
  const bytes = new Uint8Array(CHUNK_BYTES);
  return { bytes, words: new Int32Array(bytes.buffer) };
}

/**
 * The first write of each recording comes at another time, lest calls that began together go on to write together: more
 * chunks than are spare would be made and thrown away each time, which the collector of garbage stops the thread for.
 */
function firstChunkBytes(): number {
  turn = (turn + NEXT_TURN) % FRAMES_A_CHUNK;
  return (1 + turn) * FRAME_BYTES;
}

function giveChunk(chunk: Chunk): void {
  if (spareChunks.length < 64) spareChunks.push(chunk);
}

/** The level of each octet on a scale of 0–255. */
function magnitudes(codec: G711Codec): Uint8Array {
  return Uint8Array.from(linearTable(codec), (sample) => Math.min(255, Math.abs(sample) >> 7));
}
