import {
  addDays,
  addMonths,
  compareDates,
  daysInMonth,
  isDate,
  type CivilDate,
  type CivilMoment,
  type WhenDraft,
} from './civil.ts';
import { zhNumber } from './number.ts';

const N = '(\\d{1,4}|[零〇一二两三四五六七八九十百]{1,5})';
const AFTER = '(?:以后|之后|后|过后)';

const PERIODS: readonly (readonly [RegExp, number, 'am' | 'noon' | 'pm'])[] = [
  [/凌晨|半夜/u, 2 * 60, 'am'],
  [/清晨|早晨|早上|一早|大早|[今明后]早|早(?=\d|[七八九十])/u, 9 * 60, 'am'],
  [/上午/u, 10 * 60, 'am'],
  [/中午|正午|午饭/u, 12 * 60, 'noon'],
  [/下午|午后/u, 15 * 60, 'pm'],
  [/傍晚|下班/u, 18 * 60 + 30, 'pm'],
  [/晚上|夜里|夜晚|[今明后当]晚|晚(?=[六七八九]点)/u, 19 * 60 + 30, 'pm'],
];

/** Distances from now, first match wins. Vague ones are what a caller would take them for. */
const OFFSETS: readonly (readonly [RegExp, (n: number) => number])[] = [
  [new RegExp(`(?:过|再过|等)?${N}个半(?:小时|钟头)`, 'u'), (n) => n * 60 + 30],
  [/(?:过|再过|等)?半个?(?:多)?(?:小时|钟头|钟)/u, () => 30],
  [new RegExp(`(?:过|再过|等)?${N}个?(?:多)?(?:小时|钟头)半`, 'u'), (n) => n * 60 + 30],
  [new RegExp(`(?:过|再过|等)?${N}个?(?:多)?(?:小时|钟头)`, 'u'), (n) => n * 60],
  [new RegExp(`(?:过|再过|等)?${N}刻钟`, 'u'), (n) => n * 15],
  [new RegExp(`(?:过|再过|等)?${N}来?分钟`, 'u'), (n) => n],
  [/(?:过|再过|等)几分钟|几分钟(?:以后|之后|后)/u, () => 10],
  [/(?:过|再过|等)几个?(?:小时|钟头)|几个?小时(?:以后|之后|后)/u, () => 180],
  [/一会儿?|(?:等|待|过|呆)(?:一)?会儿?|等(?:一)?下|稍后|稍微晚|过一阵儿/u, () => 30],
  [/(?:晚|迟)(?:一)?(?:点|些)(?!\d)(?:儿|再|吧|打|联系|来|$)|回头(?:再|打|联系)|忙完/u, () => 60],
  [/马上|立刻|立马|这就|现在就|现在还/u, () => 0],
];

/** Reads Chinese dates and times; undefined where there is none. */
export function readChinese(text: string, today: CivilMoment): WhenDraft | undefined {
  const date = readDate(text, today);
  const time = readTime(text, date?.rest ?? text);
  if (date === undefined && time === undefined) {
    for (const [pattern, minutes] of OFFSETS) {
      const match = pattern.exec(text);
      if (match !== null) return { offsetMinutes: minutes(number(match[1])) };
    }
    return undefined;
  }
  return { ...(date === undefined ? {} : { date: date.date }), ...time };
}

type DateRule = (match: RegExpExecArray, today: CivilMoment) => CivilDate | undefined;

const DATES: readonly (readonly [RegExp, DateRule])[] = [
  [/(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?:日|号)?/u, (m) => valid(Number(m[1]), Number(m[2]), Number(m[3]))],
  [new RegExp(`(明年|今年)?${N}月${N}(?:号|日)?`, 'u'), monthAndDay],
  [/大后天/u, (_, today) => addDays(today, 3)],
  [/后天|后[早晚]/u, (_, today) => addDays(today, 2)],
  [/明天|明儿|明日|明[早晚]|次日|第二天/u, (_, today) => addDays(today, 1)],
  [/今天|今儿|今日|今[早晚]|当天/u, (_, today) => addDays(today, 0)],
  [new RegExp(`(?:过|再过|等)${N}天|${N}天${AFTER}`, 'u'), (m, today) => addDays(today, number(m[1] ?? m[2]))],
  [/(?:过|再过|等)(?:个)?(?:几|些)天|几天(?:以后|之后|后)|这几天/u, (_, today) => addDays(today, 3)],
  [new RegExp(`(?:过|再过|等)?${N}个?(?:周|星期|礼拜)${AFTER}|(?:过|再过|等)${N}个?(?:周|星期|礼拜)`, 'u'), weeks],
  [/(?:过|再过|等)?半个月(?:以后|之后|后)?/u, (_, today) => addDays(today, 15)],
  [/(?:过|再过)(?:一)?(?:阵子?|段时间)/u, (_, today) => addDays(today, 7)],
  [new RegExp(`(?:过|再过|等)${N}个月|${N}个月${AFTER}`, 'u'), (m, today) => addMonths(today, number(m[1] ?? m[2]))],
  [/(下+)个?(?:周|星期|礼拜)末/u, (m, today) => weekday(today, 6, m[1]!.length)],
  [/(下+)个?(?:周|星期|礼拜)([一二三四五六日天1-7])/u, (m, today) => weekday(today, dayOfWeek(m[2]!), m[1]!.length)],
  [/(?:这个?|本)(?:周|星期|礼拜)([一二三四五六日天1-7])/u, (m, today) => weekday(today, dayOfWeek(m[1]!), 0)],
  [/(?:周|星期|礼拜)([一二三四五六日天1-7])/u, (m, today) => nextWeekday(today, dayOfWeek(m[1]!))],
  [/周末|礼拜末/u, (_, today) => (today.weekday >= 6 ? addDays(today, 0) : nextWeekday(today, 6))],
  [/(下+)个?(?:周|星期|礼拜)/u, (m, today) => weekday(today, 1, m[1]!.length)],
  [new RegExp(`下个?月(?:的)?${N}(?:号|日)`, 'u'), (m, today) => dayInMonth(today, 1, number(m[1]))],
  [/下个?月(?:底|末)/u, (_, today) => dayInMonth(today, 1, 31)],
  [/下个?月中/u, (_, today) => dayInMonth(today, 1, 15)],
  [/下个?月初?|月初/u, (_, today) => dayInMonth(today, 1, 1)],
  [/月(?:底|末)/u, (_, today) => dayInMonth(today, 0, 31)],
  [/月中/u, (_, today) => dayInMonth(today, today.day <= 15 ? 0 : 1, 15)],
  [/年(?:底|末)/u, (_, today) => ({ year: today.year, month: 12, day: 31 })],
  [new RegExp(`(?:这个月|本月|当月)(?:的)?${N}(?:号|日)`, 'u'), (m, today) => dayInMonth(today, 0, number(m[1]))],
  [new RegExp(`${N}(?:号|日)(?!楼|线|店|码)`, 'u'), dayAlone],
];

