import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { CountryCode } from 'libphonenumber-js/max';
import type { PhoneNumber } from '#domain/phone.ts';
import type { LocalText } from '#domain/text.ts';
import { ZONE_BY_COUNTRY } from './zone-by-country.ts';

/** What a cell turned out to be; the reason says what to correct. */
export type ParsedPhone =
  | { readonly ok: true; readonly phone: PhoneNumber; readonly timeZone: string | undefined }
  | { readonly ok: false; readonly reason: LocalText };

const CHINA_ZONE = 'Asia/Shanghai';

const REASONS = {
  empty: { zh: '没有电话号码。', en: 'There is no phone number.' },
  scientific: {
    zh: '号码是科学计数法，末尾数字已丢失。请在表格中把该列设为“文本”后重新导出。',
    en: 'The number is in scientific notation and has lost its last digits. Format the column as text and export again.',
  },
  several: { zh: '一格里有多个号码，请每行只留一个。', en: 'The cell holds several numbers; leave one in each row.' },
  extension: {
    zh: '号码带分机号，系统不能自动拨分机。请改用直拨号码。',
    en: 'The number has an extension, which cannot be dialled automatically. Use a direct number.',
  },
  characters: {
    zh: '号码里有数字以外的字符。',
    en: 'The number has characters other than digits.',
  },
  mobileLength: {
    zh: '手机号应为 11 位数字。',
    en: 'A mainland mobile number has 11 digits.',
  },
  mobilePrefix: {
    zh: '手机号应以 13–19 开头。',
    en: 'A mainland mobile number starts with 13 to 19.',
  },
  areaCode: {
    zh: '固定电话缺少区号，例如 010-12345678。',
    en: 'The landline number lacks its area code, for example 010-12345678.',
  },
  tooShort: { zh: '号码太短。', en: 'The number is too short.' },
  tooLong: { zh: '号码太长。', en: 'The number is too long.' },
  invalid: { zh: '不是有效的电话号码。', en: 'This is not a valid phone number.' },
} as const satisfies Record<string, LocalText>;

const MOBILE = /^1[3-9]\d{9}$/;
const SERVICE = /^(?:95\d{3,6}|96\d{3,4}|[48]00\d{7})$/;
// Area code without its 0: two digits in the largest cities, three elsewhere; libphonenumber knows which exist.
const LANDLINE = /^(?:(?:10|2\d)\d{8}|[3-9]\d{2}\d{7,8})$/;

/** A reading of one cell as a number of `region`, an ISO 3166 code; numbers with a plus are read as they are. */
export function parsePhone(raw: string, region = 'CN'): ParsedPhone {
  if (region === 'CN' && raw.length === 11 && MOBILE.test(raw)) return mainland(raw);
  const cell = clean(raw);
  if (cell === '') return refuse('empty');
  if (/^\d(?:\.\d+)?e\+?\d+$/i.test(cell)) return refuse('scientific');
  if (/\d[\s]*(?:[/\\、;,|]|或|和)[\s]*\+?\d{7}/u.test(cell)) return refuse('several');
  if (EXTENSION.test(cell)) return refuse('extension');
  const dialled = cell.replace(/[\s\-‐‑‒–—―−.·•()_]/gu, '');
  if (!/^\+?\d+$/.test(dialled)) return refuse(/\d/.test(dialled) || dialled === '' ? 'characters' : 'invalid');
  if (region === 'CN') return parseFromChina(dialled);
  return parseAbroad(dialled, isSupportedCountry(region) ? region : undefined);
}

// 010-12345678-801, ext. 801, x801, 转801, 分机801, #801.
const EXTENSION = /\d\s*(?:ext\.?|x|转|分机|#)\D{0,3}\d{1,6}\s*$|^\+?[\d\s()]*\d{3,4}[-)]\d{7,8}-\d{1,6}$/iu;

/** Undoes what keyboards and spreadsheets do to a number: full-width forms, quotes, `="…"`, invisible marks, `.0`. */
function clean(raw: string): string {
  let cell = raw
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim();
  const formula = /^="(.*)"$/.exec(cell);
  if (formula !== null) cell = formula[1]!.trim();
  cell = cell.replace(/^['"‘’`]+|['"‘’`]+$/gu, '').trim();
  cell = cell.replace(/^(?:tel|电话|手机)\s*:\s*/iu, '');
  return /^\+?\d+\.0+$/.test(cell) ? cell.slice(0, cell.indexOf('.')) : cell;
}

function parseFromChina(dialled: string): ParsedPhone {
  if (dialled.startsWith('+')) {
    return dialled.startsWith('+86') ? parseNational(dialled.slice(3)) : parseAbroad(dialled, undefined);
  }
  if (dialled.startsWith('00')) {
    return dialled.startsWith('0086')
      ? parseNational(dialled.slice(4))
      : parseAbroad(`+${dialled.slice(2)}`, undefined);
  }
  const country = /^0?86(?=1[3-9]\d{9}$|0\d{9,11}$)/.exec(dialled);
  return parseNational(country === null ? dialled : dialled.slice(country[0].length));
}

/** A mainland number without its country code, with or without the trunk 0. */
function parseNational(digits: string): ParsedPhone {
  const number = digits.startsWith('0') ? digits.slice(1) : digits;
  if (MOBILE.test(number) || SERVICE.test(digits)) return mainland(number);
  if (LANDLINE.test(number) && number !== digits) return landline(number);
  if (/^1\d+$/.test(number) && number === digits && number.length >= 9) {
    if (number.length !== 11) return LANDLINE.test(number) ? landline(number) : refuse('mobileLength');
    return refuse('mobilePrefix');
  }
  // After +86 there is no 0; a bare local number has seven or eight digits and could be anywhere.
  if (LANDLINE.test(number)) return landline(number);
  if (/^[2-8]\d{6,7}$/.test(digits)) return refuse('areaCode');
  if (number.length < 7) return refuse('tooShort');
  return refuse(number.length > 12 ? 'tooLong' : 'invalid');
}

function landline(number: string): ParsedPhone {
  const parsed = parsePhoneNumberFromString(`+86${number}`);
  return parsed?.isValid() === true && parsed.country === 'CN' ? mainland(number) : refuse('invalid');
}

function parseAbroad(dialled: string, region: CountryCode | undefined): ParsedPhone {
  const parsed = parsePhoneNumberFromString(dialled, region === undefined ? {} : { defaultCountry: region });
  if (parsed === undefined) return refuse(dialled.replace(/\D/g, '').length > 15 ? 'tooLong' : 'invalid');
  if (parsed.countryCallingCode === '86') return parseNational(parsed.nationalNumber);
  if (!parsed.isValid()) return refuse('invalid');
  const timeZone = parsed.country === undefined ? undefined : ZONE_BY_COUNTRY[parsed.country];
  return { ok: true, phone: parsed.number as PhoneNumber, timeZone };
}

function mainland(number: string): ParsedPhone {
  return { ok: true, phone: `+86${number}` as PhoneNumber, timeZone: CHINA_ZONE };
}

function refuse(reason: keyof typeof REASONS): ParsedPhone {
  return { ok: false, reason: REASONS[reason] };
}
