import type { Attempt } from '#domain/call.ts';
import type { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { TrunkRoute } from '../trunk-route.ts';
import type { Seat } from '../worker-pool.ts';
import { CallBridge } from './call-bridge.ts';
import type { CallBridgeOptions } from './call-bridge.ts';
import { outsideAddress } from './outside-target.ts';

/** What both kinds of calls know; the call closes the bridge when it ends. */
export interface OpenBridgeOptions extends Pick<CallBridgeOptions, 'clock' | 'log' | 'callee' | 'note' | 'hangUp'> {
  readonly sip: Pick<SipUserAgent, 'placeCall' | 'address'>;
  readonly route: TrunkRoute;
  readonly rtp: { readonly address: string };
  readonly attempt: Attempt;
  readonly seat: Seat;
}

/** Opens the way to transfers and listeners for a call that was answered: second calls go out as the call itself did. */
export function openBridge(o: OpenBridgeOptions): CallBridge {
  const { attempt, seat } = o;
  return new CallBridge({
    ...o,
    rtpAddress: o.rtp.address,
    post: (command) => seat.post({ type: 'bridge', call: attempt.id, command }),
    address: (target) => outsideAddress(o.route, target, attempt.callerNumber, o.sip.address.address),
  });
}
