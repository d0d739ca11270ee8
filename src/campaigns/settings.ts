import type { CallingWindow, CampaignSettings, RedialRule, Weekday } from '#domain/campaign.ts';
import { OUTCOME_CODES, OUTCOME_FACTS } from '#domain/outcome.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import { AppError } from '#platform/error.ts';
import type { Problem } from '#platform/error.ts';
import { Check } from './check.ts';

/** What a trunk allows, so that settings can be held against it. */
export interface TrunkFacts {
  readonly name: string;
  readonly callerNumbers: readonly string[];
  readonly channels: number;
  readonly callsPerSecond: number;
}

const MINUTE_S = 60;
const HOUR_S = 3600;

/** Delays follow what the field uses: a busy line frees soon, a switched-off phone does not. */
const REDIAL_DEFAULTS: readonly RedialRule[] = [
  { outcome: 'busy', delaysSeconds: [5 * MINUTE_S, 15 * MINUTE_S, HOUR_S], maxRetries: 3 },
  { outcome: 'no-answer', delaysSeconds: [30 * MINUTE_S, 2 * HOUR_S], maxRetries: 2 },
  { outcome: 'rejected', delaysSeconds: [4 * HOUR_S], maxRetries: 1 },
  { outcome: 'powered-off', delaysSeconds: [2 * HOUR_S], maxRetries: 2 },
  { outcome: 'out-of-coverage', delaysSeconds: [30 * MINUTE_S, 2 * HOUR_S], maxRetries: 2 },
  { outcome: 'unreachable', delaysSeconds: [30 * MINUTE_S, 2 * HOUR_S], maxRetries: 2 },
  { outcome: 'voicemail', delaysSeconds: [2 * HOUR_S], maxRetries: 1 },
  { outcome: 'call-assistant', delaysSeconds: [2 * HOUR_S], maxRetries: 1 },
  { outcome: 'forwarded', delaysSeconds: [2 * HOUR_S], maxRetries: 1 },
  { outcome: 'congestion', delaysSeconds: [MINUTE_S], maxRetries: 3 },
  { outcome: 'cancelled', delaysSeconds: [10], maxRetries: 3 },
  { outcome: 'lost', delaysSeconds: [10], maxRetries: 3 },
];

const WEEKDAYS: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

/** Every day from 09:00 to 20:00 at the callee's place (rule CN-HOURS). */
export function defaultWindows(): readonly CallingWindow[] {
  return WEEKDAYS.map((weekday) => ({ weekday, startMinute: 9 * 60, endMinute: 20 * 60 }));
}

/** What a new campaign starts from; limits shrink to the trunk's. */
export function defaultSettings(trunk?: TrunkFacts): CampaignSettings {
  return {
    windows: defaultWindows(),
    redial: REDIAL_DEFAULTS,
    maxAttempts: 4,
    dailyCap: 5,
    callBacks: 'redial',
    maxConcurrentCalls: Math.min(30, trunk?.channels ?? 30),
    maxCallsPerSecond: Math.min(10, trunk?.callsPerSecond ?? 10),
    ringTimeoutMs: 45_000,
    trunk: trunk?.name ?? '',
    callerNumber: trunk?.callerNumbers[0] ?? '',
  };
}

/**
 * Takes settings from outside, reports every problem at once.
 * @throws AppError `invalid-input` with a problem for each wrong field, paths below `path`
 */
export function validateSettings(
  input: unknown,
  options: { readonly trunks?: readonly TrunkFacts[]; readonly path?: string } = {},
): CampaignSettings {
  const check = new Check();
  const path = options.path ?? 'settings';
  const record = check.record(input, path);
  const settings: CampaignSettings = {
    windows: windows(check, record['windows'], `${path}.windows`),
    redial: redial(check, record['redial'], `${path}.redial`),
    maxAttempts: check.integer(record['maxAttempts'], `${path}.maxAttempts`, 1, 50),
    dailyCap: check.integer(record['dailyCap'], `${path}.dailyCap`, 1, 50),
    callBacks: check.oneOf(record['callBacks'] ?? 'redial', `${path}.callBacks`, ['redial', 'record']),
    maxConcurrentCalls: check.integer(record['maxConcurrentCalls'], `${path}.maxConcurrentCalls`, 1, 10_000),
    maxCallsPerSecond: check.number(record['maxCallsPerSecond'], `${path}.maxCallsPerSecond`, 0.01, 1000),
    ringTimeoutMs: check.integer(record['ringTimeoutMs'], `${path}.ringTimeoutMs`, 5000, 120_000),
    trunk: check.text(record['trunk'], `${path}.trunk`),
    callerNumber: check.text(record['callerNumber'], `${path}.callerNumber`),
  };
  if (options.trunks !== undefined) againstTrunk(check, settings, options.trunks, path);
  throwProblems(check.problems);
  return settings;
}

