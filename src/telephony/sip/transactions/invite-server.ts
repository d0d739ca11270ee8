import { NOTHING, T1_MS, T2_MS, T4_MS, TIMEOUT_MS } from './timers.ts';
import type { TransactionEffect, TransactionStep } from './timers.ts';

/**
 * INVITE server transaction: RFC 3261 §17.2.1 with RFC 6026 §7.1. `send` repeats the last response.
 *
 *                       | INVITE: pass (100 is sent by the layer)
 *                       v
 *   INVITE: send -- [proceeding] -- 1xx: send
 *                     |       |
 *       300-699: send,|       | 2xx: send, start L
 *       start G, H    v       v
 *  G: send ----- [completed] [accepted] -- 2xx: send; ACK: pass
 *  INVITE: send    |    |        |
 *              ACK |    | H:     | L
 *        start I   v    | timeout|
 *            [confirmed]|        |
 *                  | I  v        v
 *                  +---> [terminated]
 */
export interface InviteServerState {
  readonly name: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
  /** The interval of timer G that runs. */
  readonly retransmitMs: number;
}

export type InviteServerEvent =
  /** The INVITE came again. */
  | { readonly type: 'invite' }
  | { readonly type: 'ack' }
  /** The user answers with this status; the response is the one to `send`. */
  | { readonly type: 'respond'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: string }
  | { readonly type: 'transport-error' };

type Step = TransactionStep<InviteServerState>;

const DEAD: InviteServerState = { name: 'terminated', retransmitMs: 0 };
const SEND: readonly TransactionEffect[] = [{ type: 'send' }];

/** The state of a transaction that has just received its INVITE. */
export const INVITE_SERVER_START: InviteServerState = { name: 'proceeding', retransmitMs: 0 };

/** One step of the machine above. */
export function nextInviteServer(state: InviteServerState, event: InviteServerEvent, reliable: boolean): Step {
  switch (event.type) {
    case 'invite':
      return { state, effects: state.name === 'proceeding' || state.name === 'completed' ? SEND : NOTHING };
    case 'ack':
      if (state.name === 'accepted') return { state, effects: [{ type: 'pass' }] };
      if (state.name !== 'completed') return { state, effects: NOTHING };
      return {
        state: { name: 'confirmed', retransmitMs: 0 },
        effects: [
          { type: 'stop', timer: 'G' },
          { type: 'stop', timer: 'H' },
          { type: 'start', timer: 'I', delayMs: reliable ? 0 : T4_MS },
        ],
      };
    case 'respond':
      return onRespond(state, event.status, reliable);
    case 'timer':
      return onTimer(state, event.timer);
    case 'transport-error':
      return { state, effects: state.name === 'terminated' ? NOTHING : [{ type: 'transport-error' }] };
  }
}

function onRespond(state: InviteServerState, status: number, reliable: boolean): Step {
  // A retransmitted 2xx is the user's business (RFC 3261 §13.3.1.4).
  if (state.name === 'accepted') return { state, effects: status >= 200 && status < 300 ? SEND : NOTHING };
  if (state.name !== 'proceeding') return { state, effects: NOTHING };
  if (status < 200) return { state, effects: SEND };
  if (status < 300)
    return {
      state: { name: 'accepted', retransmitMs: 0 },
      effects: [{ type: 'start', timer: 'L', delayMs: TIMEOUT_MS }, ...SEND],
    };
  const effects: TransactionEffect[] = [{ type: 'start', timer: 'H', delayMs: TIMEOUT_MS }];
  if (!reliable) effects.push({ type: 'start', timer: 'G', delayMs: T1_MS });
  return { state: { name: 'completed', retransmitMs: T1_MS }, effects: [...effects, ...SEND] };
}

function onTimer(state: InviteServerState, timer: string): Step {
  if (timer === 'G' && state.name === 'completed') {
    const retransmitMs = Math.min(state.retransmitMs * 2, T2_MS);
    return {
      state: { name: 'completed', retransmitMs },
      effects: [{ type: 'start', timer: 'G', delayMs: retransmitMs }, ...SEND],
    };
  }
  if (timer === 'H' && state.name === 'completed')
    return { state: DEAD, effects: [{ type: 'timeout' }, { type: 'terminated' }] };
  if ((timer === 'I' && state.name === 'confirmed') || (timer === 'L' && state.name === 'accepted'))
    return { state: DEAD, effects: [{ type: 'terminated' }] };
  return { state, effects: NOTHING };
}
