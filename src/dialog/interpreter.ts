import type { Knowledge } from '#domain/script.ts';
import type { CompiledScript } from './compile.ts';
import {
  ask,
  close,
  decide,
  enter,
  entityContext,
  fillFrom,
  finish,
  handlerOf,
  hangUp,
  note,
  openSlots,
  say,
  sayBuiltIn,
  tag,
  transfer,
  type Step,
} from './flow.ts';
import { because, handleGlobal, leaveMessage, machine, optOut, overheard } from './handlers.ts';
import { nthSpeech, renderText } from './speech.ts';
import { handedOver, transferAnswered, transferEnded, transferStarted, unTransferred } from './transfers.ts';
import type { DialogData, DialogEffect, DialogEvent, DialogState } from './state.ts';
import { attitudeOf, intentsIn, keyOptsOut, optsOut, understand, type Understanding } from './understand/decide.ts';
import { hear, type Utterance } from './understand/match.ts';
import { spokenLength } from './understand/normalize.ts';

export type { DialogData, DialogEffect, DialogEvent, DialogState } from './state.ts';
export { dialogResult } from './grade.ts';

/** Unmatched replies of at most this many characters or words count as short. */
const SHORT_REPLY = 6;
/** A short answer heard this long before the question ended is taken as its answer. */
const EARLY_REPLY_MS = 1500;
/** Speaking pace by which the disclosure is kept from being interrupted, per character or word. */
const DISCLOSURE_MS = { zh: 200, en: 330 } as const;

/** A dialog before the call is answered. Without `agents` a wish for a person leads to a call-back. */
export function startDialog(
  script: CompiledScript,
  options: {
    readonly variables: Readonly<Record<string, string>>;
    readonly now: Date;
    readonly timeZone: string;
    readonly agents?: boolean;
  },
): DialogState {
  const data: DialogData = {
    scriptId: script.source.id,
    scriptVersion: script.source.version,
    variables: options.variables,
    startedAt: options.now.toISOString(),
    timeZone: options.timeZone,
    agents: options.agents ?? false,
    phase: 'idle',
    answeredMs: 0,
    lastMs: 0,
    node: script.start,
    saysInFlight: 0,
    lastSpeech: [],
    lastInterrupted: false,
    early: null,
    visits: {},
    asks: {},
    globalUses: {},
    knowledgeHits: {},
    slots: {},
    tags: [],
    path: [],
    intents: [],
    dtmf: '',
    rounds: 0,
    score: 0,
    refusals: 0,
    positives: 0,
    negatives: 0,
    silences: 0,
    consecutiveSilences: 0,
    held: null,
    heldMs: 0,
    endReason: '',
    optedOut: false,
    machine: null,
    callBackAt: null,
  };
  return { script, data };
}

/** A dialog continued from stored data; the script must be the version that the data names. */
export function resumeDialog(script: CompiledScript, data: DialogData): DialogState {
  return { script, data };
}

/** One step of the dialog: pure, and total for any order of events. */
export function next(state: DialogState, event: DialogEvent): { state: DialogState; effects: readonly DialogEffect[] } {
  if (state.data.phase === 'ended') return { state, effects: [] };
  const step: Step = {
    script: state.script,
    data: { ...state.data, lastMs: Math.max(state.data.lastMs, event.atMs) },
    effects: [],
    speech: [],
    speechNode: state.data.node,
    intent: undefined,
    final: undefined,
    barge: undefined,
  };
  handle(step, event);
  finish(step);
  return { state: { script: state.script, data: step.data }, effects: step.effects };
}

