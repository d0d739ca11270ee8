import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedialRule } from '#domain/campaign.ts';
import { NETWORK_OUTCOMES, OUTCOME_CODES, OUTCOME_FACTS } from '#domain/outcome.ts';
import { afterOutcome } from './redial.ts';
import { defaultSettings, validateSettings } from './settings.ts';

const NOW = new Date('2026-01-05T02:00:00Z');
const settings = defaultSettings();

function secondsUntil(at: Date | undefined): number {
  return at === undefined ? Number.NaN : (at.getTime() - NOW.getTime()) / 1000;
}

describe('redial', () => {
  it('waits 5 minutes, 15 minutes and an hour after a busy line, then gives up', () => {
    let lead = { attemptCount: 1, retries: {} };
    const delays: number[] = [];
    const next = () => afterOutcome({ ...settings, maxAttempts: 9, callBacks: 'redial' }, lead, outcome('busy'), NOW);
    while (next().state === 'waiting' && delays.length < 9) {
      delays.push(secondsUntil(next().nextAttemptAt));
      lead = { attemptCount: lead.attemptCount + 1, retries: next().retries };
    }
    expect(next()).toMatchObject({ state: 'done', reason: 'attempts-exhausted' });
    expect(delays).toEqual([300, 900, 3600]);
  });

  it('counts the retries of each outcome apart', () => {
    const first = afterOutcome(settings, { attemptCount: 1, retries: { busy: 2 } }, outcome('no-answer'), NOW);
    expect(secondsUntil(first.nextAttemptAt)).toBe(1800);
    expect(first.retries).toEqual({ busy: 2, 'no-answer': 1 });
  });

  it('gives a call-back time precedence over every delay, but not over the limit of attempts', () => {
    const callBackAt = new Date('2026-01-06T07:00:00Z');
    const asked = { code: 'answered' as const, optedOut: false, callBackAt };
    expect(afterOutcome(settings, { attemptCount: 1, retries: {} }, asked, NOW)).toMatchObject({
      state: 'waiting',
      nextAttemptAt: callBackAt,
    });
    expect(afterOutcome(settings, { attemptCount: 4, retries: {} }, asked, NOW)).toMatchObject({
      state: 'done',
      reason: 'attempts-exhausted',
    });
  });

  it('leaves a call-back to people where the campaign says so', () => {
    const asked = { code: 'answered' as const, optedOut: false, callBackAt: new Date('2026-01-06T07:00:00Z') };
    const change = afterOutcome({ ...settings, callBacks: 'record' }, { attemptCount: 1, retries: {} }, asked, NOW);
    expect(change).toMatchObject({ state: 'done', reason: 'completed' });
  });

  it('ends a lead that opted out even when a call-back was agreed', () => {
    const change = afterOutcome(
      settings,
      { attemptCount: 1, retries: {} },
      { code: 'answered', optedOut: true, callBackAt: new Date('2026-01-06T07:00:00Z') },
      NOW,
    );
    expect(change).toMatchObject({ state: 'done', reason: 'opted-out', nextAttemptAt: undefined });
  });

  it('tries again after a lost call even where the campaign has no rule for it', () => {
    const change = afterOutcome(
      { redial: [], maxAttempts: 3, callBacks: 'redial' },
      { attemptCount: 1, retries: {} },
      outcome('lost'),
      NOW,
    );
    expect(change).toMatchObject({ state: 'waiting', reason: 'retry-delay' });
    expect(secondsUntil(change.nextAttemptAt)).toBe(10);
  });

  it('never redials what is never to be redialled, whatever the rules say', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OUTCOME_CODES), fc.integer({ min: 1, max: 9 }), (code, maxRetries) => {
        const redial: RedialRule[] = [{ outcome: code, delaysSeconds: [1], maxRetries }];
        const change = afterOutcome(
          { redial, maxAttempts: 10, callBacks: 'redial' },
          { attemptCount: 1, retries: {} },
          outcome(code),
          NOW,
        );
        const verdict = OUTCOME_FACTS[code].retry;
        expect(change.state).toBe(verdict === 'later' || verdict === 'soon' ? 'waiting' : 'done');
      }),
    );
  });

  it.each(['trunk-unreachable', 'trunk-auth-failed'] as const)('never counts %s against the lead', (code) => {
    let retries: Readonly<Record<string, number>> = {};
    const delays = Array.from({ length: 6 }, () => {
      const change = afterOutcome(
        { redial: [], maxAttempts: 1, callBacks: 'redial' },
        { attemptCount: 1, retries },
        { code, optedOut: false, callBackAt: undefined },
        NOW,
      );
      expect(change).toMatchObject({ state: 'waiting', reason: 'trunk-unavailable', uncounted: true });
      ({ retries } = change);
      return (change.nextAttemptAt!.getTime() - NOW.getTime()) / 1000;
    });
    expect(delays).toEqual([10, 60, 300, 600, 600, 600]);
  });

  it('ends every lead within maxAttempts, by any order of outcomes, and always with a reason', () => {
    const ENDING = NETWORK_OUTCOMES.filter((code) => code !== 'trunk-unreachable' && code !== 'trunk-auth-failed');
    const rule = fc.record({
      outcome: fc.constantFrom(...NETWORK_OUTCOMES),
      delaysSeconds: fc.array(fc.integer({ min: 1, max: 86_400 }), { minLength: 1, maxLength: 4 }),
      maxRetries: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.record({ code: fc.constantFrom(...ENDING), callBack: fc.boolean() }), { minLength: 60 }),
        (redial, maxAttempts, outcomes) => {
          let lead: { attemptCount: number; retries: Readonly<Record<string, number>> } = {
            attemptCount: 0,
            retries: {},
          };
          const changes = [];
          for (const { code, callBack } of outcomes) {
            lead = { ...lead, attemptCount: lead.attemptCount + 1 };
            const callBackAt = callBack ? new Date(NOW.getTime() + 60_000) : undefined;
            const change = afterOutcome(
              { redial, maxAttempts, callBacks: 'redial' },
              lead,
              { code, optedOut: false, callBackAt },
              NOW,
            );
            changes.push(change);
            if (change.state === 'done') break;
            lead = {
              attemptCount: lead.attemptCount - (change.uncounted === true ? 1 : 0),
              retries: change.retries,
            };
          }
          expect(changes.filter(({ uncounted }) => uncounted !== true).length).toBeLessThanOrEqual(maxAttempts);

          expect(['completed', 'attempts-exhausted', 'not-retryable']).toContain(changes.at(-1)!.reason);
          for (const change of changes) {
            expect(change.state === 'waiting').toBe(change.nextAttemptAt !== undefined);
            expect(change.nextAttemptAt?.getTime() ?? Infinity).toBeGreaterThanOrEqual(NOW.getTime());
          }
        },
      ),
    );
  });
});

