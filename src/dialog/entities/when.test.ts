import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { civilAt, isoDate } from './civil.ts';
import { findWhen } from './when.ts';
import { foldWidth } from '../understand/normalize.ts';

/** Monday 2026-01-05, 10:00 in Shanghai. */
const NOW = new Date('2026-01-05T02:00:00Z');
const ZONE = 'Asia/Shanghai';

function read(text: string, now = NOW, zone = ZONE): string | undefined {
  const when = findWhen(foldWidth(text), now, zone);
  if (when === undefined) return undefined;
  const at = civilAt(when.at, zone);
  const minute = at.minuteOfDay;
  return `${isoDate(at)} ${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

describe('call-back times are read relative to now at the callee’s place', () => {
  test.each([
    ['明天下午三点', '2026-01-06 15:00'],
    ['明天下午3点半', '2026-01-06 15:30'],
    ['明早八点', '2026-01-06 08:00'],
    ['明晚七点', '2026-01-06 19:00'],
    ['今晚八点', '2026-01-05 20:00'],
    ['今天晚上', '2026-01-05 19:30'],
    ['今天下午', '2026-01-05 15:00'],
    ['下午两点一刻', '2026-01-05 14:15'],
    ['下午2点20分', '2026-01-05 14:20'],
    ['上午十一点', '2026-01-05 11:00'],
    ['上午九点', '2026-01-06 09:00'],
    ['中午十二点半', '2026-01-05 12:30'],
    ['三点', '2026-01-05 15:00'],
    ['十一点吧', '2026-01-05 11:00'],
    ['15:30', '2026-01-05 15:30'],
    ['１５：３０', '2026-01-05 15:30'],
    ['后天', '2026-01-07 10:00'],
    ['大后天上午', '2026-01-08 10:00'],
    ['过两天', '2026-01-07 10:00'],
    ['过几天再说', '2026-01-08 10:00'],
    ['三天后', '2026-01-08 10:00'],
    ['一个星期以后', '2026-01-12 10:00'],
    ['半个月后', '2026-01-20 10:00'],
    ['两个月后', '2026-03-05 10:00'],
    ['下周三上午', '2026-01-14 10:00'],
    ['下周', '2026-01-12 10:00'],
    ['下下周一', '2026-01-19 10:00'],
    ['下个礼拜天', '2026-01-18 10:00'],
    ['这周五下午三点', '2026-01-09 15:00'],
    ['周五晚上七点', '2026-01-09 19:00'],
    ['星期一', '2026-01-12 10:00'],
    ['周末', '2026-01-10 10:00'],
    ['周六上午十点', '2026-01-10 10:00'],
    ['下个月5号', '2026-02-05 10:00'],
    ['下月五号下午', '2026-02-05 15:00'],
    ['下个月底', '2026-02-28 10:00'],
    ['月底', '2026-01-31 10:00'],
    ['月中', '2026-01-15 10:00'],
    ['月初', '2026-02-01 10:00'],
    ['15号', '2026-01-15 10:00'],
    ['二十五号', '2026-01-25 10:00'],
    ['3号', '2026-02-03 10:00'],
    ['1月20日', '2026-01-20 10:00'],
    ['十二月一号', '2026-12-01 10:00'],
    ['1月2号', '2027-01-02 10:00'],
    ['2026年3月8日', '2026-03-08 10:00'],
    ['2026-03-08 14:00', '2026-03-08 14:00'],
    ['年底', '2026-12-31 10:00'],
    ['半小时后', '2026-01-05 10:30'],
    ['半个小时以后再打给我', '2026-01-05 10:30'],
    ['一个半小时后', '2026-01-05 11:30'],
    ['两小时后', '2026-01-05 12:00'],
    ['过20分钟', '2026-01-05 10:20'],
    ['十分钟后', '2026-01-05 10:10'],
    ['一刻钟后', '2026-01-05 10:15'],
    ['一会儿', '2026-01-05 10:30'],
    ['等会儿再打', '2026-01-05 10:30'],
    ['晚点再打', '2026-01-05 11:00'],
    ['tomorrow at 3pm', '2026-01-06 15:00'],
    ['tomorrow morning', '2026-01-06 10:00'],
    ['in half an hour', '2026-01-05 10:30'],
    ['in an hour and a half', '2026-01-05 11:30'],
    ['in twenty minutes', '2026-01-05 10:20'],
    ['in two hours', '2026-01-05 12:00'],
    ['tonight at eight', '2026-01-05 20:00'],
    ['next Wednesday afternoon', '2026-01-14 15:00'],
    ['Friday at 4:30 pm', '2026-01-09 16:30'],
    ['the day after tomorrow', '2026-01-07 10:00'],
    ['in three days', '2026-01-08 10:00'],
    ['next week', '2026-01-12 10:00'],
    ['on the 15th', '2026-01-15 10:00'],
    ['January 20th at noon', '2026-01-20 12:00'],
    ['the end of the month', '2026-01-31 10:00'],
    ['half past three', '2026-01-05 15:30'],
    ['quarter to five in the afternoon', '2026-01-05 16:45'],
    ['this weekend', '2026-01-10 10:00'],
    ['later', '2026-01-05 11:00'],
  ])('%s → %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each(['我不知道', '有一点贵', '便宜一点', '我要投诉', 'maybe', 'I do not know', '', '三千块'])(
    '“%s” names no time',
    (text) => {
      expect(read(text)).toBeUndefined();
    },
  );

  test('the same words mean another instant in another zone', () => {
    expect(findWhen('明天下午三点', NOW, 'Asia/Urumqi')?.at.toISOString()).toBe('2026-01-06T09:00:00.000Z');
    expect(findWhen('tomorrow at 3pm', NOW, 'America/New_York')?.at.toISOString()).toBe('2026-01-05T20:00:00.000Z');
  });

  test('an hour that daylight saving skips is moved on', () => {
    const before = new Date('2026-03-07T17:00:00Z');
    expect(findWhen('tomorrow at 2:30 am', before, 'America/New_York')?.at.toISOString()).toBe(
      '2026-03-08T07:30:00.000Z',
    );
  });

  test('no text makes the reader fail', () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...'零一二三十百点半号月日周下上午后天年过明今:19 pm the at'.split('')), {
          maxLength: 14,
        }),
        (characters) => {
          const when = findWhen(characters.join(''), NOW, ZONE);
          expect(when === undefined || !Number.isNaN(when.at.getTime())).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
