import type { Attempt, CallOutcome, FinishedCall } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Bus } from '#platform/bus.ts';
import type { CallStateEvent } from '#platform/bus-events.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';
import type { CallCenter } from '#calls/call-center.ts';
import type { CallObserver } from '#calls/call-side.ts';
import { suppress } from '#compliance/suppression.ts';
import { decideOutcome } from '#outcomes/decide.ts';
import { recordCall } from '#outcomes/store.ts';

export interface ConnectCallsOptions {
  readonly db: Db;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
}

/** Runs a call and sees to its outcome and record; `optOutPhone` where the attempt's own number is not to be shown. */
export type FollowCall = (
  attempt: Attempt,
  run: (observer: CallObserver) => Promise<FinishedCall>,
  optOutPhone?: PhoneNumber,
) => Promise<CallOutcome>;

/** The way of one attempt after the dialer: the call, its outcome, its record. */
export function connectCalls(
  follow: FollowCall,
  calls: Pick<CallCenter, 'placeCall'>,
): (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome> {
  return (attempt, signal) => follow(attempt, (observer) => calls.placeCall(attempt, signal, observer));
}

/**
 * Follows calls, placed and answered ones. What happens meanwhile goes to the bus; an opt-out reaches the suppression
 * list while the other side is still on the line.
 */
export function followCalls(o: ConnectCallsOptions): FollowCall {
  return async (attempt, run, optOutPhone) => {
    const phone = optOutPhone ?? attempt.phone;
    const name = attempt.variables['name'] ?? attempt.variables['姓名'] ?? '';
    let state: CallStateEvent['state'] = attempt.direction === 'inbound' ? 'ringing' : 'dialing';
    const tell = (lastText: string): void => {
      const { id, campaignId, leadId, phone } = attempt;
      o.bus.publish('call-state', {
        attemptId: id,
        direction: attempt.direction ?? 'outbound',
        campaignId,
        leadId,
        phone,
        name,
        state,
        lastText,
        at: o.clock.now(),
      });
    };
    let optOut: Promise<void> | undefined;
    try {
      const finished = await run({
        onState: (next) => {
          state = next;
          tell('');
        },
        onSaid: (_, text) => tell(text),
        onOptOut: () => {
          optOut ??= suppressCallee(o, attempt, phone);
        },
      });
      const outcome = decideOutcome(finished);
      if (outcome.optedOut) await (optOut ??= suppressCallee(o, attempt, phone));
      await persistently(o, () => recordCall(o.db, attempt, finished, outcome, o.bus));
      return outcome;
    } finally {
      await optOut;
      state = 'ended';
      tell('');
    }
  };
}

/** Waits between tries: a database that restarts is back within them, and a call that took place is not forgotten. */
const RETRY_MS = [250, 1000, 4000, 10_000, 15_000];

async function persistently<Result>(o: ConnectCallsOptions, write: () => Promise<Result>): Promise<Result> {
  for (const waitMs of RETRY_MS) {
    try {
      return await write();
    } catch (error) {
      o.log.warn({ err: error, waitMs }, 'a call record could not be written, trying again');
      await new Promise<void>((resolve) => o.clock.setTimer(waitMs, resolve));
    }
  }
  return write();
}

async function suppressCallee(o: ConnectCallsOptions, attempt: Attempt, phone: PhoneNumber | ''): Promise<void> {
  if (phone === '') {
    o.log.warn({ attemptId: attempt.id }, 'an opt-out of a caller without a number is kept with the call alone');
    return;
  }
  try {
    const change = await persistently(o, () => suppress(o.db, { phone, source: 'call', attemptId: attempt.id }));
    o.bus.publish('suppression-added', { phone, attemptId: attempt.id });
    for (const lead of change.endedLeads) o.bus.publish('lead-changed', lead);
    for (const campaignId of new Set(change.endedLeads.map((lead) => lead.campaignId))) {
      o.bus.publish('campaign-changed', { campaignId });
    }
  } catch (error) {
    // The outcome carries the opt-out too, so the record tries again.
    o.log.error({ attemptId: attempt.id, err: error }, 'opt-out could not be stored');
    throw error;
  }
}
