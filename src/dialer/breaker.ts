import { OUTCOME_FACTS } from '#domain/outcome.ts';
import type { OutcomeCode } from '#domain/outcome.ts';

const WINDOW_MS = 120_000;
const MIN_CALLS = 5;
const MAX_FAILURE_RATIO = 0.5;
const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 600_000;

/** Calls of the window on a trunk; `restUntilMs` is on the monotonic clock. */
export interface BreakerState {
  readonly calls: readonly { readonly atMs: number; readonly failed: boolean }[];
  readonly restUntilMs: number | undefined;
  /** Length of the latest rest; doubles while the trunk stays bad, starts anew once a rest is followed by a good window. */
  readonly restMs: number;
}

/** A trunk of which nothing is known yet. */
export const CLOSED_BREAKER: BreakerState = { calls: [], restUntilMs: undefined, restMs: 0 };

/**
 * Counts one more outcome of a trunk: more than half of at least 5 calls in 120 s failing by the carrier's or our own
 * fault rests it. Calls that we cancelled say nothing about the trunk.
 */
export function afterCall(state: BreakerState, outcome: OutcomeCode, nowMs: number): BreakerState {
  if (outcome === 'cancelled') return state;
  const fault = OUTCOME_FACTS[outcome].fault;
  const recent = state.calls.filter((call) => call.atMs > nowMs - WINDOW_MS);
  const calls = [...recent, { atMs: nowMs, failed: fault === 'carrier' || fault === 'us' }];
  const failures = calls.reduce((sum, call) => sum + (call.failed ? 1 : 0), 0);
  const resting = state.restUntilMs !== undefined && nowMs < state.restUntilMs;
  if (resting) return { ...state, calls };
  if (calls.length >= MIN_CALLS && failures / calls.length > MAX_FAILURE_RATIO) {
    const restMs = state.restMs === 0 ? FIRST_REST_MS : Math.min(LONGEST_REST_MS, state.restMs * 2);
    // The window starts anew after the rest: old failures must not close the trunk again at once.
    return { calls: [], restUntilMs: nowMs + restMs, restMs };
  }
  const recovered = calls.length >= MIN_CALLS * 2 && failures / calls.length <= MAX_FAILURE_RATIO / 2;
  return { calls, restUntilMs: undefined, restMs: recovered ? 0 : state.restMs };
}

/** Until when the trunk rests; `undefined` while it may be used. */
export function restsUntil(state: BreakerState, nowMs: number): number | undefined {
  return state.restUntilMs !== undefined && nowMs < state.restUntilMs ? state.restUntilMs : undefined;
}
