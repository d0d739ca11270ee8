/** Longest field that is kept; a longer one marks its row. A page of notes has about 2,000 characters. */
export const FIELD_MAX_CHARS = 65_536;

const COLUMNS_MAX = 1000;
const QUOTE_REPAIRS_MAX = 1000;

/** One record; `row` counts records from 1 with blank lines, as spreadsheets number them. */
export interface CsvRow {
  readonly row: number;
  readonly fields: readonly string[];
  /** `open-quote`: a quote that never closes; only the first line of what it swallowed. `too-long`: a field was cut. */
  readonly fault: 'open-quote' | 'too-long' | undefined;
}

/** Push-fed CSV reader; give it text in pieces of any size, then `end`. */
export interface CsvReader {
  push(text: string): void;
  end(): void;
}

/**
 * Reads RFC 4180 and what spreadsheets make of it: LF, CRLF and lone CR, also mixed; blank lines are counted and passed
 * over; text after a closing quote is kept. A quote that never closes costs one line and not the rest of the file.
 * Works in linear time and holds at most one field beyond the current row. `onRow` runs synchronously.
 */
export function createCsvReader(delimiter: string, onRow: (row: CsvRow) => void): CsvReader {
  const delimiterCode = delimiter.charCodeAt(0);
  let row = 1;
  let fields: string[] = [];
  let field = '';
  let inQuotes = false;
  let afterQuote = false;
  let afterCr = false;
  let tooLong = false;
  /** Everything since the opening quote, to read it again when the quote never closes; undefined when given up. */
  let sinceQuote: string | undefined;
  let repairs = 0;

  function append(text: string): void {
    if (text === '') return;
    if (field.length + text.length > FIELD_MAX_CHARS) {
      tooLong = true;
      field += text.slice(0, Math.max(0, FIELD_MAX_CHARS - field.length));
    } else field += text;
  }

  function endField(): void {
    if (fields.length < COLUMNS_MAX) fields.push(field);
    else tooLong = true;
    field = '';
    inQuotes = false;
    afterQuote = false;
    sinceQuote = undefined;
  }

  function endRow(fault?: 'open-quote'): void {
    endField();
    const blank = fields.length === 1 && fields[0]!.trim() === '';
    if (!blank || fault !== undefined || tooLong) {
      onRow({ row, fields, fault: fault ?? (tooLong ? 'too-long' : undefined) });
    }
    row++;
    fields = [];
    tooLong = false;
  }

  /** Ends the row at the first line break the open quote swallowed and returns the text behind that break. */
  function repair(swallowed: string): string {
    const at = swallowed.search(/[\r\n]/);
    const line = at < 0 ? swallowed : swallowed.slice(0, at);
    const width = at >= 0 && swallowed.startsWith('\r\n', at) ? 2 : 1;
    field = `"${line.slice(0, 200)}`;
    tooLong = false;
    endRow('open-quote');
    repairs++;
    return at < 0 ? '' : swallowed.slice(at + width);
  }

  function push(text: string): void {
    let rest = text;
    while (rest !== '') {
      const swallowed = scan(rest);
      if (swallowed === undefined) return;
      rest = repair(swallowed.before) + swallowed.behind;
    }
  }

  /** Reads a piece; stops early where an open quote has to be repaired. */
  function scan(text: string): { readonly before: string; readonly behind: string } | undefined {
    let at = 0;
    const end = text.length;
    while (at < end) {
      if (inQuotes) {
        const close = text.indexOf('"', at);
        const stop = close < 0 ? end : close;
        const piece = text.slice(at, stop);
        if (sinceQuote !== undefined) sinceQuote += piece;
        append(piece);
        at = stop;
        if (sinceQuote !== undefined && sinceQuote.length > FIELD_MAX_CHARS) {
          if (repairs < QUOTE_REPAIRS_MAX && /[\r\n]/.test(sinceQuote)) {
            return { before: sinceQuote, behind: text.slice(at) };
          }
          sinceQuote = undefined;
        }
        if (close < 0) return undefined;
        inQuotes = false;
        afterQuote = true;
        at++;
        continue;
      }
      const code = text.charCodeAt(at);
      if (afterCr) {
        afterCr = false;
        if (code === 10) {
          at++;
          continue;
        }
      }
      if (code === 34 && afterQuote) {
        // A doubled quote inside quotes.
        if (sinceQuote !== undefined) sinceQuote += '""';
        append('"');
        afterQuote = false;
        inQuotes = true;
        at++;
      } else if (code === 34 && field === '' && !afterQuote) {
        inQuotes = true;
        sinceQuote = '';
        at++;
      } else if (code === delimiterCode) {
        endField();
        at++;
      } else if (code === 10 || code === 13) {
        endRow();
        afterCr = code === 13;
        at++;
      } else {
        let stop = at + 1;
        for (; stop < end; stop++) {
          const next = text.charCodeAt(stop);
          if (next === delimiterCode || next === 10 || next === 13) break;
        }
        append(text.slice(at, stop));
        afterQuote = false;
        at = stop;
      }
    }
    return undefined;
  }

  return {
    push,
    end() {
      const open = (): string | undefined => (inQuotes && repairs < QUOTE_REPAIRS_MAX ? sinceQuote : undefined);
      for (let swallowed = open(); swallowed !== undefined; swallowed = open()) push(repair(swallowed));
      if (inQuotes) endRow('open-quote');
      else if (field !== '' || fields.length > 0 || afterQuote) endRow();
    },
  };
}

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** The delimiter of a file by its first record: the one that stands there most often outside quotes; a comma if none. */
export function detectDelimiter(text: string): string {
  const line = /^(?:\s*[\r\n])*((?:"(?:[^"]|"")*"|[^"\r\n])*)/.exec(text)?.[1] ?? '';
  const bare = line.replace(/"(?:[^"]|"")*"/g, '');
  let best = ',';
  let bestCount = 0;
  for (const candidate of DELIMITERS) {
    const count = bare.split(candidate).length - 1;
    if (count > bestCount) [best, bestCount] = [candidate, count];
  }
  return best;
}