function readDate(text: string, today: CivilMoment): { date: CivilDate; rest: string } | undefined {
  for (const [pattern, rule] of DATES) {
    const match = pattern.exec(text);
    const date = match === null ? undefined : rule(match, today);
    if (match === null || date === undefined) continue;
    // 今晚 and 明早 name the day and the part of it: that part stays readable for the time.
    const kept = /[早晚]$/u.test(match[0]) ? match[0] : ' ';
    return { date, rest: text.slice(0, match.index) + kept + text.slice(match.index + match[0].length) };
  }
  return undefined;
}

const CLOCK = new RegExp(`${N}(?:点钟?|时)(?!小时)(半|[一二三1-3]刻|整|${N}分?)?`, 'u');
/** `有一点`, `便宜一点`, `一点儿`, `晚点`: a little, not one o'clock. */
const A_LITTLE =
  /一点(?:儿|都|也|没|不|空)|(?<![午晨上晚天日号周一二三四五六末十]|^)一点(?![半钟整零〇一二三四五六七八九十\d])|[早晚慢快大小便好多少]一?点(?![半一二三四五六七八九十\d钟])/gu;
const DIGITAL = /(\d{1,2})[:：](\d{2})/u;

function readTime(text: string, rest: string): WhenDraft | undefined {
  const period = PERIODS.find(([pattern]) => pattern.test(text));
  const digital = DIGITAL.exec(rest);
  const clock = CLOCK.exec(rest.replace(A_LITTLE, ' '));
  let minute: number | undefined;
  if (digital !== null) minute = Number(digital[1]) * 60 + Number(digital[2]);
  else if (clock !== null) minute = number(clock[1]) * 60 + minutesOf(clock[2], clock[3]);
  if (minute === undefined || minute > 24 * 60)
    return period === undefined ? undefined : { minuteOfDay: period[1], vagueTime: true };
  if (period === undefined) return { minuteOfDay: minute % 1440, halfDayUnknown: digital === null && minute < 720 };
  const [, , half] = period;
  if (half === 'pm' && minute < 720) minute += 720;
  if (half === 'noon' && minute < 360) minute += 720;
  if (half === 'am' && minute >= 720 && minute < 780) minute -= 720;
  return { minuteOfDay: minute % 1440 };
}

function minutesOf(text: string | undefined, digits: string | undefined): number {
  if (text === undefined || text === '整') return 0;
  if (text === '半') return 30;
  if (text.endsWith('刻')) return number(text.slice(0, 1)) * 15;
  const minutes = number(digits);
  return minutes < 60 ? minutes : 0;
}

function number(text: string | undefined): number {
  return text === undefined ? 0 : (zhNumber(text) ?? 0);
}

function dayOfWeek(text: string): number {
  return '一二三四五六'.indexOf(text) + 1 || (/^[1-7]$/u.test(text) ? Number(text) : 7);
}

function valid(year: number, month: number, day: number): CivilDate | undefined {
  const date = { year, month, day };
  return isDate(date) ? date : undefined;
}

function monthAndDay(match: RegExpExecArray, today: CivilMoment): CivilDate | undefined {
  const [month, day] = [number(match[2]), number(match[3])];
  if (match[1] !== undefined) return valid(today.year + (match[1] === '明年' ? 1 : 0), month, day);
  const date = valid(today.year, month, day);
  return date !== undefined && compareDates(date, today) < 0 ? valid(today.year + 1, month, day) : date;
}

function weeks(match: RegExpExecArray, today: CivilMoment): CivilDate {
  return addDays(today, 7 * number(match[1] ?? match[2]));
}

function weekday(today: CivilMoment, day: number, weeksOn: number): CivilDate {
  return addDays(today, day - today.weekday + 7 * weeksOn);
}

function nextWeekday(today: CivilMoment, day: number): CivilDate {
  return addDays(today, ((day - today.weekday + 6) % 7) + 1);
}

function dayInMonth(today: CivilMoment, monthsOn: number, day: number): CivilDate | undefined {
  if (day < 1 || day > 31) return undefined;
  const month = addMonths({ year: today.year, month: today.month, day: 1 }, monthsOn);
  return { ...month, day: Math.min(day, daysInMonth(month.year, month.month)) };
}

function dayAlone(match: RegExpExecArray, today: CivilMoment): CivilDate | undefined {
  const day = number(match[1]);
  return dayInMonth(today, day >= today.day ? 0 : 1, day);
}
