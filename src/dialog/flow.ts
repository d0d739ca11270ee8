import type { BargePolicy, GlobalHandler, GlobalKind, ScriptNode, ScriptTransfer, Speech } from '#domain/script.ts';
import { sipHost } from '#domain/transfer.ts';
import type { CompiledNode, CompiledScript } from './compile.ts';
import { fillSlot, type EntityContext } from './entities/fill.ts';
import { factsOf } from './grade.ts';
import { CALL_BACK_SLOT } from './script-terms.ts';
import { BUILT_IN_SPEECH, nthSpeech, plainText, renderSpeech, renderText } from './speech.ts';
import type { DialogData, DialogEffect, OutsideTarget, SlotValue, SpeechPart } from './state.ts';
import type { Utterance } from './understand/match.ts';

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** One step being worked out: a copy of the data to write on, and what the step does. */
export interface Step {
  readonly script: CompiledScript;
  readonly data: Mutable<DialogData>;
  readonly effects: DialogEffect[];
  /** Spoken together at the end of the step. */
  speech: SpeechPart[];
  speechNode: string;
  intent: string | undefined;
  /** After the speech. */
  final: DialogEffect | undefined;
  barge: BargePolicy | undefined;
}

const DEFAULT_BARGE: BargePolicy = { mode: 'semantic', graceMs: 500, ignoreWords: [] };
/** Nodes that one step may pass through: more is a loop of nodes that never wait for the callee. */
const MAX_HOPS = 50;

/** Records why something was done. */
export function decide(step: Step, reason: string): void {
  step.effects.push({ type: 'decision', node: step.data.node, reason });
}

/** Puts tags on the call, each once. */
export function tag(step: Step, tags: readonly string[] | undefined): void {
  for (const name of tags ?? [])
    if (!step.data.tags.includes(name)) {
      step.data.tags = [...step.data.tags, name];
      step.effects.push({ type: 'tag', tag: name });
    }
}

/** Notes that the callee meant something, each once. */
export function note(step: Step, intent: string): void {
  if (!step.data.intents.includes(intent)) step.data.intents = [...step.data.intents, intent];
}

/** Adds to what is said in this step. */
export function say(step: Step, speech: Speech | undefined, options: { readonly intent?: string } = {}): void {
  if (speech === undefined) return;
  step.speech.push(...renderSpeech(step.script, step.data, speech));
  step.speechNode = step.data.node;
  if (options.intent !== undefined) step.intent = options.intent;
}

/** Adds one of the product's own sentences. */
export function sayBuiltIn(step: Step, key: keyof (typeof BUILT_IN_SPEECH)['zh']): void {
  step.speech.push(...renderText(step.script, step.data, BUILT_IN_SPEECH[step.script.source.language][key]));
  step.speechNode = step.data.node;
}

/** Ends the call after what this step says. */
export function hangUp(step: Step, reason: string): void {
  if (step.data.phase === 'closing' || step.data.phase === 'ended') return;
  step.data.phase = 'closing';
  step.data.endReason = reason;
  step.final = { type: 'hang-up', reason };
}

/** Says goodbye and ends the call. */
export function close(step: Step, reason: string, speech?: Speech): void {
  if (speech === undefined) sayBuiltIn(step, 'closing');
  else say(step, speech);
  decide(step, `end: ${reason}`);
  hangUp(step, reason);
}

/** The script's handler of a situation. */
export function handlerOf(step: Step, kind: GlobalKind): GlobalHandler | undefined {
  return step.script.source.globals.find((handler) => handler.kind === kind);
}

/** What values are read against at this moment of the call. */
export function entityContext(script: CompiledScript, data: DialogData): EntityContext {
  const elapsedMs = Math.max(0, data.lastMs - data.answeredMs);
  return {
    now: new Date(Date.parse(data.startedAt) + elapsedMs),
    timeZone: data.timeZone,
    language: script.source.language,
  };
}

/** Stores a slot; the call-back slot is also the call-back. */
export function fill(step: Step, name: string, slot: SlotValue): void {
  step.data.slots = { ...step.data.slots, [name]: slot };
  step.effects.push({ type: 'slot', name, value: slot.value });
  const at = name === CALL_BACK_SLOT ? new Date(slot.value) : undefined;
  if (at !== undefined && !Number.isNaN(at.getTime())) {
    step.data.callBackAt = at.toISOString();
    step.effects.push({ type: 'call-back', at });
  }
}

/** Fills the open slots of a node from an utterance; true when it found one. */
export function fillFrom(step: Step, node: ScriptNode, utterance: Utterance, asked: boolean): boolean {
  const choices = step.script.nodes.get(node.id)?.choices;
  const context = entityContext(step.script, step.data);
  let found = false;
  for (const slot of node.slots ?? []) {
    if (Object.hasOwn(step.data.slots, slot.name) && !asked) continue;
    if (!asked && (slot.kind === 'yes-no' || slot.kind === 'number' || slot.kind === 'phone')) continue;
    const value = fillSlot(slot, choices?.get(slot.name) ?? [], utterance, context, asked);
    if (value === undefined) continue;
    decide(step, `slot ${slot.name}: ${slot.kind}`);
    fill(step, slot.name, value);
    found = true;
  }
  return found;
}

/** Slots of a node that have no value yet. */
export function openSlots(step: Step, node: ScriptNode): readonly string[] {
  return (node.slots ?? []).filter((slot) => !Object.hasOwn(step.data.slots, slot.name)).map((slot) => slot.name);
}

