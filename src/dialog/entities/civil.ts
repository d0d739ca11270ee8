/** A day of the calendar at the callee's place; `month` 1–12. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** A moment at the callee's place; `weekday` 1 = Monday … 7. */
export interface CivilMoment extends CivilDate {
  readonly minuteOfDay: number;
  readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** What calendar and clock show at a place. */
export function civilAt(at: Date, timeZone: string): CivilMoment {
  const parts: Record<string, number> = {};
  for (const part of formatFor(timeZone).formatToParts(at)) parts[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
  return { year, month, day, minuteOfDay: hour * 60 + minute, weekday: weekdayOf({ year, month, day }) };
}

/** The instant of a local time; a time that daylight saving skips moves on by the gap. */
export function instantOf(date: CivilDate, minuteOfDay: number, timeZone: string): Date {
  const wantedMs = Date.UTC(date.year, date.month - 1, date.day) + minuteOfDay * 60_000;
  const shownMs = (atMs: number) => {
    const shown = civilAt(new Date(atMs), timeZone);
    return Date.UTC(shown.year, shown.month - 1, shown.day) + shown.minuteOfDay * 60_000;
  };
  const firstMs = wantedMs + wantedMs - shownMs(wantedMs);
  const secondMs = firstMs + wantedMs - shownMs(firstMs);
  return new Date(shownMs(secondMs) === wantedMs ? secondMs : Math.max(firstMs, secondMs));
}

/** 1 = Monday … 7 = Sunday. */
export function weekdayOf(date: CivilDate): number {
  return new Date(Date.UTC(date.year, date.month - 1, date.day)).getUTCDay() || 7;
}

/** Days later in the calendar. */
export function addDays(date: CivilDate, days: number): CivilDate {
  const moved = new Date(Date.UTC(date.year, date.month - 1, date.day + days));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() };
}

/** Months later; a day that the month lacks becomes its last. */
export function addMonths(date: CivilDate, months: number): CivilDate {
  const index = date.year * 12 + date.month - 1 + months;
  const [year, month] = [Math.floor(index / 12), (index % 12) + 1];
  return { year, month, day: Math.min(date.day, daysInMonth(year, month)) };
}

/** 28–31. */
export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Sorts dates. */
export function compareDates(a: CivilDate, b: CivilDate): number {
  return a.year - b.year || a.month - b.month || a.day - b.day;
}

/** `2026-01-05`. */
export function isoDate(date: CivilDate): string {
  return `${date.year}-${String(date.month).padStart(2, '0')}-${String(date.day).padStart(2, '0')}`;
}

/** Whether the calendar has this day. */
export function isDate(date: CivilDate): boolean {
  return date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= daysInMonth(date.year, date.month);
}

/** What a reader found: a day, a time of day, or a distance from now; all optional. */
export interface WhenDraft {
  date?: CivilDate;
  /** Minutes from midnight; `vagueTime` where only a part of the day was named. */
  minuteOfDay?: number;
  vagueTime?: boolean;
  /** The hour was said without saying whether it is before noon. */
  halfDayUnknown?: boolean;
  offsetMinutes?: number;
}
