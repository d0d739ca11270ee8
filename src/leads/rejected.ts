import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { RejectedRow } from '#domain/contact.ts';

const VALUE_MAX_CHARS = 200;
const FLUSH_CHARS = 64 * 1024;

/** The file of rejected rows while it is written; it takes its name only when kept. */
export interface RejectedFile {
  readonly count: number;
  add(row: RejectedRow): void;
  /** Hands what was added to the file system, waiting where that is slow. */
  flush(): Promise<void>;
  /** Completes the file under its name; answers false where no row was rejected and so no file is there. */
  keep(): Promise<boolean>;
  discard(): Promise<void>;
}

/** Writes rejected rows as CSV in UTF-8 with a byte order mark, so that Excel shows Chinese; safe from formulas. */
export function openRejectedFile(path: string): RejectedFile {
  const partial = `${path}.part`;
  let file: ReturnType<typeof createWriteStream> | undefined;
  let failure: Error | undefined;
  let kept = false;
  let count = 0;
  let pending = '\ufeff行号 Row,值 Value,原因,Reason\r\n';

  async function flush(): Promise<void> {
    if (count === 0) return;
    if (failure !== undefined) throw failure;
    if (file === undefined) {
      file = createWriteStream(partial, { mode: 0o600 });
      file.on('error', (error) => (failure = error));
    }
    const text = pending;
    pending = '';
    if (text !== '' && !file.write(text)) await once(file, 'drain');
  }

  return {
    get count() {
      return count;
    },
    add(row) {
      count++;
      pending += `${row.row},${cell(row.value)},${cell(row.reason.zh)},${cell(row.reason.en)}\r\n`;
    },
    flush: async () => {
      if (pending.length >= FLUSH_CHARS) await flush();
    },
    async keep() {
      if (count === 0) return false;
      await flush();
      file!.end();
      await finished(file!);
      await rename(partial, path);
      kept = true;
      return true;
    },
    async discard() {
      file?.destroy();
      await rm(partial, { force: true });
      if (kept) await rm(path, { force: true });
    },
  };
}

/** A quoted cell; what a spreadsheet would run as a formula gets an apostrophe, which an import takes off again. */
function cell(value: string): string {
  const short = value.length > VALUE_MAX_CHARS ? `${value.slice(0, VALUE_MAX_CHARS).toWellFormed()}…` : value;
  const safe = /^[\s\p{Cf}]*[=+\-@\t\r＝＋－＠]/u.test(short) ? `'${short}` : short;
  return `"${safe.replaceAll('\0', '').replaceAll('"', '""')}"`;
}
