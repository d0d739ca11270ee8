import type { GlobalKind } from '#domain/script.ts';
import {
  close,
  decide,
  enter,
  handlerOf,
  hangUp,
  noAgent,
  note,
  say,
  sayBuiltIn,
  tag,
  transfer,
  type Step,
} from './flow.ts';
import { nthSpeech } from './speech.ts';
import type { DialogData } from './state.ts';
import { keyOptsOut, optsOut } from './understand/decide.ts';
import { hear, type MatchReason, type Utterance } from './understand/match.ts';

/** Records what was understood and by which layer, phrase and score. */
export function because(step: Step, what: string, reason: MatchReason): void {
  decide(step, `${what}: ${reason.layer} “${reason.phrase}” ${reason.score.toFixed(2)}`);
}

/** Does what the script says for a situation that is handled everywhere. */
export function handleGlobal(
  step: Step,
  kind: GlobalKind,
  reason: MatchReason | undefined,
  utterance?: Utterance,
): void {
  if (kind === 'opt-out' && reason !== undefined) return optOut(step, reason, false);
  if (kind === 'voicemail' || kind === 'call-assistant') return machine(step, kind);
  const { data } = step;
  note(step, kind);
  const handler = handlerOf(step, kind);
  const uses = (data.globalUses[kind] ?? 0) + 1;
  data.globalUses = { ...data.globalUses, [kind]: uses };
  tag(step, handler?.tags);
  if (handler === undefined) {
    if (kind === 'want-human') {
      if (!transfer(step, 'agent', undefined)) noAgent(step);
    } else if (kind === 'refuse') close(step, 'refuse');
    else if (uses > 2) close(step, kind);
    else if (kind === 'repeat' || kind === 'clarify') step.speech.push(...data.lastSpeech);
    else sayBuiltIn(step, 'unrecognised');
    return;
  }
  const speech = nthSpeech(handler.speech, uses - 1);
  if (uses > handler.max) {
    if (handler.onExceed === undefined) close(step, kind, kind === 'repeat' ? undefined : speech);
    else enter(step, handler.onExceed, utterance);
    return;
  }
  switch (handler.action) {
    case 'stay':
      say(step, speech, { intent: kind });
      if (kind === 'repeat') step.speech.push(...withoutDisclosure(step));
      return;
    case 'jump':
      say(step, speech, { intent: kind });
      if (handler.next === undefined) close(step, kind);
      else enter(step, handler.next, utterance);
      return;
    case 'hangup':
      say(step, speech, { intent: kind });
      hangUp(step, kind);
      return;
    case 'transfer':
      if (transfer(step, 'agent', speech)) return;
      if (handler.next === undefined) noAgent(step);
      else enter(step, handler.next, utterance);
  }
}

/** What is repeated: the last words, without saying again before them that something is repeated. */
function withoutDisclosure(step: Step): DialogData['lastSpeech'] {
  const own = new Set(handlerOf(step, 'repeat')?.speech.map((speech) => speech.text));
  return step.data.lastSpeech.filter((part) => !own.has(part.text));
}

/**
 * What the callee says to somebody else, or while waiting for them, is no answer to the script. A wish not to be called
 * again is acted on all the same, without a word; `confirmOptOut` follows when the script has the floor again.
 */
export function overheard(step: Step, text: string, isKey: boolean): void {
  const { data, script } = step;
  if (data.optedOut) return;
  const reason = isKey ? keyOptsOut(script, text) : optsOut(script, hear(text));
  if (reason === undefined) return;
  because(step, 'opt-out', reason);
  rememberOptOut(step);
}

function rememberOptOut(step: Step): void {
  const { data } = step;
  note(step, 'opt-out');
  tag(step, handlerOf(step, 'opt-out')?.tags);
  if (!data.optedOut) step.effects.push({ type: 'suppress' });
  data.optedOut = true;
}

/** Says that nobody will call again, and ends the call. */
export function confirmOptOut(step: Step): void {
  const speech = nthSpeech(handlerOf(step, 'opt-out')?.speech ?? [], 0);
  if (speech === undefined) sayBuiltIn(step, 'optOut');
  else say(step, speech, { intent: 'opt-out' });
  hangUp(step, 'opt-out');
}

/** Confirms an opt-out and ends the call; `late` where goodbyes were already under way. */
export function optOut(step: Step, reason: MatchReason, late: boolean): void {
  const { data } = step;
  if (late) because(step, 'opt-out', reason);
  rememberOptOut(step);
  if (late) data.endReason = 'opt-out';
  if (data.phase === 'transferring') data.phase = 'speaking';
  confirmOptOut(step);
}

/** Ends a call that a machine took; a mailbox for which the script has words hears them after its tone. */
export function machine(step: Step, kind: 'voicemail' | 'call-assistant' | 'fax'): void {
  const { data } = step;
  decide(step, `answered by a machine: ${kind}`);
  note(step, kind);
  data.machine = kind;
  const handler = kind === 'fax' ? undefined : handlerOf(step, kind);
  tag(step, handler?.tags);
  const speech = nthSpeech(handler?.speech ?? [], 0);
  if (kind === 'voicemail' && speech !== undefined) {
    data.phase = 'beep';
    step.effects.push({ type: 'await-beep', maxMs: LONGEST_GREETING_MS });
    return;
  }
  say(step, speech, { intent: kind });
  hangUp(step, kind);
}

/** A mailbox's greeting with its tone; one without a tone records by then. */
const LONGEST_GREETING_MS = 20_000;

/** Says to the mailbox what the script has for it; without a beep it may record all the same. */
export function leaveMessage(step: Step, beep: boolean): void {
  decide(step, beep ? 'beep: message left' : 'no beep: message left');
  say(step, nthSpeech(handlerOf(step, 'voicemail')?.speech ?? [], 0), { intent: 'voicemail' });
  hangUp(step, 'voicemail');
}