function handle(step: Step, event: DialogEvent): void {
  const { data } = step;
  switch (event.type) {
    case 'answered':
      if (data.phase === 'idle') answered(step, event.atMs);
      return;
    case 'heard':
      heard(step, event.text, event.atMs);
      return;
    case 'no-reply':
      if (data.phase === 'listening') silent(step);
      return;
    case 'spoken':
      spoken(step, event);
      return;
    case 'dtmf':
      dtmf(step, event.digit, event.atMs);
      return;
    case 'overheard':
      if (data.phase === 'transferring') overheard(step, event.text, event.isKey);
      return;
    case 'detected':
      if (data.phase !== 'closing' && data.phase !== 'beep') machine(step, event.kind);
      return;
    case 'beep':
    case 'no-beep':
      if (data.phase === 'beep') leaveMessage(step, event.type === 'beep');
      return;
    case 'transfer-failed':
      if (data.phase === 'transferring') unTransferred(step, event.reason);
      return;
    case 'transfer-started':
      transferStarted(step, event.atMs);
      return;
    case 'transfer-answered':
      if (data.phase === 'transferring') transferAnswered(step);
      return;
    case 'handed-over':
      if (data.phase === 'transferring') handedOver(step);
      break;
    case 'transfer-ended':
      if (data.phase === 'transferring') transferEnded(step);
      return;
    case 'time-limit':
      if (data.phase !== 'idle' && data.phase !== 'closing') close(step, 'time-limit');
      return;
    case 'hung-up':
      data.phase = 'ended';
      if (data.endReason === '') data.endReason = `hung-up-by-${event.by}`;
  }
}

function answered(step: Step, atMs: number): void {
  const { data, script } = step;
  data.answeredMs = atMs;
  data.lastMs = atMs;
  const { aiDisclosure } = script.source.settings;
  step.speech.push(...renderText(script, data, aiDisclosure));
  enter(step, script.start);
  const barge = step.barge ?? { mode: 'semantic', graceMs: 500, ignoreWords: [] };
  const disclosureMs = spokenLength(aiDisclosure) * DISCLOSURE_MS[script.source.language];
  step.barge = { ...barge, graceMs: Math.max(barge.graceMs, disclosureMs) };
}

function heard(step: Step, text: string, atMs: number): void {
  const { data, script } = step;
  const utterance = hear(text);
  if (data.phase === 'idle') return;
  if (utterance.full === '') {
    if (text.trim() !== '' && data.phase === 'listening') wordless(step, utterance);
    return;
  }
  if (data.phase === 'closing' || data.phase === 'transferring' || data.phase === 'beep') {
    const late = data.optedOut ? undefined : optsOut(script, utterance);
    if (late !== undefined) optOut(step, late, true);
    return;
  }
  const understood = understand(script, data, utterance, entityContext(script, data));
  if (data.phase === 'speaking' && (understood.kind === 'unmatched' || isAcknowledgement(script, utterance))) {
    data.early = { text, atMs };
    decide(step, 'heard while speaking: kept');
    return;
  }
  data.rounds += 1;
  data.consecutiveSilences = 0;
  data.lastInterrupted = false;
  countAttitude(step, understood, utterance);
  for (const intent of intentsIn(script, utterance)) note(step, intent);
  const { maxRounds, maxSeconds } = script.source.settings;
  if (understood.kind !== 'global' || understood.global !== 'opt-out') {
    if (data.rounds > maxRounds) return close(step, 'max-rounds');
    if (data.lastMs - data.answeredMs - data.heldMs > maxSeconds * 1000) return close(step, 'time-limit');
  }
  act(step, understood, utterance);
}

/** Something was typed that holds no word, such as “？”: asked again like anything that is not understood. */
function wordless(step: Step, utterance: Utterance): void {
  const { data, script } = step;
  data.rounds += 1;
  data.consecutiveSilences = 0;
  if (data.rounds > script.source.settings.maxRounds) return close(step, 'max-rounds');
  decide(step, 'nothing matched');
  unmatched(step, utterance);
}

/** One or two characters of assent or attention: while the platform speaks, these answer nothing yet. */
function isAcknowledgement(script: CompiledScript, utterance: Utterance): boolean {
  if (spokenLength(utterance.full) > 3) return false;
  const attitude = attitudeOf(script, utterance);
  return attitude === 'positive' || attitude === 'neutral';
}

