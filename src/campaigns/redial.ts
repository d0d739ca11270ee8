import type { CampaignSettings } from '#domain/campaign.ts';
import type { HoldReason, LeadState } from '#domain/contact.ts';
import { OUTCOME_FACTS } from '#domain/outcome.ts';
import type { OutcomeCode } from '#domain/outcome.ts';

/** What of a lead the redial decision reads: `attemptCount` includes the dial that just ended. */
export interface RedialLead {
  readonly attemptCount: number;
  /** Retries already granted, by the outcome that caused them. */
  readonly retries: Readonly<Record<string, number>>;
}

/** What of an outcome the redial decision reads. */
export interface RedialOutcome {
  readonly code: OutcomeCode;
  readonly optedOut: boolean;
  readonly callBackAt: Date | undefined;
}

/** A lead's next state; `nextAttemptAt` is set exactly when the state is `waiting`. */
export interface LeadChange {
  readonly state: LeadState;
  readonly nextAttemptAt: Date | undefined;
  readonly reason: HoldReason;
  readonly retries: Readonly<Record<string, number>>;
  /** The dial does not count as one of the lead's: no phone can have rung. */
  readonly uncounted?: true;
}

/** No call-back is promised further ahead than this. */
const FARTHEST_CALL_BACK_MS = 90 * 24 * 3_600_000;

/** Failures of the carrier or of our own are not the callee's answer: they are tried again even without a rule. */
const FAULT_RULE = { delaysSeconds: [10, 60], maxRetries: 3 };

/** Faults of the trunk or of our set-up before any phone rang: the lead waits until the trunk works, however long. */
const TRUNK_FAULTS: ReadonlySet<OutcomeCode> = new Set(['trunk-unreachable', 'trunk-auth-failed']);
const TRUNK_DELAYS_SECONDS = [10, 60, 300, 600];

/**
 * What becomes of a lead after a dial. An opt-out ends it; a call-back time the callee gave comes before every delay;
 * otherwise the campaign's rule for the outcome decides. An outcome whose facts say never, or without a rule unless
 * they say soon, ends it. `maxAttempts` bounds all of them, but what the trunk or the network refused is no attempt of
 * the lead.
 */
export function afterOutcome(
  settings: Pick<CampaignSettings, 'redial' | 'maxAttempts' | 'callBacks'>,
  lead: RedialLead,
  outcome: RedialOutcome,
  now: Date,
): LeadChange {
  const end = (reason: HoldReason): LeadChange => ({
    state: 'done',
    nextAttemptAt: undefined,
    reason,
    retries: lead.retries,
  });
  if (outcome.optedOut) return end('opted-out');
  if (outcome.code === 'suppressed') return end('suppressed');

  const trunkFaults = lead.retries[outcome.code] ?? 0;
  if (TRUNK_FAULTS.has(outcome.code)) {
    const seconds = TRUNK_DELAYS_SECONDS[Math.min(trunkFaults, TRUNK_DELAYS_SECONDS.length - 1)]!;
    const retries = { ...lead.retries, [outcome.code]: trunkFaults + 1 };
    return {
      state: 'waiting',
      nextAttemptAt: new Date(now.getTime() + seconds * 1000),
      reason: 'trunk-unavailable',
      retries,
      uncounted: true,
    };
  }

  const callBackMs = outcome.callBackAt === undefined ? undefined : outcome.callBackAt.getTime() - now.getTime();
  if (settings.callBacks === 'redial' && callBackMs !== undefined && callBackMs <= FARTHEST_CALL_BACK_MS) {
    if (lead.attemptCount >= settings.maxAttempts) return end('attempts-exhausted');
    return wait(lead.retries, new Date(now.getTime() + Math.max(0, callBackMs)));
  }
  if (outcome.code === 'answered') return end('completed');

  const verdict = OUTCOME_FACTS[outcome.code].retry;
  // One caller number a campaign: another one cannot be offered, so the same call would only be blocked again.
  if (verdict === 'never' || verdict === 'other-caller-number') return end('not-retryable');
  const rule =
    settings.redial.find((candidate) => candidate.outcome === outcome.code) ??
    (verdict === 'soon' ? FAULT_RULE : undefined);
  if (rule === undefined) return end('not-retryable');
  const used = lead.retries[outcome.code] ?? 0;
  const delaySeconds = rule.delaysSeconds[Math.min(used, rule.delaysSeconds.length - 1)];
  if (delaySeconds === undefined) return end('not-retryable');
  // Congestion is the network's: it is bounded by its own rule alone.
  const counts = outcome.code !== 'congestion';
  if (used >= rule.maxRetries || (counts && lead.attemptCount >= settings.maxAttempts))
    return end('attempts-exhausted');
  const next = wait({ ...lead.retries, [outcome.code]: used + 1 }, new Date(now.getTime() + delaySeconds * 1000));
  return counts ? next : { ...next, uncounted: true };
}

function wait(retries: Readonly<Record<string, number>>, nextAttemptAt: Date): LeadChange {
  return { state: 'waiting', nextAttemptAt, reason: 'retry-delay', retries };
}
