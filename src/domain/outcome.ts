/** How a dial ended, in the terms of the network and of our own refusals. */
export const NETWORK_OUTCOMES = [
  'answered',
  'busy',
  'no-answer',
  'rejected',
  'powered-off',
  'out-of-coverage',
  'unreachable',
  'invalid-number',
  'number-changed',
  'suspended',
  'arrears',
  'incoming-barred',
  'forwarded',
  'voicemail',
  'call-assistant',
  'fax',
  'congestion',
  'operator-blocked',
  'caller-id-blocked',
  'spam-labelled',
  'trunk-unreachable',
  'trunk-auth-failed',
  'media-refused',
  'cancelled',
  'lost',
] as const;

/** Refusals of the platform itself: no INVITE was sent. */
export const PLATFORM_OUTCOMES = [
  'suppressed',
  'no-consent',
  'outside-hours',
  'frequency-capped',
  'region-barred',
  'budget-exhausted',
] as const;

export const OUTCOME_CODES = [...NETWORK_OUTCOMES, ...PLATFORM_OUTCOMES] as const;
export type NetworkOutcome = (typeof NETWORK_OUTCOMES)[number];
export type PlatformOutcome = (typeof PLATFORM_OUTCOMES)[number];
export type OutcomeCode = (typeof OUTCOME_CODES)[number];

/** Who has to change something before another try makes sense. */
export type Fault = 'none' | 'callee' | 'carrier' | 'us' | 'unknown';

/** `never`: the number is dead or the callee said no. `other-caller-number`: only from another caller number. */
export type RetryVerdict = 'never' | 'later' | 'soon' | 'other-caller-number';

export interface OutcomeFacts {
  readonly fault: Fault;
  readonly retry: RetryVerdict;
}

/** What each outcome means for blame and redialling, before a campaign's own rules. */
export const OUTCOME_FACTS: Readonly<Record<OutcomeCode, OutcomeFacts>> = {
  answered: { fault: 'none', retry: 'never' },
  busy: { fault: 'callee', retry: 'later' },
  'no-answer': { fault: 'callee', retry: 'later' },
  rejected: { fault: 'callee', retry: 'later' },
  'powered-off': { fault: 'callee', retry: 'later' },
  'out-of-coverage': { fault: 'callee', retry: 'later' },
  unreachable: { fault: 'unknown', retry: 'later' },
  'invalid-number': { fault: 'callee', retry: 'never' },
  'number-changed': { fault: 'callee', retry: 'never' },
  suspended: { fault: 'callee', retry: 'never' },
  arrears: { fault: 'callee', retry: 'never' },
  'incoming-barred': { fault: 'callee', retry: 'never' },
  forwarded: { fault: 'callee', retry: 'later' },
  voicemail: { fault: 'callee', retry: 'later' },
  'call-assistant': { fault: 'callee', retry: 'later' },
  fax: { fault: 'callee', retry: 'never' },
  congestion: { fault: 'carrier', retry: 'soon' },
  'operator-blocked': { fault: 'carrier', retry: 'other-caller-number' },
  'caller-id-blocked': { fault: 'carrier', retry: 'other-caller-number' },
  'spam-labelled': { fault: 'carrier', retry: 'other-caller-number' },
  'trunk-unreachable': { fault: 'carrier', retry: 'soon' },
  'trunk-auth-failed': { fault: 'us', retry: 'soon' },
  'media-refused': { fault: 'us', retry: 'soon' },
  cancelled: { fault: 'us', retry: 'soon' },
  lost: { fault: 'us', retry: 'soon' },
  suppressed: { fault: 'none', retry: 'never' },
  'no-consent': { fault: 'none', retry: 'never' },
  'outside-hours': { fault: 'none', retry: 'later' },
  'frequency-capped': { fault: 'none', retry: 'later' },
  'region-barred': { fault: 'none', retry: 'never' },
  'budget-exhausted': { fault: 'us', retry: 'later' },
};

/** Market names: A strong intent, B interested, C follow up, D no intent, E refused, F not reached. */
export const GRADES = ['A', 'B', 'C', 'D', 'E', 'F'] as const;
export type GradeCode = (typeof GRADES)[number];

/** One piece of evidence behind an outcome; `confidence` is 0–1. */
export interface Evidence {
  readonly kind: 'reason' | 'early-media' | 'final-code' | 'timing' | 'in-call' | 'platform';
  /** Static text or code of what was seen, for example `Q.850;cause=17` or `announcement:empty-number`. */
  readonly detail: string;
  readonly suggests: OutcomeCode;
  readonly confidence: number;
}
