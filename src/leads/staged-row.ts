import type { RejectedRow } from '#domain/contact.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { LocalText } from '#domain/text.ts';
import type { RowLayout } from './columns.ts';
import type { CsvRow } from './csv.ts';
import type { NumberSet } from './number-set.ts';
import { parsePhone } from './phone.ts';

const NAME_MAX_CHARS = 200;
const ATTRIBUTE_MAX_CHARS = 4000;

/** A row that becomes a contact. */
export interface StagedRow {
  readonly row: number;
  readonly phone: PhoneNumber;
  readonly timeZone: string | undefined;
  readonly name: string;
  /** A JSON object; empty cells are left out, so that a later import does not wipe what is known. */
  readonly attributes: string;
}

/** A row as a contact, or why not. A number seen before in the file is a duplicate: the first row wins. */
export function stageRow(
  source: CsvRow,
  layout: RowLayout,
  seen: NumberSet,
): { readonly staged: StagedRow } | { readonly rejected: RejectedRow } {
  const { row, fields, fault } = source;
  const raw = fields[layout.phone] ?? '';
  const reject = (code: RejectedRow['code'], reason: LocalText, value = raw): { readonly rejected: RejectedRow } => ({
    rejected: { row, value, code, reason },
  });
  const whole = (): string => fields.slice(0, 20).join(',');
  if (fault === 'open-quote') {
    return reject('malformed-row', { zh: '引号没有闭合。', en: 'A quote is opened and never closed.' }, whole());
  }
  if (fault === 'too-long') {
    return reject('value-too-long', { zh: '有一格内容过长。', en: 'A cell is too long.' }, raw === '' ? whole() : raw);
  }
  for (let index = layout.width; index < fields.length; index++) {
    if (fields[index]!.trim() === '') continue;
    return reject(
      'malformed-row',
      {
        zh: `这一行有 ${fields.length} 列，表头只有 ${layout.width} 列。含逗号的内容请加引号。`,
        en: `The row has ${fields.length} columns, the header ${layout.width}. Put cells that hold a comma in quotes.`,
      },
      whole(),
    );
  }
  for (const field of fields) {
    if (!field.includes('\0') && !field.includes('\ufffd')) continue;
    return reject('malformed-row', UNREADABLE, whole());
  }
  if (raw.trim() === '') {
    return reject('missing-phone', { zh: '没有电话号码。', en: 'There is no phone number.' }, whole());
  }
  const parsed = parsePhone(raw);
  if (!parsed.ok) return reject('invalid-phone', parsed.reason);
  const name = layout.name === undefined ? '' : (fields[layout.name] ?? '').trim();
  if (name.length > NAME_MAX_CHARS) {
    return reject('value-too-long', {
      zh: `姓名超过 ${NAME_MAX_CHARS} 个字。`,
      en: `The name has more than ${NAME_MAX_CHARS} characters.`,
    });
  }
  let attributes = '';
  for (const attribute of layout.attributes) {
    const value = (fields[attribute.index] ?? '').trim();
    if (value === '') continue;
    if (value.length > ATTRIBUTE_MAX_CHARS) {
      return reject('value-too-long', {
        zh: `“${attribute.name}”超过 ${ATTRIBUTE_MAX_CHARS} 个字。`,
        en: `"${attribute.name}" has more than ${ATTRIBUTE_MAX_CHARS} characters.`,
      });
    }
    attributes += `${attributes === '' ? '' : ','}${JSON.stringify(attribute.name)}:${JSON.stringify(value)}`;
  }
  const first = seen.add(parsed.phone, row);
  if (first !== undefined) {
    return reject('duplicate-in-file', {
      zh: `与第 ${first} 行号码相同。`,
      en: `The number is already in row ${first}.`,
    });
  }
  return { staged: { row, phone: parsed.phone, timeZone: parsed.timeZone, name, attributes: `{${attributes}}` } };
}

const UNREADABLE: LocalText = {
  zh: '这一行含无法识别的字符，请检查文件编码。',
  en: 'The row has characters that cannot be read; check the encoding of the file.',
};
