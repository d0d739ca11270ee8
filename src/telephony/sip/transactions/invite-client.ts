import { NOTHING, T1_MS, TIMEOUT_MS, TIMER_D_MS } from './timers.ts';
import type { TransactionEffect, TransactionStep } from './timers.ts';

/**
 * INVITE client transaction: RFC 3261 §17.1.1 with RFC 6026 §7.2.
 *
 *                        | INVITE: send, start A, B
 *                        v
 *   A: send, A·2 --- [calling] --- B: timeout -----------------+
 *                     |   |   \                                |
 *                 1xx |   |    \ 2xx: pass, start M            |
 *                     v   |     \                              |
 *    1xx: pass - [proceeding] ---+--> [accepted] -- M ---------+
 *                     |   |           2xx: pass                |
 *           300-699:  |   | 300-699: pass, ACK, start D        |
 *                     v   v                                    v
 *  300-699: ACK -- [completed] ---------- D -----------> [terminated]
 */
export interface InviteClientState {
  readonly name: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
  /** The interval of timer A that runs. */
  readonly retransmitMs: number;
}

export type InviteClientEvent =
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: string }
  | { readonly type: 'transport-error' }
  /** The user gave up waiting for a final response (RFC 3261 §9.1). */
  | { readonly type: 'abandon' };

type Step = TransactionStep<InviteClientState>;

const DEAD: InviteClientState = { name: 'terminated', retransmitMs: 0 };
const COMPLETED: InviteClientState = { name: 'completed', retransmitMs: 0 };
const ACCEPTED: InviteClientState = { name: 'accepted', retransmitMs: 0 };
const PASS: readonly TransactionEffect[] = [{ type: 'pass' }];
const ACK: readonly TransactionEffect[] = [{ type: 'send-ack' }];
const STOP_AB: readonly TransactionEffect[] = [
  { type: 'stop', timer: 'A' },
  { type: 'stop', timer: 'B' },
];
const TERMINATED: readonly TransactionEffect[] = [{ type: 'terminated' }];

/** The first step: sends the INVITE. */
export function startInviteClient(reliable: boolean): Step {
  const effects: TransactionEffect[] = [{ type: 'start', timer: 'B', delayMs: TIMEOUT_MS }];
  if (!reliable) effects.push({ type: 'start', timer: 'A', delayMs: T1_MS });
  effects.push({ type: 'send' });
  return { state: { name: 'calling', retransmitMs: T1_MS }, effects };
}

/** One step of the machine above. */
export function nextInviteClient(state: InviteClientState, event: InviteClientEvent, reliable: boolean): Step {
  if (state.name === 'terminated') return { state, effects: NOTHING };
  switch (event.type) {
    case 'response':
      return onResponse(state, event.status, reliable);
    case 'timer':
      return onTimer(state, event.timer);
    case 'transport-error':
      if (state.name === 'accepted') return { state, effects: NOTHING };
      return {
        state: DEAD,
        effects: state.name === 'completed' ? TERMINATED : [{ type: 'transport-error' }, { type: 'terminated' }],
      };
    case 'abandon':
      return { state: DEAD, effects: TERMINATED };
  }
}

function onResponse(state: InviteClientState, status: number, reliable: boolean): Step {
  const waiting = state.name === 'calling' || state.name === 'proceeding';
  if (status < 200) {
    if (!waiting) return { state, effects: NOTHING };
    if (state.name === 'proceeding') return { state, effects: PASS };
    return { state: { name: 'proceeding', retransmitMs: 0 }, effects: [...STOP_AB, ...PASS] };
  }
  if (status < 300) {
    if (state.name === 'accepted') return { state, effects: PASS };
    if (!waiting) return { state, effects: NOTHING };
    const effects: readonly TransactionEffect[] = [
      ...STOP_AB,
      { type: 'start', timer: 'M', delayMs: TIMEOUT_MS },
      ...PASS,
    ];
    return { state: ACCEPTED, effects };
  }
  if (state.name === 'completed') return { state, effects: ACK };
  if (!waiting) return { state, effects: NOTHING };
  if (reliable) return { state: DEAD, effects: [...STOP_AB, ...ACK, ...PASS, ...TERMINATED] };
  return {
    state: COMPLETED,
    effects: [...STOP_AB, ...ACK, { type: 'start', timer: 'D', delayMs: TIMER_D_MS }, ...PASS],
  };
}

function onTimer(state: InviteClientState, timer: string): Step {
  if (timer === 'A' && state.name === 'calling') {
    const retransmitMs = state.retransmitMs * 2;
    return {
      state: { name: 'calling', retransmitMs },
      effects: [{ type: 'start', timer: 'A', delayMs: retransmitMs }, { type: 'send' }],
    };
  }
  if (timer === 'B' && state.name === 'calling')
    return { state: DEAD, effects: [{ type: 'timeout' }, { type: 'terminated' }] };
  if ((timer === 'D' && state.name === 'completed') || (timer === 'M' && state.name === 'accepted'))
    return { state: DEAD, effects: TERMINATED };
  return { state, effects: NOTHING };
}
