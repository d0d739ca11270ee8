import type { Language, LocalText } from '#domain/text.ts';

/** Says things to a person on standard error, so that standard output stays clean for results. */
export class Terminal {
  readonly language: Language;
  readonly #bar: boolean;
  #barShown = false;
  #lastPercent = -1;

  constructor(language: Language) {
    this.language = language;
    this.#bar = process.stderr.isTTY;
  }

  text(text: LocalText): string {
    return text[this.language];
  }

  say(text: LocalText): void {
    this.#clear();
    process.stderr.write(`${this.text(text)}\n`);
  }

  /** One line that is drawn again in a terminal; elsewhere one line every ten percent. */
  progress(label: LocalText, done: number, total: number, detail = ''): void {
    const ratio = total === 0 ? 1 : Math.min(1, done / total);
    if (!this.#bar) {
      const percent = Math.floor(ratio * 10) * 10;
      if (percent === this.#lastPercent) return;
      this.#lastPercent = percent;
      process.stderr.write(`${this.text(label)} ${done}/${total} ${detail}\n`);
      return;
    }
    const width = 28;
    const filled = Math.round(ratio * width);
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
    process.stderr.write(`\r\u001B[2K${this.text(label)} ${bar} ${done}/${total} ${detail}`);
    this.#barShown = true;
  }

  /** Ends a progress line. */
  endProgress(): void {
    this.#clear();
    this.#lastPercent = -1;
  }

  #clear(): void {
    if (!this.#barShown) return;
    process.stderr.write('\r\u001B[2K');
    this.#barShown = false;
  }
}

/** Rows as a table; Han characters count two columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text)
    width += /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u.test(
      character,
    )
      ? 2
      : 1;
  return width;
}
