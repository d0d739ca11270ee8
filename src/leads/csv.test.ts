import * as fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { createCsvReader, detectDelimiter, FIELD_MAX_CHARS } from './csv.ts';
import type { CsvRow } from './csv.ts';
import { NumberSet } from './number-set.ts';
import type { PhoneNumber } from '#domain/phone.ts';

function read(pieces: readonly string[], delimiter = ','): CsvRow[] {
  const rows: CsvRow[] = [];
  const reader = createCsvReader(delimiter, (row) => rows.push(row));
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return rows;
}

const fieldsOf = (text: string): unknown => read([text]).map((row) => row.fields);

describe('createCsvReader', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '张', ',', '"', '\n', '\r', ' ', '1', ';', '\t') });
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });

  it('reads back whatever a CSV writer wrote, however the text is cut into pieces', () => {
    const options = fc.record({
      delimiter: fc.constantFrom(',', ';', '\t'),
      newline: fc.constantFrom('\n', '\r\n', '\r'),
    });
    fc.assert(
      fc.property(table, options, fc.array(fc.nat(), { maxLength: 8 }), (rows, { delimiter, newline }, cuts) => {
        const text = Papa.unparse(rows, { delimiter, newline });
        const bounds = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = bounds.slice(1).map((bound, index) => text.slice(bounds[index], bound));
        expect(read(pieces, delimiter).map((row) => row.fields)).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws and gives the same rows for any text in one piece or in single characters', () => {
    const noise = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\0') });
    fc.assert(
      fc.property(noise, (text) => {
        expect(read(text.split(''))).toEqual(read([text]));
      }),
      { numRuns: 1000 },
    );
  });

  it('counts blank lines and a quoted line break as a spreadsheet does', () => {
    const rows = read(['h,i\n\n"a\nb",1\r\n\r\nc,2\r']);
    expect(rows.map((row) => [row.row, row.fields])).toEqual([
      [1, ['h', 'i']],
      [3, ['a\nb', '1']],
      [5, ['c', '2']],
    ]);
  });

  it('keeps empty quoted fields and text behind a closing quote', () => {
    expect(fieldsOf('"",""\n"a"b,x"y"\n')).toEqual([
      ['', ''],
      ['ab', 'x"y"'],
    ]);
  });

  it('loses one line to a quote that never closes, and not the rest of the file', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index},name`);
    const rows = read([`h,i\nx,"open\n`, ...lines.map((line) => `${line}\n`)]);
    expect(rows[1]).toEqual({ row: 2, fields: ['x', '"open'], fault: 'open-quote' });
    expect(rows).toHaveLength(20_002);
    expect(rows.at(-1)).toEqual({ row: 20_002, fields: ['19999', 'name'], fault: undefined });
  });

  it('cuts a field of a million characters and says so, quoted or not', () => {
    const long = 'x'.repeat(1_000_000);
    for (const text of [`${long},1\na,2`, `"${long}",1\na,2`]) {
      const [first, second] = read([text]);
      expect(first).toMatchObject({ row: 1, fault: 'too-long' });
      expect(first!.fields.map((field) => field.length)).toEqual([FIELD_MAX_CHARS, 1]);
      expect(second).toEqual({ row: 2, fields: ['a', '2'], fault: undefined });
    }
  });
});

describe('detectDelimiter', () => {
  it.each([
    ['手机号,姓名\n1,2', ','],
    ['手机号;姓名;备注\n', ';'],
    ['手机号\t姓名', '\t'],
    ['"a;b;c",d\n', ','],
    ['手机号\n138', ','],
  ])('finds the one of %j', (text, delimiter) => {
    expect(detectDelimiter(text)).toBe(delimiter);
  });
});

describe('NumberSet', () => {
  it('answers as a Map does, also after growing', () => {
    const numbers = fc.array(fc.integer({ min: 13_000_000_000, max: 13_000_009_999 }), {
      maxLength: 8000,
      size: 'max',
    });
    fc.assert(
      fc.property(numbers, (list) => {
        const set = new NumberSet();
        const model = new Map<number, number>();
        for (const [index, number] of list.entries()) {
          expect(set.add(`+86${number}` as PhoneNumber, index + 1)).toBe(model.get(number));
          if (!model.has(number)) model.set(number, index + 1);
        }
        expect(set.size).toBe(model.size);
      }),
      { numRuns: 20 },
    );
  });
});
