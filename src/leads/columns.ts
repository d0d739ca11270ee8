import type { ColumnMapping } from '#domain/api.ts';
import type { LocalText } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';
import type { Problem } from '#platform/error.ts';
import { parsePhone } from './phone.ts';

/** Where each value of a row goes, by index into the row. */
export interface RowLayout {
  readonly width: number;
  readonly phone: number;
  readonly name: number | undefined;
  readonly attributes: readonly { readonly index: number; readonly name: string }[];
}

// Compared without spaces, punctuation and case; the first that a file has wins.
const PHONE_HEADERS = (
  '手机号 手机号码 手机 联系电话 联系手机 电话号码 电话 联系方式 移动电话 号码 客户电话 客户手机 客户手机号 本人手机 被叫号码 ' +
  'mobile mobilephone mobilenumber cellphone cell phone phonenumber phoneno tel telephone telno msisdn contactnumber number'
).split(' ');
const NAME_HEADERS = (
  '姓名 客户姓名 名字 联系人 联系人姓名 客户名称 客户 称呼 用户姓名 学员姓名 学生姓名 ' +
  'name fullname customername contactname customer contact username'
).split(' ');

/** Header cells as unique, non-empty column names: `列3` for an empty one, `电话 (2)` for a second of the same name. */
export function columnNames(header: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return header.map((cell, index) => {
    const base =
      cell.normalize('NFKC').replace(/\p{C}/gu, ' ').replace(/\s+/gu, ' ').trim().slice(0, 100) || `列${index + 1}`;
    let name = base;
    for (let copy = 2; seen.has(name); copy++) name = `${base} (${copy})`;
    seen.add(name);
    return name;
  });
}

/** What the columns most likely are, by their names and else by what stands in the first rows. */
export function guessMapping(columns: readonly string[], rows: readonly (readonly string[])[]): ColumnMapping {
  const name = byHeader(columns, NAME_HEADERS);
  let phone = byHeader(columns, PHONE_HEADERS);
  if (phone === undefined && rows.length > 0) {
    phone = columns.find((_, index) => rows.filter((row) => parsePhone(row[index] ?? '').ok).length * 2 > rows.length);
  }
  return { phone: phone ?? null, name: name === phone ? null : (name ?? null), ignore: [], rename: {} };
}

function byHeader(columns: readonly string[], known: readonly string[]): string | undefined {
  const keys = columns.map((column) => column.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''));
  for (const header of known) {
    const index = keys.indexOf(header);
    if (index >= 0) return columns[index];
  }
  for (const header of known.filter((word) => word.length > 1 && /\p{Script=Han}/u.test(word))) {
    const index = keys.findIndex((key) => key.includes(header));
    if (index >= 0) return columns[index];
  }
  return undefined;
}

/** Throws `invalid-input` where the first row is no header: a number stands in it, so a contact would be lost. */
export function requireHeader(header: readonly string[]): void {
  if (header.some((cell) => cell.length >= 7 && parsePhone(cell).ok)) {
    throw invalidFile({
      zh: '文件第一行像是数据而不是列名。请在第一行加上列名，例如“手机号,姓名”。',
      en: 'The first row of the file looks like data. Add a first row with column names, for example "phone,name".',
    });
  }
}

/** Turns a mapping into positions; throws `invalid-input` with every problem of the mapping. */
export function layOut(columns: readonly string[], mapping: ColumnMapping): RowLayout {
  const problems: Problem[] = [];
  const indexOf = (column: string, path: string): number => {
    const index = columns.indexOf(column);
    if (index < 0) {
      problems.push({
        path,
        message: { zh: `文件里没有“${column}”这一列。`, en: `The file has no column "${column}".` },
      });
    }
    return index;
  };
  const phone = mapping.phone === null ? -1 : indexOf(mapping.phone, 'mapping.phone');
  if (mapping.phone === null) {
    problems.push({
      path: 'mapping.phone',
      message: { zh: '请指明哪一列是电话号码。', en: 'Say which column holds the phone number.' },
    });
  }
  const name = mapping.name === null ? undefined : indexOf(mapping.name, 'mapping.name');
  for (const column of mapping.ignore) indexOf(column, 'mapping.ignore');
  for (const column of Object.keys(mapping.rename)) indexOf(column, 'mapping.rename');
  const attributes = columns
    .map((column, index) => ({ index, name: Object.hasOwn(mapping.rename, column) ? mapping.rename[column]! : column }))
    .filter(({ index }) => index !== phone && index !== name && !mapping.ignore.includes(columns[index]!));
  const taken = new Set<string>();
  for (const { name: attribute } of attributes) {
    if (attribute.trim() === '' || taken.has(attribute)) {
      problems.push({
        path: 'mapping.rename',
        message: {
          zh: `字段名“${attribute}”为空或重复。`,
          en: `The field name "${attribute}" is empty or used twice.`,
        },
      });
    }
    taken.add(attribute);
  }
  if (problems.length > 0) {
    throw invalidFile(problems[0]!.message, problems);
  }
  return { width: columns.length, phone, name, attributes };
}

/** An `invalid-input` about the file as a whole. */
export function invalidFile(text: LocalText, problems: readonly Problem[] = []): AppError {
  return new AppError('invalid-input', text, { problems });
}
