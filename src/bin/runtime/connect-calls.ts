import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { Bus } from '#platform/bus.ts';
import type { CallStateEvent } from '#platform/bus-events.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';
import type { CallCenter } from '#calls/call-center.ts';
import { suppress } from '#compliance/suppression.ts';
import { decideOutcome } from '#outcomes/decide.ts';
import { recordCall } from '#outcomes/store.ts';

export interface ConnectCallsOptions {
  readonly calls: CallCenter;
  readonly db: Db;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The way of one attempt after the dialer: the call, its outcome, its record. What happens meanwhile goes to the bus;
 * an opt-out reaches the suppression list while the callee is still on the line.
 */
export function connectCalls(o: ConnectCallsOptions): (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome> {
  return async (attempt, signal) => {
    const name = attempt.variables['name'] ?? attempt.variables['姓名'] ?? '';
    let state: CallStateEvent['state'] = 'dialing';
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
      const finished = await o.calls.placeCall(attempt, signal, {
        onState: (next) => {
          state = next;
          tell('');
        },
        onSaid: (_, text) => tell(text),
        onOptOut: () => {
          optOut ??= suppressCallee(o, attempt);
        },
      });
      const outcome = decideOutcome(finished);
      if (outcome.optedOut) await (optOut ??= suppressCallee(o, attempt));
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

async function suppressCallee(o: ConnectCallsOptions, attempt: Attempt): Promise<void> {
  const { phone } = attempt;
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
