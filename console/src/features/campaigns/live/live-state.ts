import type { CallSummary, CampaignView, LiveCall, LiveMessage } from '#domain/api.ts';

/** Calls that ended while the page was open; older ones are in the call list. */
const MAX_ENDED = 50;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/** What the live page knows of its campaign. */
export interface LiveState {
  readonly connection: 'connecting' | 'open' | 'lost' | 'gone';
  readonly campaign: CampaignView | undefined;
  readonly calls: readonly LiveCall[];
  /** Newest first. */
  readonly ended: readonly CallSummary[];
  /** How far the server's clock is ahead of the browser's. */
  readonly skewMs: number;
  /** Connections that failed one after another. */
  readonly failures: number;
}

export type LiveEvent =
  | { readonly type: 'message'; readonly message: LiveMessage; readonly nowMs: number }
  | { readonly type: 'closed'; readonly code: number };

/** Before the first connection. */
export const LIVE_START: LiveState = {
  connection: 'connecting',
  campaign: undefined,
  calls: [],
  ended: [],
  skewMs: 0,
  failures: 0,
};

/** The next state of the live page; close code 4404 means that there is no such campaign. */
export function nextLive(state: LiveState, event: LiveEvent): LiveState {
  switch (event.type) {
    case 'closed':
      return {
        ...state,
        connection: event.code === 4404 ? 'gone' : 'lost',
        calls: event.code === 4404 ? [] : state.calls,
        failures: state.failures + 1,
      };
    case 'message': {
      const { message, nowMs } = event;
      const base = {
        connection: 'open' as const,
        campaign: message.campaign,
        calls: message.calls,
        skewMs: new Date(message.at).getTime() - nowMs,
        failures: 0,
      };
      return { ...base, ended: message.type === 'snapshot' ? state.ended : newest(message.ended, state.ended) };
    }
  }
}

/** How long to wait before connecting again after so many failures: half a second, doubling up to ten. */
export function reconnectDelayMs(failures: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1));
}

/** The server's list is oldest first; a call that is told of twice is shown once. */
function newest(added: readonly CallSummary[], known: readonly CallSummary[]): readonly CallSummary[] {
  if (added.length === 0) return known;
  const ids = new Set(added.map((call) => call.id));
  return [...added.toReversed(), ...known.filter((call) => !ids.has(call.id))].slice(0, MAX_ENDED);
}
