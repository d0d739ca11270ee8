import { gainTables, GAIN_STEPS, linearTable, silenceByte, type G711Codec } from './g711.ts';

/** Something to say: parts in order, each with the text its audio speaks. */
export interface PlayoutItem {
  readonly id: number;
  readonly parts: readonly { readonly text: string; readonly audio: Uint8Array }[];
}

/** How an item ended. */
export interface PlayoutEnd {
  readonly playedText: string;
  readonly interrupted: boolean;
  /** False when it was dropped before its first sample. */
  readonly started: boolean;
}

/** Called during `pull`, `interrupt` or `clear`. */
export interface PlayoutHandlers<Item extends PlayoutItem> {
  onStart(item: Item): void;
  onEnd(item: Item, end: PlayoutEnd): void;
  /** After `onEnd` of the last item, or of the last one that was interrupted. */
  onSilent(): void;
}

/** −12 dB. */
const DUCKED_STEP = GAIN_STEPS / 4;
/** One gain step each 8 samples: a full fade takes 16 ms. */
const SAMPLES_PER_STEP = 8;
/** Resuming goes back at most this far for a pause between words (0.6 s). */
const LOOK_BACK_SAMPLES = 4800;
const WINDOW_SAMPLES = 80;
/** Mean level under which 10 ms count as a pause between words (−46 dBFS). */
const PAUSE_LEVEL = 160;

