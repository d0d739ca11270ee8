import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { AppError } from '#platform/error.ts';
import type { CallLogLine } from './call-record.ts';

/**
 * The carrier's own record of every call as JSON lines. A line is in the operating system's hands when `append`
 * returns, so it outlives the process; a line cut off by a crash is skipped when the file is read again.
 */
export class CallLog {
  readonly #descriptor: number | undefined;
  readonly #attempts = new Map<string, number>();
  #closed = false;

  /** @throws AppError `data-directory-unusable` */
  constructor(file: string | undefined) {
    if (file === undefined) return;
    try {
      for (const line of readCallLog(file)) {
        if (line.type === 'invite') this.#count(line.number);
      }
      this.#descriptor = openSync(file, 'a');
      if (endsMidLine(file)) writeSync(this.#descriptor, '\n');
    } catch (cause) {
      throw new AppError(
        'data-directory-unusable',
        {
          zh: `无法写入模拟器日志文件：${file}。请检查目录是否存在且可写。`,
          en: `The simulator's log file cannot be written: ${file}. Check that its directory exists and is writable.`,
        },
        { cause },
      );
    }
  }

  /** The ordinal of a new call to this number, from 1; counts over restarts. */
  nextAttempt(number: string): number {
    return this.#count(number);
  }

  append(line: CallLogLine): void {
    if (this.#descriptor === undefined || this.#closed) return;
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #count(number: string): number {
    const ordinal = (this.#attempts.get(number) ?? 0) + 1;
    this.#attempts.set(number, ordinal);
    return ordinal;
  }
}

/** All whole lines of a carrier's log; none where the file does not exist. */
export function readCallLog(file: string): readonly CallLogLine[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  return text.split('\n').flatMap((line) => parseLine(line));
}

function parseLine(line: string): readonly CallLogLine[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line) as CallLogLine];
  } catch {
    return [];
  }
}

function endsMidLine(file: string): boolean {
  const bytes = readFileSync(file);
  return bytes.length > 0 && bytes.at(-1) !== 0x0a;
}
