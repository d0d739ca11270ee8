import type { CallingWindow } from '#domain/campaign.ts';
import type { HoldReason } from '#domain/contact.ts';
import type { Evidence, PlatformOutcome } from '#domain/outcome.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { CARRIER_WINDOWS_CN, RULES } from './rules.ts';
import type { Rule } from './rules.ts';
import { isOpen, isTimeZone, nextOpening, startOfNextLocalDay } from './windows.ts';

/** What a dial is judged by. */
export interface DialFacts {
  readonly phone: PhoneNumber;
  /** IANA zone of the callee; undefined is unknown. */
  readonly timeZone: string | undefined;
  readonly windows: readonly CallingWindow[];
  readonly suppressed: boolean;
  /** Dials of the number since its local midnight, over all campaigns. */
  readonly dialsToday: number;
  readonly dailyCap: number;
  readonly now: Date;
}

/** One rule that was looked at, with what it saw. */
export interface RuleEvidence {
  readonly rule: string;
  readonly version: string;
  readonly detail: string;
}

/** The answer to "may this number be dialled now"; a refusal names the rule that refused. */
export type DialDecision =
  | { readonly allow: true; readonly evidence: readonly RuleEvidence[] }
  | {
      readonly allow: false;
      readonly rule: string;
      readonly version: string;
      readonly outcome: PlatformOutcome;
      readonly hold: HoldReason;
      readonly evidence: readonly Evidence[];
      /** When the same dial may be allowed; undefined means not by waiting. */
      readonly retryAt: Date | undefined;
    };

/** Judges one dial; whatever is not known denies. To be asked when planning and again just before the INVITE. */
export function decideDial(facts: DialFacts): DialDecision {
  const { phone, timeZone, windows, now } = facts;
  const mainland = phone.startsWith('+86');
  const seen: RuleEvidence[] = [];
  const note = (rule: Rule, detail: string): void => {
    seen.push({ rule: rule.id, version: rule.version, detail });
  };

  if (facts.suppressed) return deny(RULES.SUPPRESSION, 'on the list', 'suppressed', 'suppressed', undefined);
  note(RULES.SUPPRESSION, 'not on the list');

  if (timeZone === undefined || !isTimeZone(timeZone)) {
    return deny(RULES['UNKNOWN-ZONE'], 'no zone', 'outside-hours', 'unknown-time-zone', undefined);
  }
  note(RULES['UNKNOWN-ZONE'], timeZone);

  const hours = mainland ? RULES['CN-HOURS'] : RULES.HOURS;
  if (!isOpen(windows, timeZone, now)) {
    const opensAt = nextOpening(windows, timeZone, now);
    return deny(hours, `closed in ${timeZone}`, 'outside-hours', 'outside-window', opensAt);
  }
  const usual = !mainland || isOpen(CARRIER_WINDOWS_CN, timeZone, now);
  note(hours, usual ? `open in ${timeZone}` : `open in ${timeZone}, outside what carriers generally allow`);

  const frequency = mainland ? RULES['CN-FREQ'] : RULES.FREQ;
  const count = `${facts.dialsToday} of ${facts.dailyCap} today`;
  // Written so that a count that is no number denies.
  if (!(facts.dialsToday < facts.dailyCap)) {
    const tomorrow = startOfNextLocalDay(timeZone, now);
    const retryAt = tomorrow === undefined ? undefined : nextOpening(windows, timeZone, tomorrow);
    return deny(frequency, count, 'frequency-capped', 'daily-cap', facts.dailyCap > 0 ? retryAt : undefined);
  }
  note(frequency, count);
  return { allow: true, evidence: seen };
}

function deny(
  rule: Rule,
  detail: string,
  outcome: PlatformOutcome,
  hold: HoldReason,
  retryAt: Date | undefined,
): DialDecision {
  const evidence: Evidence = {
    kind: 'platform',
    detail: `${rule.id}@${rule.version}: ${detail}`,
    suggests: outcome,
    confidence: 1,
  };
  return { allow: false, rule: rule.id, version: rule.version, outcome, hold, evidence: [evidence], retryAt };
}
