const DIGITS = '零一二三四五六七八九';
const SMALL_UNITS = ['', '十', '百', '千'];
const LARGE_UNITS = ['', '万', '亿', '万亿'];

/** One to four digits below ten thousand; `full` keeps the leading 一 of 一十. */
function section(value: number, full: boolean): string {
  let out = '';
  let zero = false;
  for (let place = 3; place >= 0; place -= 1) {
    const digit = Math.floor(value / 10 ** place) % 10;
    if (digit === 0) {
      zero = out !== '';
      continue;
    }
    if (zero) out += '零';
    zero = false;
    const one = digit === 1 && place === 1 && out === '' && !full;
    out += (one ? '' : DIGITS[digit]!) + SMALL_UNITS[place]!;
  }
  return out;
}

/** A whole number from 0 to 9,999,999,999,999,999 as it is counted: 1280 → 一千二百八十. */
export function chineseNumber(value: number): string {
  if (value === 0) return '零';
  let out = '';
  for (let group = LARGE_UNITS.length - 1; group >= 0; group -= 1) {
    const part = Math.floor(value / 10_000 ** group) % 10_000;
    if (part === 0) continue;
    const gap = out !== '' && (part < 1000 || String(Math.floor(value / 10_000 ** group / 10_000)).endsWith('0000'));
    out += (gap ? '零' : '') + section(part, out !== '') + LARGE_UNITS[group]!;
  }
  return out;
}

/** Digit by digit; `phone` says 幺 for 1, as numbers are dictated. */
export function chineseDigits(digits: string, phone: boolean): string {
  return Array.from(digits, (digit) => (phone && digit === '1' ? '幺' : (DIGITS[Number(digit)] ?? ''))).join('');
}

function decimal(whole: string, fraction: string | undefined): string {
  const head = whole.length > 16 ? chineseDigits(whole, false) : chineseNumber(Number(whole));
  return fraction === undefined || fraction === '' ? head : `${head}点${chineseDigits(fraction, false)}`;
}

/** 1280.5 → 一千二百八十块五, 12.05 → 十二块零五分, 0.5 → 五毛, 20 → 二十元. */
function money(whole: string, fraction: string): string {
  const cents = Number(fraction.padEnd(2, '0').slice(0, 2));
  const yuan = Number(whole);
  const jiao = Math.floor(cents / 10);
  const fen = cents % 10;
  const head = yuan === 2 ? '两' : decimal(whole, undefined);
  if (cents === 0) return `${head}元`;
  if (yuan === 0) return `${jiao > 0 ? `${DIGITS[jiao]!}毛` : ''}${fen > 0 ? `${DIGITS[fen]!}分` : ''}`;
  if (fen === 0) return `${head}块${DIGITS[jiao]!}`;
  return `${head}块${jiao > 0 ? `${DIGITS[jiao]!}毛` : '零'}${DIGITS[fen]!}分`;
}

function clock(hour: string, minute: string): string {
  const hours = Number(hour);
  const minutes = Number(minute);
  const head = `${hours === 2 ? '两' : chineseNumber(hours)}点`;
  if (minutes === 0) return head;
  if (minutes === 30) return `${head}半`;
  return `${head}${minutes < 10 ? '零' : ''}${chineseNumber(minutes)}分`;
}

function monthDay(month: string, day: string): string {
  return `${chineseNumber(Number(month))}月${chineseNumber(Number(day))}`;
}

/** 两 stands before measure words where 二 would be wrong. */
const MEASURES = '个|位|次|天|年(?!级)|小时|点|节|笔|张|名|件|周|种|遍|家|万|千|百元|块|套|条|门|元';

/** Each rule reads one kind of number; the first that matches a place wins, plain numbers come last. */
const RULES: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  [/(\d)[,，](?=\d{3}(?:\D|$))/g, (_all, digit) => digit],
  [/(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d.])/g, (_a, y, m, d) => `${chineseDigits(y, false)}年${monthDay(m, d)}日`],
  [/(\d{4})年/g, (_all, year) => `${chineseDigits(year, false)}年`],
  [/(\d{1,2})月(\d{1,2})([日号])/g, (_all, month, day, unit) => `${monthDay(month, day)}${unit}`],
  [/(?<!\d)([01]?\d|2[0-3])[:：]([0-5]\d)(?:[:：][0-5]\d)?(?!\d)/g, (_all, hour, minute) => clock(hour, minute)],
  [/(\d+(?:\.\d+)?)\s*[%％]/g, (_all, number) => `百分之${decimal(...split(number))}`],
  [/[¥￥]\s*(\d+)(?:\.(\d+))?(?:元)?/g, (_all, whole, fraction) => money(whole, fraction ?? '')],
  [/(?<![\d.])(\d+)(?:\.(\d{1,2}))?(?:元|块钱|块)/g, (_all, whole, fraction) => money(whole, fraction ?? '')],
  [/(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)/g, (_all, a, b, c) => phone(a, b, c)],
  [/(?<!\d)(0\d{2,3})[- ](\d{3,4})(\d{4})(?!\d)/g, (_all, a, b, c) => phone(a, b, c)],
  [/(?<!\d)(400|800)[- ]?(\d{3,4})[- ]?(\d{3,4})(?!\d)/g, (_all, a, b, c) => phone(a, b, c)],
  [
    /(尾号|末四位|验证码|工号|房间|编号|热线|电话|拨打|致电)([是为:：\s]*)(\d+)/g,
    (_a, w, s, d) => `${w}${s}${chineseDigits(d, true)}`,
  ],
  [
    /(?<!\d)(10\d{3}|12\d{3}|95\d{3}|96\d{3,4}|1[12]\d)(?![\d.元万千百个位次天年月日号期%])/g,
    (_all, digits) => chineseDigits(digits, true),
  ],
  [new RegExp(`(?<![\\d.])2(?=${MEASURES})`, 'g'), () => '两'],
  [/(?<![\d.])(\d{9,}|0\d+)(?![\d.])/g, (_all, digits) => chineseDigits(digits, true)],
  [/(\d+)(?:\.(\d+))?/g, (_all, whole, fraction) => decimal(whole, fraction)],
];

function split(number: string): [string, string | undefined] {
  const [whole, fraction] = number.split('.');
  return [whole!, fraction];
}

function phone(...groups: readonly string[]): string {
  return groups.map((group) => chineseDigits(group, true)).join('，');
}

/** Text with every number written the way it is said in Mandarin. */
export function spokenChinese(text: string): string {
  return RULES.reduce(
    (spoken, [pattern, read]) => spoken.replace(pattern, read),
    text.normalize('NFKC').replaceAll(',', '，'),
  );
}
