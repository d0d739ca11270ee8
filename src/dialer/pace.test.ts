import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutcomeCode } from '#domain/outcome.ts';
import { CLOSED_BREAKER, afterCall, restsUntil } from './breaker.ts';
import type { BreakerState } from './breaker.ts';
import { Pace } from './pace.ts';
import { scriptVariables } from './variables.ts';

describe('pace', () => {
  it('keeps the distance between slots, whatever the moments it is asked at', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 200 }),
        (callsPerSecond, waits) => {
          const pace = new Pace(callsPerSecond);
          const slots: number[] = [];
          let nowMs = 0;
          for (const waitMs of waits) {
            nowMs += waitMs;
            const free = pace.countUntil(nowMs, nowMs + 400);
            for (let n = 0; n < free; n += 1) {
              slots.push(pace.nextMs(nowMs));
              pace.take(pace.nextMs(nowMs));
            }
            expect(pace.nextMs(nowMs)).toBeGreaterThanOrEqual(nowMs + 400 - 1e-6);
          }
          const gaps = slots.slice(1).map((slot, index) => slot - slots[index]!);
          for (const gapMs of gaps) expect(gapMs).toBeGreaterThanOrEqual(1000 / callsPerSecond - 1e-6);
        },
      ),
    );
  });

  it('loses no slot to late timers while it is asked within the horizon', () => {
    const pace = new Pace(20);
    let taken = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 290) {
      const free = pace.countUntil(nowMs, nowMs + 400);
      for (let n = 0; n < free; n += 1) pace.take(pace.nextMs(nowMs));
      taken += free;
    }
    expect(taken).toBeGreaterThanOrEqual(60 * 20);
  });
});

describe('circuit breaker', () => {
  const feed = (outcomes: readonly OutcomeCode[], from: BreakerState = CLOSED_BREAKER, startMs = 0): BreakerState =>
    outcomes.reduce((state, outcome, index) => afterCall(state, outcome, startMs + index * 100), from);

  it('rests a trunk when more than half of at least five calls failed', () => {
    expect(restsUntil(feed(['congestion', 'lost', 'congestion', 'lost']), 400)).toBeUndefined();
    expect(restsUntil(feed(['congestion', 'busy', 'congestion', 'busy', 'lost']), 400)).toBe(30_400);
  });

  it('takes what callees do, and calls that we cancelled, for no failure', () => {
    const harmless = ['busy', 'no-answer', 'powered-off', 'invalid-number', 'cancelled', 'rejected'] as const;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...harmless), { maxLength: 100 }), (outcomes) => {
        expect(restsUntil(feed(outcomes), outcomes.length * 100)).toBeUndefined();
      }),
    );
  });

  it('forgets failures after two minutes', () => {
    const state = feed(['congestion', 'congestion', 'congestion', 'congestion']);
    expect(restsUntil(afterCall(state, 'congestion', 121_000), 121_000)).toBeUndefined();
  });

  it('opens again after the rest, and rests twice as long when the trunk is still bad', () => {
    const bad = Array<OutcomeCode>(5).fill('congestion');
    const first = feed(bad);
    expect(restsUntil(first, 30_400)).toBeUndefined();
    expect(restsUntil(feed(bad, first, 31_000), 31_400)).toBe(31_400 + 60_000);
    const good = feed(Array<OutcomeCode>(10).fill('answered'), first, 31_000);
    expect(restsUntil(feed(bad, good, 200_000), 200_400)).toBe(200_400 + 30_000);
  });
});

describe('script variables', () => {
  const variable = (name: string, rest: object = {}) => ({
    name,
    label: `标签${name}`,
    kind: 'text' as const,
    required: true,
    ...rest,
  });

  it('takes values by name, by label, from the contact, and from fallbacks, in that order', () => {
    const script = {
      variables: [variable('amount'), variable('date'), variable('name'), variable('bank', { fallback: '我行' })],
    };
    const contact = { name: '王女士', attributes: { amount: '300', 标签amount: '0', 标签date: '5号', bank: ' ' } };
    const { values, missing } = scriptVariables(script, contact);
    expect(values).toMatchObject({ amount: '300', date: '5号', name: '王女士', bank: '我行' });
    expect(missing).toEqual([]);
  });

  it('names the required variables that nothing gives, and leaves optional ones empty', () => {
    const script = { variables: [variable('amount'), variable('note', { required: false })] };
    expect(scriptVariables(script, { name: '', attributes: {} })).toEqual({
      values: { note: '' },
      missing: ['amount'],
    });
  });
});
