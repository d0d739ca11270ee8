import { NOTHING, TIMEOUT_MS } from './timers.ts';
import type { TransactionEffect, TransactionStep } from './timers.ts';

/**
 * Non-INVITE server transaction: RFC 3261 §17.2.2; a 408 is never sent (RFC 4320 §4.2).
 *
 *        | request: pass
 *        v
 *     [trying] -- 1xx: send --> [proceeding] -- request: send
 *        |                           |
 *        +-- 200-699: send, start J -+
 *                     v
 *   request: send [completed] -- J --> [terminated]
 */
export interface NonInviteServerState {
  readonly name: 'trying' | 'proceeding' | 'completed' | 'terminated';
}

export type NonInviteServerEvent =
  /** The request came again. */
  | { readonly type: 'request' }
  | { readonly type: 'respond'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: string };

type Step = TransactionStep<NonInviteServerState>;

const DEAD: NonInviteServerState = { name: 'terminated' };
const SEND: readonly TransactionEffect[] = [{ type: 'send' }];

/** The state of a transaction that has just received its request. */
export const NON_INVITE_SERVER_START: NonInviteServerState = { name: 'trying' };

/** One step of the machine above. */
export function nextNonInviteServer(state: NonInviteServerState, event: NonInviteServerEvent, reliable: boolean): Step {
  switch (event.type) {
    case 'request':
      return { state, effects: state.name === 'proceeding' || state.name === 'completed' ? SEND : NOTHING };
    case 'respond': {
      const open = state.name === 'trying' || state.name === 'proceeding';
      if (!open || event.status === 408) return { state, effects: NOTHING };
      if (event.status < 200) return { state: { name: 'proceeding' }, effects: SEND };
      if (reliable) return { state: DEAD, effects: [...SEND, { type: 'terminated' }] };
      return { state: { name: 'completed' }, effects: [{ type: 'start', timer: 'J', delayMs: TIMEOUT_MS }, ...SEND] };
    }
    case 'timer':
      if (event.timer === 'J' && state.name === 'completed') return { state: DEAD, effects: [{ type: 'terminated' }] };
      return { state, effects: NOTHING };
  }
}
