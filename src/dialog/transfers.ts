import type { TransferFailure } from '#domain/transfer.ts';
import { close, decide, enter, handlerOf, hangUp, noAgent, sayBuiltIn, transferOf, type Step } from './flow.ts';
import { BUILT_IN_SPEECH } from './speech.ts';
import { confirmOptOut } from './handlers.ts';

/** The callee waits for somebody: whatever was being said or asked is over, a goodbye that was under way too. */
export function transferStarted(step: Step, atMs: number): void {
  const { data } = step;
  if (data.phase === 'idle' || data.phase === 'transferring') return;
  data.phase = 'transferring';
  data.endReason = '';
  data.early = null;
  data.held = { sinceMs: atMs, by: 'operator' };
  decide(step, 'handed over by an operator');
}

/** The callee talks with whom they were put through to; should the call end now, that was why. */
export function transferAnswered(step: Step): void {
  step.data.endReason = 'transferred';
  decide(step, 'transfer answered');
}

/** The callee's line has taken them elsewhere; the call ends by that, answered there or not. */
export function handedOver(step: Step): void {
  step.data.endReason = 'transferred';
  decide(step, 'transfer handed over');
}

/**
 * Goes where the script goes when nobody took the call, or an operator took it back (`cancelled`), be it out of a talk; after
 * an operator's transfer it asks its last question again.
 */
export function unTransferred(step: Step, reason: TransferFailure | undefined): void {
  const { data } = step;
  if (reason !== undefined) decide(step, `transfer failed: ${reason}`);
  const by = data.held?.by ?? 'script';
  resume(step);
  data.phase = 'speaking';
  data.endReason = '';
  if (data.optedOut) return confirmOptOut(step);
  if (by === 'operator') {
    const question = withoutBridging(step);
    sayBuiltIn(step, reason === 'cancelled' ? 'takenBack' : 'notTransferred');
    step.speech.push(...question);
    return;
  }
  const { node } = step.script.nodes.get(data.node)!;
  const spec = transferOf(step);
  const target =
    (reason === undefined ? undefined : spec?.onFailure?.[reason]) ??
    (node.type === 'transfer' ? node.next : undefined) ??
    handlerOf(step, 'want-human')?.next;
  if (target === undefined) noAgent(step);
  else enter(step, target);
}

/** The target has hung up: the script says goodbye, or the call is over. */
export function transferEnded(step: Step): void {
  const { data } = step;
  const after = transferOf(step)?.after;
  decide(step, 'transfer ended');
  resume(step);
  data.phase = 'speaking';
  if (data.optedOut) return confirmOptOut(step);
  if (after === undefined) {
    hangUp(step, 'transferred');
    return;
  }
  data.endReason = '';
  if (step.script.nodes.has(after)) enter(step, after);
  else close(step, `unknown-node:${after}`);
}

/** The last words, without those about a transfer before: the second one in a row repeats the question alone. */
function withoutBridging(step: Step): Step['data']['lastSpeech'] {
  const { notTransferred, takenBack } = BUILT_IN_SPEECH[step.script.source.language];
  return step.data.lastSpeech.filter(({ text }) => text !== notTransferred && text !== takenBack);
}

function resume(step: Step): void {
  const { data } = step;
  if (data.held !== null) data.heldMs += Math.max(0, data.lastMs - data.held.sinceMs);
  data.held = null;
}