function countAttitude(step: Step, understood: Understanding, utterance: Utterance): void {
  const { data } = step;
  const meaning = understood.kind === 'branch' ? understood.branch.meaning : undefined;
  const attitude =
    meaning === 'positive' || meaning === 'negative' || meaning === 'refuse'
      ? meaning
      : understood.kind === 'global' && (understood.global === 'refuse' || understood.global === 'opt-out')
        ? 'refuse'
        : attitudeOf(step.script, utterance);
  if (attitude === 'refuse') data.refusals += 1;
  else if (attitude === 'negative') data.negatives += 1;
  else if (attitude === 'positive') data.positives += 1;
}

function act(step: Step, understood: Understanding, utterance: Utterance): void {
  const { data, script } = step;
  switch (understood.kind) {
    case 'global':
      because(step, understood.global, understood.reason);
      handleGlobal(step, understood.global, understood.reason, utterance);
      return;
    case 'branch':
      because(step, `branch ${understood.branch.meaning}`, understood.reason);
      note(step, understood.branch.meaning);
      tag(step, understood.branch.tags);
      enter(step, understood.branch.next, utterance);
      return;
    case 'slots':
      because(step, 'slot', understood.reason);
      collect(step, utterance);
      return;
    case 'knowledge': {
      const { entry } = script.knowledge[understood.index]!;
      because(step, `knowledge ${entry.id}`, understood.reason);
      note(step, entry.id);
      answer(step, entry);
      return;
    }
    case 'unmatched':
      decide(step, 'nothing matched');
      unmatched(step, utterance);
      data.early = null;
  }
}

function collect(step: Step, utterance: Utterance): void {
  const { node } = step.script.nodes.get(step.data.node)!;
  fillFrom(step, node, utterance, true);
  if (openSlots(step, node).length > 0) ask(step, node);
  else if (node.next === undefined) close(step, 'no-next-node');
  else enter(step, node.next, utterance);
}

function answer(step: Step, entry: Knowledge): void {
  const { data } = step;
  const hits = (data.knowledgeHits[entry.id] ?? 0) + 1;
  data.knowledgeHits = { ...data.knowledgeHits, [entry.id]: hits };
  if (hits > entry.maxHits && entry.onExceed !== undefined) return enter(step, entry.onExceed);
  if (hits <= entry.maxHits) data.score += entry.scoreDelta;
  say(step, nthSpeech(entry.answers, hits - 1), { intent: entry.id });
  if (entry.after === 'hangup') return hangUp(step, `knowledge:${entry.id}`);
  if (entry.after === 'transfer') {
    if (!transfer(step, 'agent', undefined)) unTransferred(step, undefined);
    return;
  }
  const node = step.script.nodes.get(data.node)?.node;
  if (entry.after === 'return' && node !== undefined) ask(step, node);
}

function unmatched(step: Step, utterance: Utterance): void {
  const { data, script } = step;
  const compiled = script.nodes.get(data.node)!;
  const { node } = compiled;
  const long = spokenLength(utterance.full) > SHORT_REPLY;
  const branch = compiled.branches.find((candidate) => candidate.meaning === 'unmatched');
  const target = (long ? node.unmatched?.long : node.unmatched?.short) ?? branch?.next;
  if (target !== undefined) {
    if (target === branch?.next) tag(step, branch.tags);
    return enter(step, target, utterance);
  }
  if (node.type === 'collect') {
    const asked = data.asks[node.id] ?? 0;
    const open = (node.slots ?? []).filter((slot) => !Object.hasOwn(data.slots, slot.name));
    if (asked >= 2 && open.every((slot) => !slot.required) && node.next !== undefined) {
      decide(step, 'optional slot left open');
      return enter(step, node.next, utterance);
    }
    if (asked < Math.max(2, node.speech.length)) return ask(step, node);
  }
  if (compiled.branches.length === 0 && node.type !== 'collect' && node.next !== undefined)
    return enter(step, node.next, utterance);
  handleGlobal(step, 'unrecognised', undefined, utterance);
}

