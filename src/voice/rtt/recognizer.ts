import type { Recognizer, RecognizerResult } from '../recognizer.ts';

/** When typing counts as finished, in ms since the last character. */
export interface TextPauses {
  readonly textPauseMs: number;
  /** Once the callee, who also spoke, has stopped speaking. */
  readonly textPauseAfterSpeechMs: number;
}

interface Segment {
  readonly number: number;
  readonly characters: string[];
  final: boolean;
}

/** Longest text of one turn; what is typed beyond it is dropped. */
const MAX_CHARACTERS = 2000;
const SENTENCE_END = new Set(['。', '！', '？', '!', '?', '…']);
const BACKSPACE = '\b';
const LINE_END = new Set(['\r', '\n', '\u2028', '\u2029']);
/** Byte order mark (keep-alive), bell, and the marker for lost text: T.140 §8, nothing of them was typed. */
const NOT_TYPED = new Set(['\uFEFF', '\u0007', '\uFFFD', '\0']);
/** ISO 6429 control functions and the terminators of T.140's string commands. */
// oxlint-disable-next-line no-control-regex -- control functions are what this looks for
const CONTROL = /\u001B\[[0-9;]*[ -/]*[@-~]|[\u0098\u009C\u001B]/gu;

/**
 * Real-time text (T.140, RFC 4103) as a recogniser: characters come as partial text; a line end, a sentence end or a
 * pause makes it final. Erasing reaches back into sentences that were final until the turn is committed.
 */
export class TextRecognizer implements Recognizer<string> {
  readonly #pauses: TextPauses;
  readonly #onResult: (result: RecognizerResult) => void;
  #segments: Segment[] = [];
  #nextNumber = 0;
  #lastMs = 0;
  #speechOver = false;
  #closed = false;
  #dropped = 0;

  constructor(pauses: TextPauses, onResult: (result: RecognizerResult) => void) {
    this.#pauses = pauses;
    this.#onResult = onResult;
  }

  /** Characters refused because the turn was too long. */
  get dropped(): number {
    return this.#dropped;
  }

  push(input: string, atMs: number): void {
    if (this.#closed) return;
    let touched: Segment | undefined;
    const report = (): void => {
      if (touched !== undefined) this.#report(touched, atMs);
      touched = undefined;
    };
    for (const character of input.replaceAll(CONTROL, '')) {
      if (NOT_TYPED.has(character)) continue;
      this.#lastMs = atMs;
      if (character === BACKSPACE) {
        const erased = this.#erase();
        if (erased !== touched) report();
        touched = erased;
        continue;
      }
      if (LINE_END.has(character)) {
        const open = this.#segments.at(-1);
        if (open === undefined || open.final) continue;
        open.final = true;
        touched = open;
        report();
        continue;
      }
      if (this.#length() >= MAX_CHARACTERS) {
        this.#dropped += 1;
        continue;
      }
      const open = this.#open(character);
      if (open === undefined) continue;
      if (open !== touched) report();
      open.characters.push(character);
      touched = open;
      if (!SENTENCE_END.has(character)) continue;
      open.final = true;
      report();
    }
    report();
  }

  tick(atMs: number): void {
    const open = this.#segments.at(-1);
    if (open === undefined || open.final) return;
    const pauseMs = this.#speechOver ? this.#pauses.textPauseAfterSpeechMs : this.#pauses.textPauseMs;
    if (atMs - this.#lastMs < pauseMs) return;
    open.final = true;
    this.#report(open, atMs);
  }

  finish(atMs: number): void {
    this.#speechOver = true;
    this.tick(atMs);
  }

  commit(): void {
    this.#segments = [];
    this.#speechOver = false;
  }

  close(): void {
    this.#closed = true;
    this.#segments = [];
  }

  /** The segment a character goes to; closing marks after a sentence end still belong to that sentence. */
  #open(character: string): Segment | undefined {
    const last = this.#segments.at(-1);
    if (last !== undefined && (!last.final || SENTENCE_END.has(character) || /[”"’)）」]/u.test(character)))
      return last;
    if (/\s/u.test(character)) return undefined;
    const segment: Segment = { number: this.#nextNumber++, characters: [], final: false };
    this.#segments.push(segment);
    return segment;
  }

  /** Takes the last character away and reopens its segment; undefined where nothing is left to erase. */
  #erase(): Segment | undefined {
    for (;;) {
      const last = this.#segments.at(-1);
      if (last === undefined) return undefined;
      if (last.characters.length === 0) {
        this.#segments.pop();
        continue;
      }
      last.characters.pop();
      last.final = false;
      return last;
    }
  }

  #length(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.characters.length, 0);
  }

  #report(segment: Segment, atMs: number): void {
    const { number, characters, final } = segment;
    this.#onResult({ segment: number, text: characters.join(''), final, atMs });
  }
}
