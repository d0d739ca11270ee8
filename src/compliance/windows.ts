import type { CallingWindow } from '#domain/campaign.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
// Beyond a week because a window can fall into the hour that a clock change skips.
const HORIZON_DAYS = 15;

const formatters = new Map<string, Intl.DateTimeFormat | undefined>();

/** Whether the runtime knows the IANA zone. */
export function isTimeZone(timeZone: string): boolean {
  return formatterOf(timeZone) !== undefined;
}

/** Whether a window is open at the callee's place; an unknown zone is closed. */
export function isOpen(windows: readonly CallingWindow[], timeZone: string, at: Date): boolean {
  const offset = offsetMs(timeZone, at.getTime());
  return offset !== undefined && openIn(windows, at.getTime() + offset);
}

/**
 * The first moment from `from` on at which a window is open: `from` itself when open, undefined when none opens within
 * two weeks or the zone is unknown. Right across clock changes: a start that is skipped opens where the clock lands.
 */
export function nextOpening(windows: readonly CallingWindow[], timeZone: string, from: Date): Date | undefined {
  if (windows.length === 0) return undefined;
  const endMs = from.getTime() + HORIZON_DAYS * DAY_MS;
  let atMs = from.getTime();
  while (atMs < endMs) {
    const offset = offsetMs(timeZone, atMs);
    if (offset === undefined) return undefined;
    const segmentEndMs = endOfOffset(timeZone, atMs, offset);
    const localMs = nextOpenLocal(windows, atMs + offset, segmentEndMs + offset);
    if (localMs !== undefined) return new Date(localMs - offset);
    atMs = segmentEndMs;
  }
  return undefined;
}

/** The first moment of the local day that `at` is in; undefined for an unknown zone. */
export function startOfLocalDay(timeZone: string, at: Date): Date | undefined {
  const today = localDay(timeZone, at.getTime());
  if (today === undefined) return undefined;
  return new Date(
    firstMs(
      Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS - 26 * 60 * MINUTE_MS,
      at.getTime(),
      (ms) => localDay(timeZone, ms)! >= today,
    ),
  );
}

/** The first moment of the local day after the one that `at` is in; undefined for an unknown zone. */
export function startOfNextLocalDay(timeZone: string, at: Date): Date | undefined {
  const today = localDay(timeZone, at.getTime());
  if (today === undefined) return undefined;
  const fromMs = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
  return new Date(firstMs(fromMs, fromMs + 26 * 60 * MINUTE_MS, (ms) => localDay(timeZone, ms)! > today));
}

/** The day number of local time, counted from 1970-01-01. */
function localDay(timeZone: string, atMs: number): number | undefined {
  const offset = offsetMs(timeZone, atMs);
  return offset === undefined ? undefined : Math.floor((atMs + offset) / DAY_MS);
}

/** The first whole minute after `lowMs` at which `holds`, which is false there and true from some moment on. */
function firstMs(lowMs: number, highMs: number, holds: (ms: number) => boolean): number {
  let low = 0;
  let high = Math.ceil((highMs - lowMs) / MINUTE_MS);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(lowMs + middle * MINUTE_MS)) high = middle;
    else low = middle;
  }
  return lowMs + high * MINUTE_MS;
}

/** The end of the stretch from `atMs` in which the zone keeps its offset, at most a day on; to the minute. */
function endOfOffset(timeZone: string, atMs: number, offset: number): number {
  if (offsetMs(timeZone, atMs + DAY_MS) === offset) return atMs + DAY_MS;
  const fromMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  return firstMs(fromMs, fromMs + DAY_MS + MINUTE_MS, (ms) => offsetMs(timeZone, ms) !== offset);
}

function openIn(windows: readonly CallingWindow[], localMs: number): boolean {
  const weekday = weekdayOf(localMs);
  const minute = (localMs - Math.floor(localMs / DAY_MS) * DAY_MS) / MINUTE_MS;
  return windows.some(
    (window) => window.weekday === weekday && minute >= window.startMinute && minute < window.endMinute,
  );
}

function nextOpenLocal(windows: readonly CallingWindow[], fromMs: number, untilMs: number): number | undefined {
  if (openIn(windows, fromMs)) return fromMs;
  let best: number | undefined;
  for (let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS; dayMs < untilMs && best === undefined; dayMs += DAY_MS) {
    const weekday = weekdayOf(dayMs);
    for (const window of windows) {
      const startMs = dayMs + window.startMinute * MINUTE_MS;
      if (window.weekday !== weekday || startMs < fromMs || startMs >= untilMs) continue;
      if (window.startMinute < window.endMinute && (best === undefined || startMs < best)) best = startMs;
    }
  }
  return best;
}

/** 1970-01-01 was a Thursday. */
function weekdayOf(localMs: number): number {
  const days = Math.floor(localMs / DAY_MS);
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

/** Local time minus UTC. */
function offsetMs(timeZone: string, atMs: number): number | undefined {
  const formatter = formatterOf(timeZone);
  if (formatter === undefined) return undefined;
  const at = new Map<string, number>();
  for (const part of formatter.formatToParts(atMs)) at.set(part.type, Number(part.value));
  const value = (type: Intl.DateTimeFormatPartTypes): number => at.get(type) ?? Number.NaN;
  const [hour, minute, second] = [value('hour'), value('minute'), value('second')];
  const localMs = Date.UTC(value('year'), value('month') - 1, value('day'), hour, minute, second);
  return localMs - Math.floor(atMs / 1000) * 1000;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!formatters.has(timeZone)) formatters.set(timeZone, createFormatter(timeZone));
  return formatters.get(timeZone);
}

function createFormatter(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}
