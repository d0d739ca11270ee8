import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallingWindow, Weekday } from '#domain/campaign.ts';
import { isOpen, nextOpening, startOfLocalDay, startOfNextLocalDay } from './windows.ts';

const MINUTE_MS = 60_000;
const ZONES = ['Asia/Shanghai', 'America/New_York', 'Europe/London', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
// Clock changes of the northern and the southern half of the year and quiet days between.
const STARTS = [
  '2026-03-07T12:00Z',
  '2026-03-28T12:00Z',
  '2026-10-24T12:00Z',
  '2026-10-31T12:00Z',
  '2026-04-04T06:00Z',
];

const window = fc
  .record({
    weekday: fc.integer({ min: 1, max: 7 }).map((day) => day as Weekday),
    startMinute: fc.integer({ min: 0, max: 1439 }),
    lengthMinutes: fc.integer({ min: 1, max: 300 }),
  })
  .map(({ weekday, startMinute, lengthMinutes }): CallingWindow => {
    return { weekday, startMinute, endMinute: Math.min(1440, startMinute + lengthMinutes) };
  });

const NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** The meaning of a window, straight from the wall clock. */
function openByWallClock(windows: readonly CallingWindow[], timeZone: string, atMs: number): boolean {
  const format = { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const text = new Intl.DateTimeFormat('en-US', format).format(atMs);
  const [, name, hour, minute] = /^(\w{3}),? (\d+):(\d+)$/.exec(text) ?? [];
  const weekday = NAMES.indexOf(name!) || 7;
  const now = Number(hour) * 60 + Number(minute);
  return windows.some((w) => w.weekday === weekday && now >= w.startMinute && now < w.endMinute);
}

describe('nextOpening', () => {
  it('agrees with looking at the wall clock minute by minute, also across clock changes', () => {
    const from = fc
      .tuple(fc.constantFrom(...STARTS), fc.integer({ min: 0, max: 36 * 3600 }))
      .map(([start, seconds]) => {
        return new Date(Date.parse(start) + seconds * 1000);
      });
    // Two days of minutes are searched by hand, so most windows lie there: Saturday to Monday.
    const windows = fc.array(
      window.map((w) => ({ ...w, weekday: ([6, 7, 1] as const)[w.weekday % 3]! })),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(windows, fc.constantFrom(...ZONES), from, (list, timeZone, at) => {
        let byHand: number | undefined = at.getTime();
        if (!openByWallClock(list, timeZone, byHand)) {
          byHand = Math.floor(byHand / MINUTE_MS) * MINUTE_MS;
          const endMs = byHand + 24 * 60 * MINUTE_MS;
          do byHand += MINUTE_MS;
          while (byHand < endMs && !openByWallClock(list, timeZone, byHand));
          if (byHand >= endMs) byHand = undefined;
        }
        const found = nextOpening(list, timeZone, at)?.getTime();
        const within = found !== undefined && found < at.getTime() + 23 * 60 * MINUTE_MS;
        expect(isOpen(list, timeZone, at)).toBe(byHand === at.getTime());
        expect(within || byHand !== undefined ? found : undefined).toBe(byHand);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it.each([
    ['opens at the start of the day in Shanghai', 'Asia/Shanghai', 9 * 60, '2026-11-19T22:00Z', '2026-11-20T01:00Z'],
    [
      'opens where the clock lands when it skips the start',
      'America/New_York',
      150,
      '2026-03-08T05:00Z',
      '2026-03-08T07:00Z',
    ],
    ['opens at the first of two equal local times', 'America/New_York', 90, '2026-11-01T04:00Z', '2026-11-01T05:30Z'],
  ])('%s', (_, timeZone, startMinute, from, opens) => {
    const windows = ([1, 2, 3, 4, 5, 6, 7] as const).map((weekday) => ({ weekday, startMinute, endMinute: 20 * 60 }));
    expect(nextOpening(windows, timeZone, new Date(from))?.toISOString()).toBe(new Date(opens).toISOString());
  });

  it('waits a week when a clock change swallows the whole window', () => {
    const windows = [{ weekday: 7, startMinute: 130, endMinute: 170 }] as const;
    const opens = nextOpening(windows, 'America/New_York', new Date('2026-03-08T05:00Z'));
    expect(opens?.toISOString()).toBe('2026-03-15T06:10:00.000Z');
  });

  it('never opens without a window or in a zone that does not exist', () => {
    const always = ([1, 2, 3, 4, 5, 6, 7] as const).map((weekday) => ({ weekday, startMinute: 0, endMinute: 1440 }));
    const now = new Date('2026-11-20T01:00Z');
    expect(nextOpening([], 'Asia/Shanghai', now)).toBeUndefined();
    expect(nextOpening(always, 'Asia/Atlantis', now)).toBeUndefined();
    expect(isOpen(always, 'Asia/Atlantis', now)).toBe(false);
    expect(nextOpening(always, 'Asia/Shanghai', now)).toEqual(now);
  });
});

describe('local days', () => {
  it.each([
    ['Asia/Shanghai', '2026-11-20T01:30:15Z', '2026-11-19T16:00:00.000Z', '2026-11-20T16:00:00.000Z'],
    ['America/New_York', '2026-03-08T18:00:00Z', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['America/New_York', '2026-11-01T18:00:00Z', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    // The clock goes from 24:00 to 01:00.
    ['America/Santiago', '2026-09-06T12:00:00Z', '2026-09-06T04:00:00.000Z', '2026-09-07T03:00:00.000Z'],
    ['Asia/Shanghai', '2026-11-19T16:00:00Z', '2026-11-19T16:00:00.000Z', '2026-11-20T16:00:00.000Z'],
  ])('begin at midnight in %s on %s', (timeZone, at, start, next) => {
    expect(startOfLocalDay(timeZone, new Date(at))?.toISOString()).toBe(start);
    expect(startOfNextLocalDay(timeZone, new Date(at))?.toISOString()).toBe(next);
  });
});