/** @throws AppError `invalid-input` when there are any */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const text = {
    zh: `输入有 ${problems.length} 处问题，请更正后重试。`,
    en: `The input has ${problems.length} problem${problems.length === 1 ? '' : 's'}; correct and try again.`,
  };
  throw new AppError('invalid-input', text, { problems });
}

function windows(check: Check, input: unknown, path: string): readonly CallingWindow[] {
  const parsed = check.list(input, path, 100).map((item, index): CallingWindow => {
    const at = `${path}[${index}]`;
    const record = check.record(item, at);
    const window = {
      weekday: check.integer(record['weekday'], `${at}.weekday`, 1, 7) as Weekday,
      startMinute: check.integer(record['startMinute'], `${at}.startMinute`, 0, 1439),
      endMinute: check.integer(record['endMinute'], `${at}.endMinute`, 1, 1440),
    };
    if (window.startMinute >= window.endMinute) {
      check.add(`${at}.endMinute`, '结束时间必须晚于开始时间。', 'The end must be later than the start.');
    }
    return window;
  });
  if (parsed.length === 0) {
    check.add(path, '至少需要一个可拨打时段。', 'At least one calling window is needed.');
  }
  return parsed;
}

function redial(check: Check, input: unknown, path: string): readonly RedialRule[] {
  const seen = new Set<string>();
  return check.list(input, path, OUTCOME_CODES.length).map((item, index): RedialRule => {
    const at = `${path}[${index}]`;
    const record = check.record(item, at);
    const outcome = check.oneOf(record['outcome'], `${at}.outcome`, OUTCOME_CODES);
    if (seen.has(outcome)) {
      check.add(`${at}.outcome`, '同一结果只能有一条重拨规则。', 'An outcome may have only one redial rule.');
    }
    seen.add(outcome);
    checkRetryable(check, outcome, `${at}.outcome`);
    const delays = check.list(record['delaysSeconds'], `${at}.delaysSeconds`, 20);
    if (delays.length === 0) {
      check.add(`${at}.delaysSeconds`, '至少需要一个重拨间隔。', 'At least one delay is needed.');
    }
    return {
      outcome,
      delaysSeconds: delays.map((delay, n) => check.number(delay, `${at}.delaysSeconds[${n}]`, 1, 30 * 24 * HOUR_S)),
      maxRetries: check.integer(record['maxRetries'], `${at}.maxRetries`, 0, 50),
    };
  });
}

function checkRetryable(check: Check, outcome: OutcomeCode, path: string): void {
  const verdict = OUTCOME_FACTS[outcome].retry;
  if (verdict === 'never' || verdict === 'other-caller-number') {
    check.add(path, `结果“${outcome}”不可重拨。`, `The outcome "${outcome}" is never redialled.`);
  }
}

function againstTrunk(check: Check, settings: CampaignSettings, trunks: readonly TrunkFacts[], path: string): void {
  const trunk = trunks.find((candidate) => candidate.name === settings.trunk);
  if (trunk === undefined) {
    const names = trunks.map((candidate) => candidate.name).join(', ');
    check.add(`${path}.trunk`, `没有这条中继，可选：${names}。`, `No such trunk; choose one of: ${names}.`);
    return;
  }
  if (!trunk.callerNumbers.includes(settings.callerNumber)) {
    check.add(
      `${path}.callerNumber`,
      `主叫号码不属于该中继，可选：${trunk.callerNumbers.join('、')}。`,
      `The trunk does not own this caller number; choose one of: ${trunk.callerNumbers.join(', ')}.`,
    );
  }
  if (settings.maxConcurrentCalls > trunk.channels) {
    check.add(
      `${path}.maxConcurrentCalls`,
      `超过该中继的 ${trunk.channels} 个通道。`,
      `More than the trunk's ${trunk.channels} channels.`,
    );
  }
  if (settings.maxCallsPerSecond > trunk.callsPerSecond) {
    check.add(
      `${path}.maxCallsPerSecond`,
      `超过该中继每秒 ${trunk.callsPerSecond} 次的上限。`,
      `More than the trunk's ${trunk.callsPerSecond} calls per second.`,
    );
  }
}
