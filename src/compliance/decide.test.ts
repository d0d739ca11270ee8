import { describe, expect, it } from 'vitest';
import type { PhoneNumber } from '#domain/phone.ts';
import { decideDial } from './decide.ts';
import type { DialFacts } from './decide.ts';
import { RULES } from './rules.ts';

const workdays = ([1, 2, 3, 4, 5] as const).map((weekday) => ({ weekday, startMinute: 540, endMinute: 1200 }));
// A Friday, 10:00 in Shanghai.
const fine: DialFacts = {
  phone: '+8613800138000' as PhoneNumber,
  timeZone: 'Asia/Shanghai',
  windows: workdays,
  suppressed: false,
  dialsToday: 0,
  dailyCap: 3,
  now: new Date('2026-11-20T02:00:00Z'),
};

describe('decideDial', () => {
  it('allows what every rule allows and names each rule', () => {
    const decision = decideDial(fine);
    expect(decision.allow).toBe(true);
    expect(decision.evidence.map((item) => 'rule' in item && item.rule)).toEqual([
      'SUPPRESSION',
      'UNKNOWN-ZONE',
      'CN-HOURS',
      'CN-FREQ',
    ]);
  });

  const nightly = { ...fine, now: new Date('2026-11-20T13:00:00Z') };
  it.each([
    ['a suppressed number', { ...fine, suppressed: true }, 'SUPPRESSION', 'suppressed', 'suppressed', undefined],
    [
      'an unknown zone',
      { ...fine, timeZone: undefined },
      'UNKNOWN-ZONE',
      'outside-hours',
      'unknown-time-zone',
      undefined,
    ],
    [
      'a zone that does not exist',
      { ...fine, timeZone: 'X/Y' },
      'UNKNOWN-ZONE',
      'outside-hours',
      'unknown-time-zone',
      undefined,
    ],
    ['a Friday night until Monday', nightly, 'CN-HOURS', 'outside-hours', 'outside-window', '2026-11-23T01:00:00.000Z'],
    ['no windows at all', { ...fine, windows: [] }, 'CN-HOURS', 'outside-hours', 'outside-window', undefined],
    [
      'a number at its daily cap until the next opening',
      { ...fine, dialsToday: 3 },
      'CN-FREQ',
      'frequency-capped',
      'daily-cap',
      '2026-11-23T01:00:00.000Z',
    ],
    ['a cap of nothing for ever', { ...fine, dailyCap: 0 }, 'CN-FREQ', 'frequency-capped', 'daily-cap', undefined],
    [
      'a count that is not known',
      { ...fine, dialsToday: Number.NaN },
      'CN-FREQ',
      'frequency-capped',
      'daily-cap',
      '2026-11-23T01:00:00.000Z',
    ],
  ] as const)('denies %s', (_, facts, rule, outcome, hold, retryAt) => {
    const decision = decideDial(facts);
    expect(decision).toMatchObject({ allow: false, rule, outcome, hold, version: RULES[rule].version });
    expect(decision.evidence).toHaveLength(1);
    expect('retryAt' in decision ? decision.retryAt?.toISOString() : 'allowed').toBe(retryAt);
  });

  it('lets suppression win over every other reason', () => {
    expect(decideDial({ ...nightly, suppressed: true, timeZone: undefined, dialsToday: 9 })).toMatchObject({
      rule: 'SUPPRESSION',
    });
  });

  it('judges by the clock of the callee, not by ours', () => {
    const london = { ...fine, phone: '+442079460958' as PhoneNumber, timeZone: 'Europe/London' };
    // 02:00 in London, where other rules have their own names.
    expect(decideDial(london)).toMatchObject({ allow: false, rule: 'HOURS', hold: 'outside-window' });
  });

  it('notes a dial that the campaign allows outside the hours of the carriers', () => {
    const windows = ([1, 2, 3, 4, 5, 6, 7] as const).map((weekday) => ({ weekday, startMinute: 0, endMinute: 1440 }));
    const decision = decideDial({ ...nightly, windows });
    expect(decision.allow).toBe(true);
    expect(JSON.stringify(decision.evidence)).toContain('outside what carriers');
  });
});
