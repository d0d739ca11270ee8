/** A number found in a text; `start`/`end` index the text. */
export interface FoundNumber {
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

const DIGITS: Readonly<Record<string, number>> = {
  零: 0,
  〇: 0,
  一: 1,
  幺: 1,
  壹: 1,
  二: 2,
  两: 2,
  俩: 2,
  贰: 2,
  三: 3,
  仨: 3,
  叁: 3,
  四: 4,
  肆: 4,
  五: 5,
  伍: 5,
  六: 6,
  陆: 6,
  七: 7,
  柒: 7,
  八: 8,
  捌: 8,
  九: 9,
  玖: 9,
};
const UNITS: Readonly<Record<string, number>> = { 十: 10, 拾: 10, 百: 100, 佰: 100, 千: 1000, 仟: 1000 };
const LARGE: Readonly<Record<string, number>> = { 万: 10_000, 萬: 10_000, w: 10_000, k: 1000, 亿: 100_000_000 };

/** Chinese and mixed numerals: `一千二百`, `3万5`, `一万二`, `两百五`, `十五`, `1280.50`, `三点五`, `二零二六`, `半`. */
export const ZH_NUMBER =
  /(?:\d+(?:\.\d+)?|[零〇一幺壹二两俩贰三仨叁四肆五伍六陆七柒八捌九玖十拾百佰千仟])(?:\d+(?:\.\d+)?|[零〇一幺壹二两贰三叁四肆五伍六陆七柒八捌九玖十拾百佰千仟万萬亿]|w(?![a-z])|k(?![a-z])|(?<=[零〇一二两三四五六七八九十百千万])点(?=[零〇一二三四五六七八九]))*/gu;

/** The value of one numeral as matched by `ZH_NUMBER`, or undefined. */
export function zhNumber(numeral: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/u.test(numeral)) return Number(numeral);
  const [whole = '', fraction] = numeral.split('点');
  if (fraction !== undefined) {
    const head = zhNumber(whole);
    const digits = Array.from(fraction, (character) => DIGITS[character]);
    if (head === undefined || digits.some((digit) => digit === undefined)) return undefined;
    return Number(`${head}.${digits.join('')}`);
  }
  if (Array.from(numeral).every((character) => DIGITS[character] !== undefined))
    return Number(Array.from(numeral, (character) => DIGITS[character]).join(''));
  return composed(numeral);
}

function composed(numeral: string): number | undefined {
  let total = 0;
  let section = 0;
  let pending: number | undefined;
  let lastUnit = 1;
  let zeroSeen = false;
  for (const token of numeral.match(/\d+(?:\.\d+)?|./gu) ?? []) {
    const digit = /^\d/u.test(token) ? Number(token) : DIGITS[token];
    const unit = UNITS[token];
    const large = LARGE[token];
    if (digit !== undefined) {
      pending = pending === undefined || pending === 0 ? digit : pending * 10 + digit;
      if (digit === 0) zeroSeen = true;
    } else if (unit !== undefined) {
      section += (pending ?? (section === 0 ? 1 : 0)) * unit;
      pending = undefined;
      lastUnit = unit;
      zeroSeen = false;
    } else if (large !== undefined) {
      total = (total + section + (pending ?? 0)) * large;
      section = 0;
      pending = undefined;
      lastUnit = large;
      zeroSeen = false;
    } else return undefined;
  }
  // 一万二 is 12000 and 两百五 is 250, but 一百零五 is 105.
  if (pending !== undefined)
    section += !zeroSeen && lastUnit >= 100 && pending < 10 ? (pending * lastUnit) / 10 : pending;
  return Math.round((total + section) * 100) / 100;
}

const EN_SMALL: Readonly<Record<string, number>> = {
  zero: 0,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
  sixteen: 16,
  seventeen: 17,
  eighteen: 18,
  nineteen: 19,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
};
const EN_WORD = `${Object.keys(EN_SMALL)
  .sort((a, b) => b.length - a.length)
  .join('|')}|hundred|thousand|million|grand`;
/** English numerals: `twelve hundred`, `one thousand two hundred and fifty`, `1,280.50`, `3k`. */
export const EN_NUMBER = new RegExp(
  `\\d+(?:\\.\\d+)?(?:\\s?(?:k|thousand|hundred|million)\\b)?|\\b(?:a\\s)?(?:${EN_WORD})(?:(?:\\s|-|\\sand\\s)(?:${EN_WORD}))*\\b`,
  'giu',
);

/** The value of one numeral as matched by `EN_NUMBER`, or undefined. */
export function enNumber(numeral: string): number | undefined {
  const text = numeral.toLowerCase();
  const digits = /^(\d+(?:\.\d+)?)\s?(k|thousand|hundred|million)?$/u.exec(text);
  if (digits !== null) return Number(digits[1]) * scaleOf(digits[2] ?? '');
  let total = 0;
  let section = 0;
  let found = false;
  for (const word of text.split(/[\s-]+/u)) {
    const small = EN_SMALL[word];
    if (word === 'and' || word === 'a') continue;
    found = true;
    if (small !== undefined) section += small;
    else if (word === 'hundred') section = (section === 0 ? 1 : section) * 100;
    else {
      total += (section === 0 ? 1 : section) * scaleOf(word);
      section = 0;
    }
  }
  return found ? total + section : undefined;
}

function scaleOf(word: string): number {
  if (word === 'hundred') return 100;
  if (word === 'million') return 1_000_000;
  return word === '' ? 1 : 1000;
}

/** Every number in a folded text, Chinese and English, in order. */
export function findNumbers(text: string): FoundNumber[] {
  const found: FoundNumber[] = [];
  for (const [pattern, parse] of [
    [ZH_NUMBER, zhNumber],
    [EN_NUMBER, enNumber],
  ] as const)
    for (const match of text.matchAll(pattern)) {
      const value = parse(match[0]);
      const [start, end] = [match.index, match.index + match[0].length];
      if (value === undefined || found.some((other) => start < other.end && other.start < end)) continue;
      found.push({ value, start, end });
    }
  return found.sort((a, b) => a.start - b.start);
}
