import { describe, expect, it } from 'vitest';
import type { CampaignSettings } from '#domain/campaign.ts';
import { clockOfMinute, minuteOfClock } from './clock.ts';
import { problemAt } from './problem-at.ts';
import { draftOf, settingsOf } from './settings-draft.ts';

const settings: CampaignSettings = {
  windows: [{ weekday: 1, startMinute: 540, endMinute: 1440 }],
  redial: [{ outcome: 'busy', delaysSeconds: [300, 10], maxRetries: 3 }],
  maxAttempts: 4,
  dailyCap: 5,
  callBacks: 'redial',
  maxConcurrentCalls: 30,
  maxCallsPerSecond: 2.5,
  ringTimeoutMs: 45_000,
  trunk: 'main',
  callerNumber: '+861012345678',
};

describe('clock times', () => {
  it('reads what it writes', () => {
    for (const minute of [0, 1, 59, 60, 719, 1439, 1440]) expect(minuteOfClock(clockOfMinute(minute))).toBe(minute);
  });

  it('refuses what is no time of day', () => {
    const wrong = ['', '9', '24:01', '12:60', '-1:00', 'aa:bb'];
    expect(wrong.filter((text) => minuteOfClock(text) !== undefined)).toEqual([]);
    expect(minuteOfClock(' 9：05 ')).toBe(545);
  });
});

describe('settings in fields', () => {
  it('leaves settings as they were when nothing is edited', () => {
    const result = settingsOf(draftOf(settings));
    // Ten seconds are shown as 0.17 minutes and come back whole.
    expect(result).toEqual({ ok: true, settings });
  });

  it('reports every problem at the path that the API uses', () => {
    const result = settingsOf({
      ...draftOf(settings),
      windows: [
        { weekday: 1, start: 'x', end: '25:00' },
        { weekday: 2, start: '10:00', end: '09:00' },
      ],
      redial: [{ outcome: 'busy', delays: '5, -1', maxRetries: null }],
      ringTimeoutSeconds: null,
    });
    expect(result).toEqual({
      ok: false,
      problems: {
        'settings.windows[0].startMinute': 'clockInvalid',
        'settings.windows[0].endMinute': 'clockInvalid',
        'settings.windows[1].endMinute': 'clockOrder',
        'settings.redial[0].delaysSeconds': 'delaysInvalid',
        'settings.redial[0].maxRetries': 'numberRequired',
        'settings.ringTimeoutMs': 'numberRequired',
      },
    });
    expect(settingsOf({ ...draftOf(settings), windows: [] })).toMatchObject({
      problems: { 'settings.windows': 'windowsEmpty' },
    });
  });

  it('shows a problem of a list’s item at the list’s field', () => {
    const problems = { 'settings.redial[0].delaysSeconds[1]': 'too long' };
    expect(problemAt(problems, 'settings.redial[0].delaysSeconds')).toBe('too long');
    expect(problemAt(problems, 'settings.redial')).toBeUndefined();
  });
});
