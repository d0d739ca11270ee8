import type { Attempt, FailedTrunk, FinishedCall, TimelineEvent } from '#domain/call.ts';
import { OUTCOME_FACTS } from '#domain/outcome.ts';
import type { NetworkOutcome } from '#domain/outcome.ts';
import type { Clock } from '#platform/clock.ts';
import type { PlacedCallOptions } from './placed-call.ts';
import { trunkFull } from './trunk-call.ts';
import type { Trunk } from './trunk.ts';

/**
 * Has another trunk take a dial over that the first of `tried` … the last did not take: the attempt as it is then
 * committed, or undefined where no trunk may.
 */
export type FailOver = (attempt: Attempt, tried: readonly FailedTrunk[]) => Promise<Attempt | undefined>;

/** Trunks of one attempt at the most, and how long after the first INVITE another one may still be tried. */
const MAX_TRUNKS = 4;
const FAIL_OVER_WITHIN_MS = 20_000;

/** Outcomes of dials that no network took on (docs/decisions/0008). */
const NOT_TAKEN: ReadonlySet<NetworkOutcome> = new Set(['trunk-unreachable', 'trunk-auth-failed', 'congestion']);
/** The final responses by which a trunk speaks for itself; others may be the callee's or the callee's network's. */
const OWN_STATUSES: ReadonlySet<number> = new Set([401, 407, 500, 502, 503, 504]);

/**
 * Whether the end of a dial is its trunk's alone: nothing but 100 came before, so that no phone can have rung, and
 * neither status nor Reason says anything about the callee.
 */
export function isTrunksOwn({ answeredMs, evidence, outcome, ringMs, sipStatus }: FinishedCall): boolean {
  if (ringMs !== undefined || answeredMs !== undefined || !NOT_TAKEN.has(outcome)) return false;
  if (sipStatus !== undefined && !OWN_STATUSES.has(sipStatus)) return false;
  return evidence.every(({ suggests }) => OUTCOME_FACTS[suggests].fault !== 'callee');
}

export interface DialOverTrunks {
  readonly clock: Clock;
  readonly trunk: (name: string) => Trunk;
  /** Undefined where attempts stay on their trunk. */
  readonly failOver: FailOver | undefined;
  /** Dials once; the call is over when it resolves. */
  readonly dial: (
    attempt: Attempt,
    began: PlacedCallOptions['began'],
  ) => Promise<{ readonly finished: FinishedCall; readonly server: string | undefined }>;
}

/**
 * Dials over the trunk of the attempt and, while that is what fails, over the next ones that `failOver` names. Resolves
 * with the call that came of the last one, whose times count from the first INVITE and whose timeline names every trunk
 * that was tried; rejects as `dial` does, and with `resource-exhausted` where all servers were full.
 */
export async function dialOverTrunks(o: DialOverTrunks, attempt: Attempt, signal: AbortSignal): Promise<FinishedCall> {
  const at = o.clock.now();
  const ms = o.clock.monotonicMs();
  const tried: FailedTrunk[] = [];
  const timeline: TimelineEvent[] = [];
  let current = attempt;
  let finished: FinishedCall | undefined;
  for (;;) {
    const last = tried.length + 1 >= MAX_TRUNKS;
    const leg = await dialOnce(o, last ? { ...current, standIns: undefined } : current, { at, ms, timeline }).catch(
      (error: unknown) => {
        // No INVITE left this time: what the trunk before said stands.
        if (finished === undefined) throw error;
        return undefined;
      },
    );
    if (leg === undefined) return finished!;
    if ('finished' in leg) ({ finished } = leg);
    if (last || current.standIns === undefined || leg.failed === undefined || signal.aborted) break;
    tried.push(leg.failed);
    const elapsedMs = o.clock.monotonicMs() - ms;
    const next = elapsedMs < FAIL_OVER_WITHIN_MS ? await o.failOver?.(current, tried) : undefined;
    if (next === undefined || signal.aborted) break;
    timeline.push(eventOf(leg.failed, next.trunk, Math.round(elapsedMs)));
    current = next;
  }
  if (finished === undefined) throw trunkFull(current.trunk);
  return finished;
}

/** One trunk: what came of it, and how it failed where that is its own fault. */
async function dialOnce(
  o: DialOverTrunks,
  attempt: Attempt,
  began: PlacedCallOptions['began'],
): Promise<
  { readonly finished: FinishedCall; readonly failed: FailedTrunk | undefined } | { readonly failed: FailedTrunk }
> {
  const { trunk } = attempt;
  // Found out before a worker opens ports for nothing.
  if (attempt.standIns !== undefined && o.trunk(trunk).order().length === 0)
    return {
      failed: { trunk, server: undefined, status: undefined, outcome: 'congestion', detail: 'every server is full' },
    };
  const { finished, server } = await o.dial(attempt, began);
  if (!isTrunksOwn(finished)) return { finished, failed: undefined };
  const { sipStatus: status, outcome, evidence } = finished;
  return {
    finished,
    failed: { trunk, server, status, outcome, detail: evidence.map(({ detail }) => detail).join(', ') },
  };
}

function eventOf({ trunk, server, status, outcome, detail }: FailedTrunk, next: string, atMs: number): TimelineEvent {
  return {
    type: 'trunk',
    atMs,
    trunk,
    ...(server === undefined ? {} : { server }),
    ...(status === undefined ? {} : { status }),
    outcome,
    detail,
    next,
  };
}