/** Goes to a node and on through nodes that do not wait; `carried` is the utterance that led there. */
export function enter(step: Step, target: string, carried?: Utterance): void {
  const { data, script } = step;
  let next: string | undefined = target;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const compiled: CompiledNode | undefined = next === undefined ? undefined : script.nodes.get(next);
    if (compiled === undefined) {
      close(step, next === undefined ? 'no-next-node' : `unknown-node:${next}`);
      return;
    }
    const node: ScriptNode = compiled.node;
    const visits = (data.visits[node.id] ?? 0) + 1;
    data.node = node.id;
    if (visits > node.maxVisits) {
      const exit = handlerOf(step, 'unrecognised')?.onExceed;
      decide(step, `more than ${node.maxVisits} visits`);
      if (exit === undefined || exit === node.id || (data.visits[exit] ?? 0) > 0) {
        close(step, `max-visits:${node.id}`);
        return;
      }
      next = exit;
      continue;
    }
    data.visits = { ...data.visits, [node.id]: visits };
    data.asks = { ...data.asks, [node.id]: 0 };
    data.path = [...data.path, node.id];
    data.score += node.scoreDelta;
    tag(step, node.tags);
    switch (node.type) {
      case 'condition':
        next = conditionTarget(step, node.id);
        continue;
      case 'jump':
        say(step, nthSpeech(node.speech, visits - 1));
        next = node.next;
        continue;
      case 'transfer':
        if (transfer(step, node.transferTo ?? 'agent', nthSpeech(node.speech, visits - 1))) return;
        next = node.next;
        if (next === undefined) {
          noAgent(step);
          return;
        }
        continue;
      case 'collect':
        if (carried !== undefined) fillFrom(step, node, carried, false);
        if (openSlots(step, node).length === 0 && (node.slots ?? []).length > 0) {
          next = node.next;
          continue;
        }
        ask(step, node);
        return;
      case 'end':
        say(step, nthSpeech(node.speech, visits - 1));
        hangUp(step, `end:${node.id}`);
        return;
      case 'start':
      case 'say':
        if (node.speech.length === 0 && node.branches.length === 0 && node.next !== undefined) {
          next = node.next;
          continue;
        }
        ask(step, node);
        return;
    }
  }
  close(step, 'loop');
}

/** Says the node's question in the version that is due: one further for each visit and each time it is asked again. */
export function ask(step: Step, node: ScriptNode): void {
  const asked = step.data.asks[node.id] ?? 0;
  step.barge = node.barge;
  say(step, nthSpeech(node.speech, (step.data.visits[node.id] ?? 1) - 1 + asked));
  step.data.asks = { ...step.data.asks, [node.id]: asked + 1 };
}

/** Hands the call to whoever the script names outside, else to an agent; false where this call has neither. */
export function transfer(step: Step, to: string, speech: Speech | undefined): boolean {
  const outside = outsideTarget(step);
  if (outside === undefined && !step.data.agents) {
    decide(step, 'no agent for a transfer');
    return false;
  }
  say(step, speech);
  step.data.phase = 'transferring';
  step.data.held = { sinceMs: step.data.lastMs, by: 'script' };
  step.final = { type: 'transfer', to, ...(outside === undefined ? {} : { outside }) };
  return true;
}

/** What the script says about transfers from where it is: the node's own word, else the settings'. */
export function transferOf(step: Step): ScriptTransfer | undefined {
  return step.script.nodes.get(step.data.node)?.node.transfer ?? step.script.source.settings.transfer;
}

function outsideTarget(step: Step): OutsideTarget | undefined {
  const spec = transferOf(step);
  if (spec === undefined) return undefined;
  const target = plainText(step.script, step.data, spec.target).trim();
  if (target === '') {
    decide(step, 'transfer target is empty');
    return undefined;
  }
  // What comes from lists and callees may be a number or a user, never the server that calls are sent to.
  const host = sipHost(target);
  if (host !== undefined && host !== sipHost(spec.target.trim())) {
    decide(step, 'transfer target names a SIP host that the script does not');
    return undefined;
  }
  const { kind, ringSeconds } = spec;
  return { target, kind, ...(ringSeconds === undefined ? {} : { ringSeconds }) };
}

/** Nobody can take the call and the script does not say what then. */
export function noAgent(step: Step): void {
  sayBuiltIn(step, 'noAgent');
  hangUp(step, 'want-human');
}

function conditionTarget(step: Step, id: string): string | undefined {
  const compiled = step.script.nodes.get(id)!;
  const facts = factsOf(step.data);
  for (const branch of compiled.branches) {
    if (branch.when !== undefined && !branch.when.holds(facts)) continue;
    decide(step, branch.when === undefined ? 'otherwise' : `when ${branch.when.source}`);
    tag(step, branch.tags);
    return branch.next;
  }
  return compiled.node.next;
}

/** Finishes a step: everything said becomes one utterance, followed by what happens after it. */
export function finish(step: Step): void {
  const { data } = step;
  if (step.speech.length > 0) {
    data.lastSpeech = step.speech;
    data.lastInterrupted = false;
    data.early = null;
    data.saysInFlight += 1;
    if (data.phase === 'idle' || data.phase === 'listening') data.phase = 'speaking';
    step.effects.push({
      type: 'say',
      node: step.speechNode,
      ...(step.intent === undefined ? {} : { intent: step.intent }),
      speech: step.speech,
      barge: step.barge ?? step.script.nodes.get(data.node)?.node.barge ?? DEFAULT_BARGE,
    });
  }
  if (step.final !== undefined) step.effects.push(step.final);
}
