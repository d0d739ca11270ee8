import { NOTHING, T1_MS, T2_MS, T4_MS, TIMEOUT_MS } from './timers.ts';
import type { TransactionEffect, TransactionStep } from './timers.ts';

/**
 * Non-INVITE client transaction: RFC 3261 §17.1.2.
 *
 *                       | request: send, start E, F
 *                       v
 *  E: send, min(2E,T2) [trying] ------ F: timeout ------------+
 *                       |   | 200-699: pass, start K          |
 *              1xx: pass|   +------------------+              |
 *                       v                      v              v
 *       E: send, T2 [proceeding] ------> [completed] -- K --> [terminated]
 *                       |                                     ^
 *                       +------------- F: timeout ------------+
 */
export interface NonInviteClientState {
  readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated';
  /** The interval of timer E that runs. */
  readonly retransmitMs: number;
}

export type NonInviteClientEvent =
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: string }
  | { readonly type: 'transport-error' };

type Step = TransactionStep<NonInviteClientState>;

const DEAD: NonInviteClientState = { name: 'terminated', retransmitMs: 0 };

/** The first step: sends the request. */
export function startNonInviteClient(reliable: boolean): Step {
  const effects: TransactionEffect[] = [{ type: 'start', timer: 'F', delayMs: TIMEOUT_MS }];
  if (!reliable) effects.push({ type: 'start', timer: 'E', delayMs: T1_MS });
  effects.push({ type: 'send' });
  return { state: { name: 'trying', retransmitMs: T1_MS }, effects };
}

/** One step of the machine above. */
export function nextNonInviteClient(state: NonInviteClientState, event: NonInviteClientEvent, reliable: boolean): Step {
  if (state.name === 'terminated') return { state, effects: NOTHING };
  if (event.type === 'timer') return onTimer(state, event.timer);
  if (state.name === 'completed') return { state, effects: NOTHING };
  if (event.type === 'transport-error')
    return { state: DEAD, effects: [{ type: 'transport-error' }, { type: 'terminated' }] };
  if (event.status < 200)
    return { state: { name: 'proceeding', retransmitMs: state.retransmitMs }, effects: [{ type: 'pass' }] };
  const done: readonly TransactionEffect[] = [
    { type: 'stop', timer: 'E' },
    { type: 'stop', timer: 'F' },
  ];
  if (reliable) return { state: DEAD, effects: [...done, { type: 'pass' }, { type: 'terminated' }] };
  return {
    state: { name: 'completed', retransmitMs: 0 },
    effects: [...done, { type: 'start', timer: 'K', delayMs: T4_MS }, { type: 'pass' }],
  };
}

function onTimer(state: NonInviteClientState, timer: string): Step {
  const waiting = state.name === 'trying' || state.name === 'proceeding';
  if (timer === 'E' && waiting) {
    const retransmitMs = state.name === 'proceeding' ? T2_MS : Math.min(state.retransmitMs * 2, T2_MS);
    return {
      state: { name: state.name, retransmitMs },
      effects: [{ type: 'start', timer: 'E', delayMs: retransmitMs }, { type: 'send' }],
    };
  }
  if (timer === 'F' && waiting) return { state: DEAD, effects: [{ type: 'timeout' }, { type: 'terminated' }] };
  if (timer === 'K' && state.name === 'completed') return { state: DEAD, effects: [{ type: 'terminated' }] };
  return { state, effects: NOTHING };
}
