import type { ImportPreview } from '#domain/api.ts';
import { columnNames, guessMapping, invalidFile, requireHeader } from './columns.ts';
import { createCsvReader, detectDelimiter } from './csv.ts';
import type { CsvRow } from './csv.ts';
import { createFileDecoder } from './encoding.ts';

const PREVIEW_ROWS = 10;

/**
 * Columns, guesses and first rows of a CSV file from its beginning (64 KiB suffice). Throws `invalid-input` for a file
 * that is empty, no text, or without a header.
 */
export function previewImport(bytes: Uint8Array): ImportPreview {
  requireText(bytes);
  const decoder = createFileDecoder();
  const text = decoder.decode(bytes) + decoder.end();
  const found: CsvRow[] = [];
  const reader = createCsvReader(detectDelimiter(text), (row) => {
    if (found.length <= PREVIEW_ROWS) found.push(row);
  });
  reader.push(text);
  reader.end();
  const [header, ...rows] = found;
  if (header === undefined) throw emptyFile();
  requireHeader(header.fields);
  const columns = columnNames(header.fields);
  const cells = rows.map((row) => columns.map((_, index) => (row.fields[index] ?? '').trim()));
  return { encoding: decoder.encoding, columns, rows: cells, guess: guessMapping(columns, cells) };
}

/** The fault of a file without a row. */
export function emptyFile(): Error {
  return invalidFile({ zh: '文件是空的。', en: 'The file is empty.' });
}

/** Throws `invalid-input` where a file begins as a workbook or another binary format. */
export function requireText(start: Uint8Array): void {
  const zip = start[0] === 0x50 && start[1] === 0x4b && start[2] === 0x03 && start[3] === 0x04;
  const oldWorkbook = start[0] === 0xd0 && start[1] === 0xcf && start[2] === 0x11 && start[3] === 0xe0;
  if (zip || oldWorkbook) {
    throw invalidFile({
      zh: '这是 Excel 工作簿。请在 Excel 中另存为“CSV UTF-8”后再导入。',
      en: 'This is an Excel workbook. Save it as "CSV UTF-8" in Excel and import that file.',
    });
  }
}
