import type { CampaignSettings, Weekday } from '#domain/campaign.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import { clockOfMinute, minuteOfClock } from './clock.ts';

/** Texts that say what is wrong with a field, by key below `wizard`. */
export type DraftProblem = 'clockInvalid' | 'clockOrder' | 'windowsEmpty' | 'delaysInvalid' | 'numberRequired';

export interface WindowDraft {
  readonly weekday: Weekday;
  readonly start: string;
  readonly end: string;
}

export interface RedialDraft {
  readonly outcome: OutcomeCode;
  /** Minutes, separated by commas. */
  readonly delays: string;
  readonly maxRetries: number | null;
}

/** Campaign settings while they are typed. */
export interface SettingsDraft {
  readonly windows: readonly WindowDraft[];
  readonly redial: readonly RedialDraft[];
  readonly maxAttempts: number | null;
  readonly dailyCap: number | null;
  readonly callBacks: CampaignSettings['callBacks'];
  readonly maxConcurrentCalls: number | null;
  readonly maxCallsPerSecond: number | null;
  readonly ringTimeoutSeconds: number | null;
  readonly trunk: string;
  readonly callerNumber: string;
}

/** Problems by the path that the API uses for the same field. */
export type DraftProblems = Readonly<Record<string, DraftProblem>>;

/** Settings as fields show them. */
export function draftOf(settings: CampaignSettings): SettingsDraft {
  return {
    windows: settings.windows.map(({ weekday, startMinute, endMinute }) => ({
      weekday,
      start: clockOfMinute(startMinute),
      end: clockOfMinute(endMinute),
    })),
    redial: settings.redial.map(({ outcome, delaysSeconds, maxRetries }) => ({
      outcome,
      delays: delaysSeconds.map((seconds) => String(Math.round((seconds / 60) * 100) / 100)).join(', '),
      maxRetries,
    })),
    maxAttempts: settings.maxAttempts,
    dailyCap: settings.dailyCap,
    callBacks: settings.callBacks,
    maxConcurrentCalls: settings.maxConcurrentCalls,
    maxCallsPerSecond: settings.maxCallsPerSecond,
    ringTimeoutSeconds: settings.ringTimeoutMs / 1000,
    trunk: settings.trunk,
    callerNumber: settings.callerNumber,
  };
}

/** What the fields say, or every problem of them at once. */
export function settingsOf(
  draft: SettingsDraft,
):
  | { readonly ok: true; readonly settings: CampaignSettings }
  | { readonly ok: false; readonly problems: DraftProblems } {
  const problems: Record<string, DraftProblem> = {};
  const number = (value: number | null, path: string): number => {
    if (value === null) problems[`settings.${path}`] = 'numberRequired';
    return value ?? 0;
  };
  if (draft.windows.length === 0) problems['settings.windows'] = 'windowsEmpty';
  const windows = draft.windows.map(({ weekday, start, end }, index) => {
    const at = `settings.windows[${index}]`;
    const startMinute = minuteOfClock(start);
    const endMinute = minuteOfClock(end);
    if (startMinute === undefined) problems[`${at}.startMinute`] = 'clockInvalid';
    if (endMinute === undefined) problems[`${at}.endMinute`] = 'clockInvalid';
    else if (startMinute !== undefined && startMinute >= endMinute) problems[`${at}.endMinute`] = 'clockOrder';
    return { weekday, startMinute: startMinute ?? 0, endMinute: endMinute ?? 0 };
  });
  const redial = draft.redial.map(({ outcome, delays, maxRetries }, index) => {
    const seconds = delaySeconds(delays);
    if (seconds === undefined) problems[`settings.redial[${index}].delaysSeconds`] = 'delaysInvalid';
    return { outcome, delaysSeconds: seconds ?? [], maxRetries: number(maxRetries, `redial[${index}].maxRetries`) };
  });
  const settings: CampaignSettings = {
    windows,
    redial,
    maxAttempts: number(draft.maxAttempts, 'maxAttempts'),
    dailyCap: number(draft.dailyCap, 'dailyCap'),
    callBacks: draft.callBacks,
    maxConcurrentCalls: number(draft.maxConcurrentCalls, 'maxConcurrentCalls'),
    maxCallsPerSecond: number(draft.maxCallsPerSecond, 'maxCallsPerSecond'),
    ringTimeoutMs: number(draft.ringTimeoutSeconds, 'ringTimeoutMs') * 1000,
    trunk: draft.trunk,
    callerNumber: draft.callerNumber,
  };
  return Object.keys(problems).length === 0 ? { ok: true, settings } : { ok: false, problems };
}

/** Seconds of minutes written with commas, Chinese ones too; undefined where one is no number above 0. */
function delaySeconds(text: string): readonly number[] | undefined {
  const seconds = text
    .split(/[,，、;；\s]+/u)
    .filter((part) => part !== '')
    .map((part) => Math.round(Number(part) * 60));
  return seconds.length > 0 && seconds.every((value) => Number.isFinite(value) && value > 0) ? seconds : undefined;
}
