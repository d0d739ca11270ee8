import type { ColumnMapping } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import { columnNames, guessMapping, invalidFile, layOut, requireHeader } from './columns.ts';
import type { RowLayout } from './columns.ts';
import { createCsvReader, detectDelimiter } from './csv.ts';
import type { CsvReader, CsvRow } from './csv.ts';
import { createFileDecoder } from './encoding.ts';
import type { FileEncoding } from './encoding.ts';
import { NumberSet } from './number-set.ts';
import { emptyFile, requireText } from './preview.ts';
import type { RejectedFile } from './rejected.ts';
import { stageRow } from './staged-row.ts';
import type { StagedRow } from './staged-row.ts';

const PIECE_BYTES = 256 * 1024;
// The header and the rows by which columns are guessed when no mapping is given.
const HEAD_CHARS = 64 * 1024;
const GUESS_ROWS = 50;
const OPEN_QUOTES_MAX = 500;
const CONTACTS_MAX = 10_000_000;

/** What a file has brought so far. */
export interface RowTally {
  bytes: number;
  rows: number;
  encoding: FileEncoding;
}

/**
 * The contacts of a CSV file, in batches of the size of what was read; rejected rows go to `rejected`. Throws
 * `invalid-input` where the file as a whole cannot be used.
 */
export async function* stagedBatches(options: {
  readonly source: AsyncIterable<Uint8Array>;
  readonly mapping: ColumnMapping | undefined;
  readonly rejected: RejectedFile;
  readonly tally: RowTally;
}): AsyncGenerator<readonly StagedRow[]> {
  const { source, mapping, rejected, tally } = options;
  const decoder = createFileDecoder();
  const seen = new NumberSet();
  let head: string | undefined = '';
  let reader: CsvReader | undefined;
  let layout: RowLayout | undefined;
  let early: CsvRow[] = [];
  let openQuotes = 0;
  let batch: StagedRow[] = [];

  function take(row: CsvRow): void {
    if (layout === undefined) {
      early.push(row);
      if (early.length > GUESS_ROWS) decideLayout();
      return;
    }
    tally.rows++;
    const result = stageRow(row, layout, seen);
    if ('staged' in result) batch.push(result.staged);
    else rejected.add(result.rejected);
    if (row.fault === 'open-quote' && ++openQuotes > OPEN_QUOTES_MAX) throw brokenQuotes();
    if (seen.size > CONTACTS_MAX) throw tooManyContacts();
  }

  function decideLayout(): void {
    const [header, ...rows] = early;
    if (header === undefined) throw emptyFile();
    requireHeader(header.fields);
    const columns = columnNames(header.fields);
    layout = layOut(
      columns,
      mapping ??
        guessMapping(
          columns,
          rows.map((row) => row.fields),
        ),
    );
    early = [];
    for (const row of rows) take(row);
  }

  function feed(text: string, last: boolean): void {
    if (head !== undefined) {
      head += text;
      if (head.length < HEAD_CHARS && !last) return;
      reader = createCsvReader(detectDelimiter(head), take);
      reader.push(head);
      head = undefined;
    } else reader!.push(text);
  }

  async function* drain(): AsyncGenerator<readonly StagedRow[]> {
    tally.encoding = decoder.encoding;
    await rejected.flush();
    if (batch.length === 0) return;
    const full = batch;
    batch = [];
    yield full;
  }

  for await (const chunk of source) {
    if (tally.bytes === 0) requireText(chunk);
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      const piece = chunk.subarray(from, from + PIECE_BYTES);
      tally.bytes += piece.length;
      feed(decoder.decode(piece), false);
      yield* drain();
    }
  }
  feed(decoder.end(), true);
  reader!.end();
  if (layout === undefined) decideLayout();
  yield* drain();
}

function brokenQuotes(): AppError {
  return invalidFile({
    zh: '文件中有太多没有闭合的引号，无法按 CSV 读取。请检查导出设置。',
    en: 'Too many quotes of the file are never closed, so it cannot be read as CSV. Check how it was exported.',
  });
}

function tooManyContacts(): AppError {
  return new AppError('too-large', {
    zh: '一个文件最多导入 1000 万个号码，请拆分文件。',
    en: 'One file may bring 10 million numbers at most; split it.',
  });
}