describe('settings', () => {
  const trunk = { name: 'main', callerNumbers: ['+862100000000'], channels: 20, callsPerSecond: 5 };

  it('takes its own defaults for a trunk, within the limits of the trunk', () => {
    const defaults = defaultSettings(trunk);
    expect(validateSettings(JSON.parse(JSON.stringify(defaults)), { trunks: [trunk] })).toEqual(defaults);
    expect(defaults.maxConcurrentCalls).toBe(20);
    expect(defaults.maxCallsPerSecond).toBe(5);
  });

  it('reports every problem at once with its path, in both languages', () => {
    const input = {
      ...defaultSettings(trunk),
      windows: [{ weekday: 8, startMinute: 600, endMinute: 540 }],
      redial: [
        { outcome: 'busy', delaysSeconds: [], maxRetries: 1 },
        { outcome: 'busy', delaysSeconds: [60], maxRetries: 1 },
        { outcome: 'invalid-number', delaysSeconds: [60], maxRetries: 1 },
      ],
      maxAttempts: 0,
      maxConcurrentCalls: 21,
      callerNumber: '+8610',
    };
    let problems: readonly { path: string; message: { zh: string; en: string } }[] = [];
    try {
      validateSettings(input, { trunks: [trunk] });
    } catch (error) {
      problems = (error as { problems: typeof problems }).problems;
    }
    expect(problems.map((problem) => problem.path).sort()).toEqual([
      'settings.callerNumber',
      'settings.maxAttempts',
      'settings.maxConcurrentCalls',
      'settings.redial[0].delaysSeconds',
      'settings.redial[1].outcome',
      'settings.redial[2].outcome',
      'settings.windows[0].endMinute',
      'settings.windows[0].weekday',
    ]);
    for (const { message } of problems) expect(message.zh.length * message.en.length).toBeGreaterThan(0);
  });

  it('survives any input with problems instead of a crash', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        expect(() => validateSettings(input)).toThrowError(expect.objectContaining({ code: 'invalid-input' }));
      }),
    );
  });
});

function outcome(code: (typeof OUTCOME_CODES)[number]) {
  return { code, optedOut: false, callBackAt: undefined };
}
