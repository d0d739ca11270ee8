import type { Config, TrunkConfig } from '#platform/config/config.ts';
import type { Admission, Refusal } from '#platform/admission.ts';
import { retryAfter } from '#platform/admission.ts';
import { numberOf } from '#calls/caller.ts';
import { comparable, isOwn } from '#calls/own-numbers.ts';
import type { PeerList } from '#calls/peer-list.ts';
import type { Strangers } from '#calls/strangers.ts';
import type { Screen } from '#telephony/sip/user-agent.ts';

export interface InboundScreenOptions {
  readonly peers: () => PeerList;
  readonly strangers: Strangers;
  readonly policy: Config['inbound']['strangers'];
  readonly own: ReadonlySet<string>;
  readonly admission: () => Admission;
  readonly random: () => number;
}

/** What the screen did since the start. */
export interface ScreenCounts {
  notOurs: number;
  readonly refused: Partial<Record<Refusal, number>>;
}

/** The numbers of ours that may be called, comparable. */
export function ownNumbers(trunks: readonly TrunkConfig[], further: readonly string[]): ReadonlySet<string> {
  return new Set([...trunks.flatMap(({ callerNumbers }) => callerNumbers), ...further].map(comparable));
}

/** The number of ours that an INVITE is for: Request-URI, else To, where a registrar has put its contact into the first. */
export function calledNumber(uri: string, to: string, own: ReadonlySet<string>): string | undefined {
  return [uri, to].flatMap((one) => numberOf(one) ?? []).find((number) => isOwn(number, own));
}

/**
 * Judges what comes from outside of our calls, before anything of it is remembered. Strangers are ignored or get 403,
 * OPTIONS and scans alike; peers get 503 while the node takes no calls (also to OPTIONS, so that they look elsewhere)
 * and 404 for numbers that are not ours.
 */
export function inboundScreen(o: InboundScreenOptions): { readonly screen: Screen; readonly counts: ScreenCounts } {
  const counts: ScreenCounts = { notOurs: 0, refused: {} };
  const screen: Screen = (request, source) => {
    if (o.peers().trunksOf(source.host) === undefined) {
      o.strangers.note(source.host, request?.method ?? 'unreadable');
      return o.policy === 'drop' || request === undefined ? 'drop' : { status: 403 };
    }
    if (request === undefined || (request.method !== 'INVITE' && request.method !== 'OPTIONS')) return 'pass';
    const admission = o.admission();
    if (!admission.accepts) {
      if (request.method === 'INVITE') counts.refused[admission.reason] = (counts.refused[admission.reason] ?? 0) + 1;
      return { status: 503, headers: [['Retry-After', String(retryAfter(admission, o.random))]] };
    }
    // One that would take a call over goes to our Contact, and is refused for what it is (docs/decisions/0010).
    const dials = request.method === 'INVITE' && request.headers.get('Replaces') === undefined;
    if (dials && calledNumber(request.uri, request.to.uri, o.own) === undefined) {
      counts.notOurs++;
      return { status: 404 };
    }
    return 'pass';
  };
  return { screen, counts };
}