function silent(step: Step): void {
  const { data, script } = step;
  data.silences += 1;
  data.consecutiveSilences += 1;
  if (data.lastInterrupted && data.consecutiveSilences === 1) {
    decide(step, 'silence after an interruption: said again');
    step.speech.push(...data.lastSpeech);
    return;
  }
  const handler = handlerOf(step, 'silence');
  const limit = handler?.max ?? script.source.settings.noReply.reprompts;
  decide(step, `silence ${data.consecutiveSilences} of ${limit}`);
  tag(step, handler?.tags);
  note(step, 'silence');
  const speech = nthSpeech(handler?.speech ?? [], data.consecutiveSilences - 1);
  if (data.consecutiveSilences > limit || data.silences > limit * 4 + 4) {
    if (handler?.onExceed === undefined) close(step, 'silence');
    else enter(step, handler.onExceed);
  } else if (speech === undefined) sayBuiltIn(step, 'silence');
  else say(step, speech, { intent: 'silence' });
  if (handler?.action === 'hangup') hangUp(step, 'silence');
}

function spoken(step: Step, event: Extract<DialogEvent, { type: 'spoken' }>): void {
  const { data, script } = step;
  if (data.saysInFlight === 0) return;
  data.saysInFlight = event.interrupted ? 0 : data.saysInFlight - 1;
  if (data.saysInFlight > 0 || data.phase !== 'speaking') return;
  data.phase = 'listening';
  data.lastInterrupted = event.interrupted;
  const { early } = data;
  data.early = null;
  if (early !== null && event.atMs - early.atMs <= EARLY_REPLY_MS) {
    decide(step, 'answered just before the end');
    heard(step, early.text, event.atMs);
    if (step.speech.length > 0 || step.final !== undefined) return;
  }
  const compiled = script.nodes.get(data.node);
  const node = compiled?.node;
  const passing =
    node !== undefined && compiled!.branches.length === 0 && (node.type === 'say' || node.type === 'start');
  if (passing && !event.interrupted && node.next !== undefined) return enter(step, node.next);
  const { noReply } = script.source.settings;
  const limit = handlerOf(step, 'silence')?.max ?? noReply.reprompts;
  const waitMs = node?.noReplyMs ?? noReply.waitMs;
  step.effects.push({ type: 'listen', noReplyMs: data.consecutiveSilences >= limit ? noReply.hangupMs : waitMs });
}

/**
 * Digits count where the node waits for them: a choice or branch that names the digit, or a number ended by `#`. A key
 * that the script's opt-out names counts everywhere else.
 */
function dtmf(step: Step, digit: string, atMs: number): void {
  const { data, script } = step;
  const optingOut = keyOptsOut(script, digit);
  if (data.phase !== 'listening' && data.phase !== 'speaking') {
    if (optingOut !== undefined && !data.optedOut && data.phase !== 'idle') optOut(step, optingOut, true);
    return;
  }
  const compiled = script.nodes.get(data.node);
  const numeric = compiled?.node.slots?.some((slot) => ['number', 'phone', 'amount'].includes(slot.kind)) === true;
  if (numeric) {
    if (digit !== '#') {
      data.dtmf = `${data.dtmf}${digit}`.slice(-20);
      return;
    }
    const typed = data.dtmf;
    data.dtmf = '';
    if (typed !== '') heard(step, typed, atMs);
    return;
  }
  const named =
    optingOut !== undefined ||
    compiled?.branches.some((branch) => branch.match?.exact.has(digit) ?? branch.intent?.exact.has(digit)) === true ||
    [...(compiled?.choices.values() ?? [])].some((list) => list.some(({ match }) => match.exact.has(digit)));
  decide(step, named ? 'key pressed' : 'key pressed: nothing waits for it');
  if (named) heard(step, digit, atMs);
}
