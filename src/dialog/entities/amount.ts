import { findNumbers } from './number.ts';

/** Money as said: `value` in units of the currency, two decimals. */
export interface Amount {
  readonly value: number;
  readonly currency: 'CNY' | 'USD' | undefined;
}

const CNY = /^\s?(?:块钱|块|元钱|元|圆|人民币|rmb|yuan|大洋)/u;
const USD = /^\s?(?:dollars?|bucks|usd|美元|美金|刀)/u;

/** The first amount in a folded text; a bare number counts only with `bare`, where an amount was asked for. */
export function findAmount(text: string, options: { readonly bare?: boolean } = {}): Amount | undefined {
  for (const number of findNumbers(text)) {
    const before = text.slice(Math.max(0, number.start - 1), number.start);
    const after = text.slice(number.end);
    const cny = CNY.exec(after);
    const usd = USD.exec(after);
    if (cny !== null)
      return { value: cents(number.value + small(after.slice(cny[0].length), number.value)), currency: 'CNY' };
    if (usd !== null) return { value: cents(number.value), currency: 'USD' };
    if (before === '¥' || before === '￥') return { value: cents(number.value), currency: 'CNY' };
    if (before === '$') return { value: cents(number.value), currency: 'USD' };
    const angle = /^毛|^角/u.test(after);
    if (angle) return { value: cents(number.value / 10), currency: 'CNY' };
    const unit =
      /^(?:号|日|月|点|年|天|个|小时|分钟|%|岁|次|遍|:|st\b|nd\b|rd\b|th\b|\s?(?:am|pm|days?|hours?)\b)/u.test(after);
    if (options.bare === true && !unit && number.value > 0) return { value: cents(number.value), currency: undefined };
  }
  return undefined;
}

/** `三块五` is 3.50, `一百块零五毛` 100.50. */
function small(rest: string, whole: number): number {
  const match = /^(?:零)?(?:([一二两三四五六七八九\d])(?:毛|角))?(?:([一二三四五六七八九\d])分)?/u.exec(rest);
  const digit = (text: string | undefined) => (text === undefined ? 0 : (findNumbers(text)[0]?.value ?? 0));
  if (match !== null && match[0] !== '' && (match[1] ?? match[2]) !== undefined)
    return digit(match[1]) / 10 + digit(match[2]) / 100;
  const bare = /^([一二三四五六七八九])(?![一二三四五六七八九十百千万个天月号点])/u.exec(rest);
  return bare !== null && Number.isInteger(whole) ? digit(bare[1]) / 10 : 0;
}

function cents(value: number): number {
  return Math.round(value * 100) / 100;
}