/** The text whose audio had been played when `ratio` (0–1) of it was out; Latin words are never cut in the middle. */
export function textPlayed(text: string, ratio: number): string {
  if (ratio >= 1) return text;
  const characters = Array.from(text);
  const count = Math.floor(characters.length * Math.max(0, ratio));
  const played = characters.slice(0, count).join('');
  const cutsWord =
    /[\p{Script=Latin}\d'’-]$/u.test(played) && /^[\p{Script=Latin}\d'’-]/u.test(characters[count] ?? '');
  return cutsWord ? played.replace(/[\p{Script=Latin}\d'’-]+$/u, '').trimEnd() : played;
}

/**
 * The queue of what one call is about to say, addressed by sample and pulled a frame at a time. Nothing is committed
 * beyond the frame that was pulled. A pull allocates nothing unless an item starts or ends.
 */
export class Playout<Item extends PlayoutItem> {
  readonly #handlers: PlayoutHandlers<Item>;
  readonly #linear: Int16Array;
  readonly #gains: readonly Uint8Array[];
  readonly #silence: number;
  readonly #queue: Item[] = [];
  #started = false;
  #part = 0;
  #offset = 0;
  #gain = GAIN_STEPS;
  #target = GAIN_STEPS;
  #untilStep = SAMPLES_PER_STEP;
  #paused = false;
  #stopping = false;
  /** Items that end with the fade under way; what was queued after it plays. */
  #dropped = 0;
  /** Where the fade before a pause began: nothing from here on counts as heard. */
  #pausePart = 0;
  #pauseOffset = 0;

  constructor(codec: G711Codec, handlers: PlayoutHandlers<Item>) {
    this.#handlers = handlers;
    this.#linear = linearTable(codec);
    this.#gains = gainTables(codec);
    this.#silence = silenceByte(codec);
  }

  /** Whether anything is playing, paused or waiting. */
  get busy(): boolean {
    return this.#queue.length > 0;
  }

  /** What is playing or paused now. */
  get current(): Item | undefined {
    return this.#started ? this.#queue[0] : undefined;
  }

  /** Samples of the current item that were sent. */
  get positionSamples(): number {
    const item = this.#queue[0];
    if (item === undefined) return 0;
    let samples = this.#offset;
    for (let part = 0; part < this.#part; part += 1) samples += item.parts[part]!.audio.length;
    return samples;
  }

  enqueue(item: Item): void {
    this.#queue.push(item);
  }

  /** Lowers to −12 dB within 16 ms. */
  duck(): void {
    if (!this.#paused && !this.#stopping) this.#target = DUCKED_STEP;
  }

  /** Fades out and holds; no sample is lost. */
  pause(): void {
    if (this.#paused || this.#stopping) return;
    this.#paused = true;
    this.#pausePart = this.#part;
    this.#pauseOffset = this.#offset;
    this.#target = 0;
  }

  /**
   * Plays on at full level. After a pause it goes on at the pause between words before the sample it stopped at, or at
   * that very sample when there is none near.
   */
  resume(): void {
    if (this.#stopping) return;
    this.#target = GAIN_STEPS;
    if (this.#queue.length === 0) {
      this.#gain = GAIN_STEPS;
      this.#paused = false;
    }
    if (!this.#paused) return;
    this.#paused = false;
    this.#gain = 0;
    this.#part = this.#pausePart;
    this.#offset = this.#wordBoundary(this.#pauseOffset);
  }

  /** Fades out what plays, drops what waits; `onEnd` follows for all of it, at once when nothing is audible. */
  interrupt(): void {
    if (this.#queue.length === 0 || this.#stopping) return;
    if (!this.#started || (this.#paused && this.#gain === 0)) {
      this.clear();
      return;
    }
    if (!this.#paused) {
      this.#pausePart = this.#part;
      this.#pauseOffset = this.#offset;
    }
    this.#stopping = true;
    this.#paused = false;
    this.#target = 0;
    this.#dropped = this.#queue.length;
  }

  /** Ends at once, without a fade, what plays and waits; during a fade what was interrupted. */
  clear(): void {
    const items = this.#queue.splice(0, this.#stopping ? this.#dropped : this.#queue.length);
    if (items.length === 0) return;
    const started = this.#started;
    const playedText = started && items[0] !== undefined ? this.#playedText(items[0]) : '';
    this.#next();
    this.#gain = GAIN_STEPS;
    this.#target = GAIN_STEPS;
    this.#paused = false;
    this.#stopping = false;
    for (const [index, item] of items.entries())
      this.#handlers.onEnd(item, {
        playedText: index === 0 ? playedText : '',
        interrupted: true,
        started: index === 0 && started,
      });
    this.#handlers.onSilent();
  }

  /** Fills one frame; what is not speech is silence. */
  pull(out: Uint8Array): void {
    let index = 0;
    while (index < out.length) {
      const item = this.#queue[0];
      if (item === undefined || (this.#paused && this.#gain === 0)) break;
      if (!this.#started) {
        this.#started = true;
        this.#handlers.onStart(item);
        continue;
      }
      const audio = item.parts[this.#part]?.audio;
      if (audio === undefined) {
        this.#finish(item);
        continue;
      }
      const end = Math.min(out.length, index + audio.length - this.#offset);
      while (index < end) {
        out[index] = this.#gains[this.#gain]![audio[this.#offset]!]!;
        index += 1;
        this.#offset += 1;
        if (this.#gain !== this.#target && this.#step()) break;
      }
      if (this.#stopping && this.#gain === 0) {
        this.clear();
        continue;
      }
      if (this.#offset >= audio.length && !(this.#paused && this.#gain === 0)) {
        this.#part += 1;
        this.#offset = 0;
      }
    }
    if (index < out.length) out.fill(this.#silence, index);
  }

  /** Moves the gain on; true when a fade to silence is complete. */
  #step(): boolean {
    this.#untilStep -= 1;
    if (this.#untilStep > 0) return false;
    this.#untilStep = SAMPLES_PER_STEP;
    this.#gain += this.#gain < this.#target ? 1 : -1;
    return this.#gain === 0;
  }

  /** The item has been played to its last sample, even when a fade was under way. */
  #finish(item: Item): void {
    if (this.#stopping) {
      this.clear();
      return;
    }
    this.#queue.shift();
    this.#next();
    if (this.#paused) this.#gain = 0;
    const playedText = item.parts.map((part) => part.text).join('');
    this.#handlers.onEnd(item, { playedText, interrupted: false, started: true });
    if (!this.busy) this.#handlers.onSilent();
  }

  #next(): void {
    this.#started = false;
    this.#part = 0;
    this.#offset = 0;
    this.#pausePart = 0;
    this.#pauseOffset = 0;
  }

  #playedText(item: Item): string {
    const held = this.#paused || this.#stopping;
    const part = held ? this.#pausePart : this.#part;
    const offset = held ? this.#pauseOffset : this.#offset;
    let text = '';
    for (let index = 0; index < part; index += 1) text += item.parts[index]?.text ?? '';
    const partial = item.parts[part];
    if (partial === undefined || offset === 0) return text;
    return text + textPlayed(partial.text, offset / partial.audio.length);
  }

  /** The last 10 ms pause before `offset` in the part where it stopped, or `offset` itself. */
  #wordBoundary(offset: number): number {
    const audio = this.#queue[0]?.parts[this.#part]?.audio;
    if (audio === undefined) return offset;
    const least = Math.max(0, offset - LOOK_BACK_SAMPLES);
    for (let start = offset - WINDOW_SAMPLES; start >= least; start -= WINDOW_SAMPLES) {
      let sum = 0;
      for (let index = start; index < start + WINDOW_SAMPLES; index += 1) sum += Math.abs(this.#linear[audio[index]!]!);
      if (sum < PAUSE_LEVEL * WINDOW_SAMPLES) return start;
    }
    return offset;
  }
}
