const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

const CURRENCIES: Readonly<Record<string, readonly [string, string, string, string]>> = {
  $: ['dollar', 'dollars', 'cent', 'cents'],
  '€': ['euro', 'euros', 'cent', 'cents'],
  '£': ['pound', 'pounds', 'penny', 'pence'],
  '¥': ['yuan', 'yuan', 'cent', 'cents'],
};

function ordinal(day: number): string {
  const tens = day % 100;
  if (tens >= 11 && tens <= 13) return `${day}th`;
  return `${day}${['th', 'st', 'nd', 'rd'][day % 10] ?? 'th'}`;
}

function money(sign: string, whole: string, fraction: string | undefined): string {
  const [one, many, cent, cents] = CURRENCIES[sign] ?? CURRENCIES['$']!;
  const units = Number(whole);
  const hundredths = Number((fraction ?? '').padEnd(2, '0').slice(0, 2));
  const head = `${whole} ${units === 1 ? one : many}`;
  const tail = `${hundredths} ${hundredths === 1 ? cent : cents}`;
  if (hundredths === 0) return head;
  return units === 0 ? tail : `${head} and ${tail}`;
}

function clock(hour: string, minute: string): string {
  if (minute === '00') return `${Number(hour)} o'clock`;
  return `${Number(hour)} ${minute.startsWith('0') ? `oh ${minute[1]!}` : minute}`;
}

function date(year: string, month: string, day: string): string {
  return `${MONTHS[Number(month) - 1] ?? month} ${ordinal(Number(day))}, ${year}`;
}

/** Digits apart, groups with a pause between them. */
function dictated(digits: string): string {
  const groups = digits.trim().split(/[\s().-]+/);
  return groups
    .filter((group) => group !== '')
    .map((group) => Array.from(group).join(' '))
    .join(', ');
}

const RULES: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  [/(\d),(?=\d{3}(?:\D|$))/g, (_all, digit) => digit],
  [/([$€£¥])\s*(\d+)(?:\.(\d{1,2}))?/g, (_all, sign, whole, fraction) => money(sign, whole, fraction)],
  [/(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?!\d)/g, (_all, year, month, day) => date(year, month, day)],
  [/(?<!\d)([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?!\d)/g, (_all, hour, minute) => clock(hour, minute)],
  [/(\d)\s*%/g, (_all, digit) => `${digit} percent`],
  [
    /(?<![\d.])(?:\+?\d{1,3}[-. ])?\(?\d{3}\)?[-. ]\d{3,4}[-. ]\d{4}(?!\d)|(?<![\d.])\d{3}-\d{4}(?!\d)|(?<![\d.])\+?\d{9,}(?![\d.])/g,
    (all) => dictated(all.replace('+', '')),
  ],
  [
    /\b(ending in|code|extension|number)(\s+(?:is\s+)?)(\d{2,8})(?![\d.])/gi,
    (_all, word, gap, digits) => `${word}${gap}${dictated(digits)}`,
  ],
];

/** Text with amounts, dates, times, percentages and phone numbers written the way they are said in English. */
export function spokenEnglish(text: string): string {
  return RULES.reduce((spoken, [pattern, read]) => spoken.replace(pattern, read), text);
}
