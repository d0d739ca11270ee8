/** One piece of what was understood. A later result with the same `segment` replaces it. */
export interface RecognizerResult {
  readonly segment: number;
  readonly text: string;
  /** The engine does not expect to change this text; real-time text may still erase it. */
  readonly final: boolean;
  readonly atMs: number;
}

/**
 * A recogniser of one call: takes what the callee sends (audio frames or typed characters) and gives text. Every engine
 * passes `test/conformance/recognizer.ts`. Segment numbers rise; `onResult` may be called from any method or later.
 */
export interface Recognizer<Input> {
  push(input: Input, atMs: number): void;
  /** Called each frame; engines that wait for pauses look at the time here. */
  tick(atMs: number): void;
  /** The callee seems to have finished: what is pending should become final soon. */
  finish(atMs: number): void;
  /** All input so far has been used: no result for it follows, and the next text is a new segment. */
  commit(): void;
  /** Ends the engine; no result follows. */
  close(): void;
}

/** Opens a recogniser for one call. */
export type OpenRecognizer<Input> = (onResult: (result: RecognizerResult) => void) => Recognizer<Input>;

/** Keeps the segments of one turn in order and joins them into its text. */
export class Transcript {
  readonly #segments = new Map<number, RecognizerResult>();
  #used = -1;
  #newest = -1;

  /** A result for a segment of an earlier turn comes too late and is ignored; false then. */
  apply(result: RecognizerResult): boolean {
    if (result.segment <= this.#used) return false;
    this.#newest = Math.max(this.#newest, result.segment);
    if (result.text === '') this.#segments.delete(result.segment);
    else this.#segments.set(result.segment, result);
    return true;
  }

  get text(): string {
    let text = '';
    for (const [, segment] of [...this.#segments].sort(([a], [b]) => a - b)) {
      const piece = segment.text.trim();
      const apart = /[\p{Script=Latin}\d.,!?]$/u.test(text) && /^[\p{Script=Latin}\d]/u.test(piece);
      text += apart ? ` ${piece}` : piece;
    }
    return text;
  }

  /** Whether every piece is final. */
  get final(): boolean {
    return [...this.#segments.values()].every((segment) => segment.final);
  }

  get empty(): boolean {
    return this.#segments.size === 0;
  }

  /** Begins the next turn. */
  clear(): void {
    this.#used = this.#newest;
    this.#segments.clear();
  }
}
