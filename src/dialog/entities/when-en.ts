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
import { EN_NUMBER, enNumber } from './number.ts';

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAY = `(${WEEKDAYS.join('|')}|mon|tues?|wed|thurs?|fri|sat|sun)`;
const MONTH = `(${MONTHS.join('|')}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)`;
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?';

/** Number words become digits first, so that every rule below reads digits only. */
function digits(text: string): string {
  return text
    .replace(/\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b/giu, (word) => {
      const names = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
      return `${names.indexOf(word.toLowerCase()) + 1}th`;
    })
    .replace(EN_NUMBER, (numeral) => (/^\d/u.test(numeral) ? numeral : String(enNumber(numeral) ?? numeral)));
}

/** Reads English dates and times; undefined where there is none. */
export function readEnglish(text: string, today: CivilMoment): WhenDraft | undefined {
  if (!/[a-z]|\d:\d/iu.test(text)) return undefined;
  const said = digits(text.toLowerCase());
  const offsetMinutes = readOffset(said);
  if (offsetMinutes !== undefined) return { offsetMinutes };
  const date = readDate(said, today);
  const time = readTime(said);
  if (date !== undefined || time !== undefined) return { ...(date === undefined ? {} : { date }), ...time };
  if (/\b(?:in a (?:bit|while|moment|minute)|shortly|soon)\b/u.test(said)) return { offsetMinutes: 30 };
  if (/\blater\b/u.test(said)) return { offsetMinutes: 60 };
  if (/\b(?:right now|right away|immediately)\b/u.test(said)) return { offsetMinutes: 0 };
  return undefined;
}

function readOffset(said: string): number | undefined {
  if (/\b(?:an|1) hour and a half\b/u.test(said)) return 90;
  if (/\bhalf an hour\b|\bhalf hour\b/u.test(said)) return 30;
  const and = /\b(\d+) and a half hours\b/u.exec(said);
  if (and !== null) return Number(and[1]) * 60 + 30;
  const hours = /\b(an?|\d+(?:\.5)?|a couple of|a few) hours?\b/u.exec(said);
  if (hours !== null && /\bin\b|later|from now|after/u.test(said)) return count(hours[1]!) * 60;
  const minutes = /\b(an?|\d+|a couple of|a few) min(?:ute)?s?\b/u.exec(said);
  if (minutes !== null && /\bin\b|later|from now|after|give me/u.test(said))
    return minutes[1] === 'a few' ? 10 : count(minutes[1]!) * 1;
  if (/\bquarter of an hour\b/u.test(said)) return 15;
  return undefined;
}

function count(text: string): number {
  if (text === 'a' || text === 'an') return 1;
  if (text === 'a couple of') return 2;
  return text === 'a few' ? 3 : Number(text);
}

