import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Config, TrunkConfig } from '#platform/config/config.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { isAnswerable } from '#calls/answered-call.ts';
import type { CallCenter } from '#calls/call-center.ts';
import type { TrunkRoute } from '#calls/trunk-route.ts';
import { callerOf } from '#calls/caller.ts';
import { comparable } from '#calls/own-numbers.ts';
import type { PeerList } from '#calls/peer-list.ts';
import { closeInboundAttempt, openInboundAttempt } from '#dialer/inbound-attempt.ts';
import type { AfterOutcome } from '#dialer/dial-store.ts';
import { lostOutcome } from '#dialer/live-calls.ts';
import { parsePhone } from '#leads/phone.ts';
import type { IncomingCall, SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { Bus } from '#platform/bus.ts';
import type { FollowCall } from './connect-calls.ts';
import { calledNumber } from './inbound-screen.ts';
import { planInbound } from './inbound-plan.ts';
import type { InboundPlan, InboundPlanOptions } from './inbound-plan.ts';

export interface InboundOptions extends InboundPlanOptions {
  readonly sip: SipUserAgent;
  readonly calls: Pick<CallCenter, 'answerCall'>;
  readonly bus: Pick<Bus, 'publish'>;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly trunks: readonly TrunkConfig[];
  readonly route: (trunk: string) => TrunkRoute | undefined;
  readonly peers: () => PeerList;
  readonly own: ReadonlySet<string>;
  readonly overload: Config['overload'];
  readonly follow: FollowCall;
  readonly afterOutcome: AfterOutcome;
}

/** Calls that come in. The owner closes it before the call centre. */
export interface Inbound {
  readonly live: number;
  /** Hangs up and waits for the records, a bounded time. */
  close(): Promise<void>;
}

/** Waits this long at the end for calls that were hung up, so that their records are written. */
const CLOSE_MS = 10_000;

/** One call that came in, before it is decided who answers. */
interface Arrival {
  readonly incoming: IncomingCall;
  readonly called: string;
  readonly trunk: TrunkConfig;
  readonly route: TrunkRoute;
  /** Whose wish it is not to be called again; known to the network, perhaps not to be shown. */
  readonly phone: PhoneNumber | undefined;
  readonly withheld: boolean;
  readonly timeZone: string | undefined;
}

/** Takes the calls that the screen has let through. */
export function openInbound(o: InboundOptions): Inbound {
  const hangUp = new AbortController();
  const live = new Set<Promise<void>>();
  o.sip.onIncomingCall = (incoming) => {
    const taken = take(o, incoming, hangUp.signal)
      .catch((error: unknown) => {
        o.log.error({ err: error }, 'an incoming call could not be taken');
        incoming.reject(503, undefined, [['Retry-After', String(o.overload.retryAfterSeconds)]]);
      })
      .finally(() => live.delete(taken));
    live.add(taken);
  };
  return {
    get live() {
      return live.size;
    },
    async close() {
      o.sip.onIncomingCall = undefined;
      hangUp.abort();
      let giveUp: Timer | undefined;
      const bound = new Promise<void>((resolve) => {
        giveUp = o.clock.setTimer(CLOSE_MS, resolve);
      });
      await Promise.race([Promise.all(live), bound]);
      giveUp?.cancel();
    },
  };
}

async function take(o: InboundOptions, incoming: IncomingCall, signal: AbortSignal): Promise<void> {
  let gone = false;
  incoming.onEnded = () => {
    gone = true;
  };
  const arrival = arrivalOf(o, incoming);
  if (arrival === undefined) return incoming.reject(404);
  if (!isAnswerable(incoming.sdp, arrival.route)) return incoming.reject(488);
  const { called, trunk, withheld } = arrival;
  const plan = await planInbound(o, { phone: withheld ? undefined : arrival.phone, called, trunk: trunk.name });
  const attempt = attemptOf(arrival, plan, o.clock.now());
  if (gone) return;
  if (!(await openInboundAttempt(o.db, attempt, { nodeId: o.nodeId, channels: trunk.channels }))) {
    o.log.warn({ trunk: trunk.name, channels: trunk.channels }, 'an incoming call found no free channel');
    return incoming.reject(486);
  }
  o.log.info({ call: attempt.id, sipCallId: incoming.callId, trunk: trunk.name }, 'a call came in');
  let outcome: CallOutcome = lostOutcome(attempt.id, 'call-failed', o.clock.now());
  try {
    if (gone) outcome = { ...outcome, code: 'cancelled' };
    else
      outcome = await o.follow(
        attempt,
        (observer) => o.calls.answerCall(incoming, attempt, signal, observer),
        arrival.phone,
      );
  } finally {
    const { settlesLead } = plan;
    const { afterOutcome } = o;
    const leadId = await closeInboundAttempt(o.db, attempt, outcome, { settlesLead, afterOutcome, now: o.clock.now() });
    if (leadId !== undefined && attempt.campaignId !== undefined)
      o.bus.publish('lead-changed', { campaignId: attempt.campaignId, leadId });
  }
}

/** Undefined for what the screen should not have let through. */
function arrivalOf(o: InboundOptions, incoming: IncomingCall): Arrival | undefined {
  const called = calledNumber(incoming.requestUri, incoming.to, o.own);
  const names = o.peers().trunksOf(incoming.source.host);
  if (called === undefined || names === undefined) return undefined;
  const owns = ({ callerNumbers }: TrunkConfig): boolean =>
    callerNumbers.some((number) => comparable(number) === comparable(called));
  const candidates = names.length === 0 ? o.trunks : o.trunks.filter(({ name }) => names.includes(name));
  const trunk = candidates.find(owns) ?? candidates[0];
  const route = trunk === undefined ? undefined : o.route(trunk.name);
  if (trunk === undefined || route === undefined) return undefined;
  const { number, withheld } = callerOf(incoming.headers, incoming.from);
  const parsed = number === undefined ? undefined : parsePhone(number);
  const { phone, timeZone } = parsed?.ok === true ? parsed : {};
  return { incoming, called, trunk, route, phone, withheld, timeZone };
}

function attemptOf(arrival: Arrival, plan: InboundPlan, now: Date): Attempt {
  const { trunk, called, phone, withheld, timeZone } = arrival;
  return {
    id: newId<'attempt'>(now),
    direction: 'inbound',
    campaignId: plan.caller?.campaign?.id,
    // A lead is settled by its own dials; the call-back counts for it when it is over.
    leadId: undefined,
    contactId: plan.caller?.contactId,
    number: 1,
    phone: withheld || phone === undefined ? '' : phone,
    callerNumber: called,
    timeZone: plan.caller?.timeZone ?? (withheld ? undefined : timeZone),
    trunk: trunk.name,
    ringTimeoutMs: 0,
    script: plan.script,
    variables: plan.variables,
    createdAt: now,
  };
}
