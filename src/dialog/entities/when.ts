import {
  addDays,
  civilAt,
  compareDates,
  instantOf,
  type CivilDate,
  type CivilMoment,
  type WhenDraft,
} from './civil.ts';
import { hasHan } from '../understand/normalize.ts';
import { readEnglish } from './when-en.ts';
import { readChinese } from './when-zh.ts';

/** A time as the callee said it, relative to now at the callee's place. */
export interface When {
  readonly at: Date;
  readonly date: CivilDate;
  readonly minuteOfDay: number;
  readonly hasDate: boolean;
  readonly hasTime: boolean;
}

/** Where a day has no time: the time of a call-back on that day. */
const DEFAULT_MINUTE = 10 * 60;

/** Reads the first date or time of a folded text, Chinese or English; undefined where there is none. */
export function findWhen(text: string, now: Date, timeZone: string): When | undefined {
  const today = civilAt(now, timeZone);
  const english = !hasHan(text);
  const draft =
    (english ? readEnglish : readChinese)(text, today) ?? (english ? readChinese : readEnglish)(text, today);
  return draft === undefined ? undefined : resolve(draft, today, now, timeZone);
}

function resolve(draft: WhenDraft, today: CivilMoment, now: Date, timeZone: string): When {
  if (draft.offsetMinutes !== undefined) {
    const at = new Date(now.getTime() + draft.offsetMinutes * 60_000);
    const civil = civilAt(at, timeZone);
    return { at, date: civil, minuteOfDay: civil.minuteOfDay, hasDate: true, hasTime: true };
  }
  const hasTime = draft.minuteOfDay !== undefined;
  let date = draft.date ?? today;
  let minuteOfDay = draft.minuteOfDay ?? DEFAULT_MINUTE;
  const isToday = compareDates(date, today) === 0;
  if (draft.halfDayUnknown === true && minuteOfDay < 12 * 60) {
    const soon = isToday && minuteOfDay <= today.minuteOfDay && minuteOfDay + 720 > today.minuteOfDay;
    if (minuteOfDay < 8 * 60 || soon) minuteOfDay += 12 * 60;
  }
  if (isToday && minuteOfDay <= today.minuteOfDay) {
    if (draft.date === undefined && hasTime) date = addDays(date, 1);
    else if (!hasTime || draft.vagueTime === true) minuteOfDay = Math.min(today.minuteOfDay + 60, 24 * 60 - 1);
  }
  return { at: instantOf(date, minuteOfDay, timeZone), date, minuteOfDay, hasDate: draft.date !== undefined, hasTime };
}