function readDate(said: string, today: CivilMoment): CivilDate | undefined {
  const iso = /\b(\d{4})-(\d{1,2})-(\d{1,2})\b/u.exec(said);
  if (iso !== null) return valid(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  if (/\bday after tomorrow\b/u.test(said)) return addDays(today, 2);
  if (/\btomorrow\b/u.test(said)) return addDays(today, 1);
  if (/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/u.test(said)) return addDays(today, 0);
  const distance = /\b(?:in )?(an?|\d+|a couple of|a few) (day|week|month)s?\b/u.exec(said);
  if (distance !== null && /\bin\b|later|from now|after/u.test(said)) {
    const n = count(distance[1]!);
    if (distance[2] === 'month') return addMonths(today, n);
    return addDays(today, distance[2] === 'week' ? 7 * n : n);
  }
  const named = namedDay(said, today);
  if (named !== undefined) return named;
  const week = new RegExp(`\\b(next|this)?\\s?(?:on\\s)?${WEEKDAY}\\b(\\snext week)?`, 'u').exec(said);
  if (week !== null) {
    const day = WEEKDAYS.findIndex((name) => name.startsWith(week[2]!.slice(0, 3))) + 1;
    if (week[1] === 'next' || week[3] !== undefined) return addDays(today, day - today.weekday + 7);
    if (week[1] === 'this') return addDays(today, day - today.weekday);
    return addDays(today, ((day - today.weekday + 6) % 7) + 1);
  }
  if (/\bnext week\b/u.test(said)) return addDays(today, 8 - today.weekday);
  if (/\bweekend\b/u.test(said)) return today.weekday >= 6 ? addDays(today, 0) : addDays(today, 6 - today.weekday);
  return undefined;
}

function namedDay(said: string, today: CivilMoment): CivilDate | undefined {
  const nextMonth = /\bnext month\b/u.test(said) ? 1 : 0;
  if (/\b(?:end of (?:the |this |next )?month|month end)\b/u.test(said)) return dayOf(today, nextMonth, 31);
  const monthDay = new RegExp(`\\b${MONTH}\\.? ${DAY}\\b`, 'u').exec(said);
  const dayMonth = new RegExp(`\\b${DAY} (?:of )?${MONTH}\\b`, 'u').exec(said);
  const month = monthDay?.[1] ?? dayMonth?.[2];
  if (month !== undefined) {
    const number = MONTHS.findIndex((name) => name.startsWith(month.slice(0, 3))) + 1;
    const day = Number(monthDay?.[2] ?? dayMonth?.[1]);
    const date = valid(today.year, number, day);
    return date !== undefined && compareDates(date, today) < 0 ? valid(today.year + 1, number, day) : date;
  }
  const alone = /\b(?:the )?(\d{1,2})(?:st|nd|rd|th)\b/u.exec(said);
  if (alone !== null) {
    const day = Number(alone[1]);
    return dayOf(today, nextMonth === 1 || day < today.day ? 1 : 0, day);
  }
  return nextMonth === 1 ? dayOf(today, 1, 1) : undefined;
}

function valid(year: number, month: number, day: number): CivilDate | undefined {
  const date = { year, month, day };
  return isDate(date) ? date : undefined;
}

function dayOf(today: CivilMoment, monthsOn: number, day: number): CivilDate | undefined {
  if (day < 1 || day > 31) return undefined;
  const month = addMonths({ year: today.year, month: today.month, day: 1 }, monthsOn);
  return { ...month, day: Math.min(day, daysInMonth(month.year, month.month)) };
}

function readTime(said: string): WhenDraft | undefined {
  if (/\bnoon\b|\bmidday\b/u.test(said)) return { minuteOfDay: 720 };
  if (/\bmidnight\b/u.test(said)) return { minuteOfDay: 0 };
  const pm = /\b(?:afternoon|evening|tonight)\b/u.test(said);
  const am = /\bmorning\b/u.test(said);
  const quarter = /\b(half|quarter) (past|to) (\d{1,2})\b/u.exec(said);
  const clock = /\b(\d{1,2})(?::(\d{2}))?\s?(am|pm|a\.m\.?|p\.m\.?|o'?\s?clock)(?![a-z])/u.exec(said);
  const digital = /\b(\d{1,2}):(\d{2})\b/u.exec(said);
  const at = /\b(?:at|around|about|by|after) (\d{1,2})\b(?!\s?(?:min|hour|day|week|month|st|nd|rd|th))/u.exec(said);
  let minute: number | undefined;
  if (quarter !== null) {
    const part = quarter[1] === 'half' ? 30 : 15;
    minute = Number(quarter[3]) * 60 + (quarter[2] === 'to' ? -part : part);
  } else if (clock !== null) minute = Number(clock[1]) * 60 + Number(clock[2] ?? 0);
  else if (digital !== null) minute = Number(digital[1]) * 60 + Number(digital[2]);
  else if (at !== null) minute = Number(at[1]) * 60;
  if (minute === undefined || minute > 1440) {
    if (am) return { minuteOfDay: 600, vagueTime: true };
    if (/\bafternoon\b/u.test(said)) return { minuteOfDay: 900, vagueTime: true };
    return pm ? { minuteOfDay: 1170, vagueTime: true } : undefined;
  }
  const half =
    clock?.[3]?.startsWith('p') === true || pm ? 'pm' : clock?.[3]?.startsWith('a') === true || am ? 'am' : '';
  if (half === 'pm' && minute < 720) minute += 720;
  if (half === 'am' && minute >= 720) minute -= 720;
  return { minuteOfDay: minute % 1440, halfDayUnknown: half === '' && digital === null && minute < 720 };
}
