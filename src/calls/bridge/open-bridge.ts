import type { Seat } from '../worker-pool.ts';
import { CallBridge } from './call-bridge.ts';
import type { CallBridgeOptions } from './call-bridge.ts';
import { outsideTarget } from './outside-target.ts';
import type { OutsideCaller } from './outside-target.ts';

/** What both kinds of calls know; the call closes the bridge when it ends. */
export interface OpenBridgeOptions
  extends OutsideCaller, Pick<CallBridgeOptions, 'log' | 'callee' | 'note' | 'hangUp'> {
  readonly rtp: { readonly address: string };
  readonly seat: Seat;
}

/** Opens the way to transfers and listeners for a call that was answered: second calls go out as the call itself did. */
export function openBridge(o: OpenBridgeOptions): CallBridge {
  const { attempt, clock, log, callee, note, hangUp, seat } = o;
  return new CallBridge({
    clock,
    log,
    callee,
    note,
    hangUp,
    rtpAddress: o.rtp.address,
    post: (command) => seat.post({ type: 'bridge', call: attempt.id, command }),
    target: (target) => outsideTarget(o, target),
  });
}
