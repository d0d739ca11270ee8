import type { GlobalKind, SlotKind } from '#domain/script.ts';
import { COMPILED_MEANINGS, type CompiledBranch, type CompiledNode, type CompiledScript } from '../compile.ts';
import { findEntity, fillSlot, type EntityContext } from '../entities/fill.ts';
import type { DialogData } from '../state.ts';
import { BUILT_IN_GLOBALS } from './built-in.ts';
import {
  compileMatch,
  says,
  tryMatch,
  type CompiledMatch,
  type Layer,
  type MatchReason,
  type Utterance,
} from './match.ts';

/** What an utterance is taken to mean at this point of the script. */
export type Understanding =
  | { readonly kind: 'global'; readonly global: GlobalKind; readonly reason: MatchReason }
  | { readonly kind: 'branch'; readonly branch: CompiledBranch; readonly reason: MatchReason }
  | { readonly kind: 'knowledge'; readonly index: number; readonly reason: MatchReason }
  | { readonly kind: 'slots'; readonly reason: MatchReason }
  | { readonly kind: 'unmatched'; readonly reason: undefined };

/** The callee's attitude in an utterance, whatever the node asked. */
export type Attitude = 'refuse' | 'negative' | 'positive' | 'neutral';

const defaults = new Map<GlobalKind, CompiledMatch>();

function globalMatch(script: CompiledScript, kind: GlobalKind): CompiledMatch | undefined {
  const own = script.globals.get(kind);
  if (own !== undefined) return own;
  // Opt-out and the wish for a person are honoured in every script, voicemail recognised in every call.
  if (!['opt-out', 'want-human', 'voicemail', 'call-assistant', 'refuse'].includes(kind)) return undefined;
  let match = defaults.get(kind);
  if (match === undefined) {
    match = compileMatch(BUILT_IN_GLOBALS[kind]);
    defaults.set(kind, match);
  }
  return match;
}

/** Whether the callee asks not to be called again: checked before and beside everything else. */
export function optsOut(script: CompiledScript, utterance: Utterance): MatchReason | undefined {
  const match = globalMatch(script, 'opt-out')!;
  return tryMatch(utterance, match, 'text') ?? tryMatch(utterance, match, 'sound');
}

/** Whether a key says the same: the script's opt-out has it among its exact words. */
export function keyOptsOut(script: CompiledScript, digit: string): MatchReason | undefined {
  if (script.globals.get('opt-out')?.exact.has(digit) !== true) return undefined;
  return { layer: 'exact', phrase: digit, score: 1 };
}

/** The attitude by the fixed meanings; denial before agreement, so `好是好，可是不行` is a no. */
export function attitudeOf(script: CompiledScript, utterance: Utterance): Attitude | undefined {
  if (tryMatch(utterance, globalMatch(script, 'refuse')!, 'text') !== undefined) return 'refuse';
  for (const meaning of ['negative', 'positive', 'neutral'] as const)
    if (meaning === 'positive' && deniedAssent(utterance) !== undefined) return 'negative';
    else if (tryMatch(utterance, COMPILED_MEANINGS[meaning], 'text') !== undefined) return meaning;
  return undefined;
}

/** Assent that is denied where it stands (`不太需要`, `没那么方便`) is a no. */
function deniedAssent(utterance: Utterance): MatchReason | undefined {
  const { keywords, not } = COMPILED_MEANINGS.positive;
  if (not.some((phrase) => utterance.text.includes(phrase))) return undefined;
  const phrase = keywords.find((word) => says(utterance.text, word, false) && !says(utterance.text, word));
  return phrase === undefined ? undefined : { layer: 'keyword', phrase: `不 ${phrase}`, score: 0.8 };
}

/** Ids of every intent of the script that the utterance states. */
export function intentsIn(script: CompiledScript, utterance: Utterance): string[] {
  return script.intents
    .filter((intent) => tryMatch(utterance, intent.match, 'text') !== undefined)
    .map((intent) => intent.id);
}

/** Past the greeting, who only says hello did not hear what was said. */
const ATTENTION = /^(?:喂+|喂*你好|喂*您好|hello)$/u;

/**
 * Decides what an utterance means: opt-out, machines, wish for a person and repeat first; then by words, then by
 * sound: the node's own branches, its slots, knowledge, busy and refuse, and last the fixed meanings.
 */
export function understand(
  script: CompiledScript,
  data: DialogData,
  utterance: Utterance,
  context: EntityContext,
): Understanding {
  const optOut = optsOut(script, utterance);
  if (optOut !== undefined) return { kind: 'global', global: 'opt-out', reason: optOut };
  const always: GlobalKind[] =
    data.rounds <= 2 ? ['voicemail', 'call-assistant', 'want-human', 'repeat'] : ['want-human', 'repeat'];
  for (const kind of always) {
    const reason = tryGlobal(script, kind, utterance, 'text');
    if (reason !== undefined) return { kind: 'global', global: kind, reason };
  }
  const node = script.nodes.get(data.node);
  if (node?.node.type !== 'start' && ATTENTION.test(utterance.full))
    return { kind: 'global', global: 'repeat', reason: { layer: 'built-in', phrase: utterance.full, score: 0.8 } };
  for (const layer of ['text', 'sound'] as const) {
    const understood = atLayer(script, data, node, utterance, layer, context);
    if (understood !== undefined) return understood;
    if (layer === 'text') {
      const meaning = fixedMeaning(script, node, utterance);
      if (meaning !== undefined) return meaning;
    } else
      for (const kind of ['want-human', 'repeat'] as const) {
        const reason = tryGlobal(script, kind, utterance, layer);
        if (reason !== undefined) return { kind: 'global', global: kind, reason };
      }
  }
  return { kind: 'unmatched', reason: undefined };
}

function atLayer(
  script: CompiledScript,
  data: DialogData,
  node: CompiledNode | undefined,
  utterance: Utterance,
  layer: Layer,
  context: EntityContext,
): Understanding | undefined {
  const hasEntity = (kind: SlotKind) => kind !== 'choice' && findEntity(kind, utterance, context, false) !== undefined;
  const branch = bestBranch(node, utterance, layer, hasEntity);
  if (branch !== undefined) return branch;
  const busyAsked = script.source.globals.find((handler) => handler.kind === 'busy')?.next === data.node;
  const busy = busyAsked ? undefined : tryGlobal(script, 'busy', utterance, layer);
  if (layer === 'text' && busy === undefined && hasSlot(node, utterance, context))
    return { kind: 'slots', reason: { layer: 'entity', phrase: data.node, score: 0.9 } };
  let best: { index: number; reason: MatchReason } | undefined;
  for (const [index, { match }] of script.knowledge.entries()) {
    const reason = tryMatch(utterance, match, layer, { topic: true, hasEntity });
    if (reason !== undefined && reason.score > (best?.reason.score ?? 0)) best = { index, reason };
  }
  if (best !== undefined) return { kind: 'knowledge', ...best };
  if (busy !== undefined) return { kind: 'global', global: 'busy', reason: busy };
  const refuse = tryGlobal(script, 'refuse', utterance, layer);
  if (refuse === undefined) return undefined;
  const own = node?.branches.find((candidate) => candidate.meaning === 'refuse');
  return own === undefined
    ? { kind: 'global', global: 'refuse', reason: refuse }
    : { kind: 'branch', branch: own, reason: refuse };
}

function bestBranch(
  node: CompiledNode | undefined,
  utterance: Utterance,
  layer: Layer,
  hasEntity: (kind: SlotKind) => boolean,
): Understanding | undefined {
  let best: { branch: CompiledBranch; reason: MatchReason } | undefined;
  for (const source of ['match', 'intent'] as const) {
    for (const branch of node?.branches ?? []) {
      const match = branch[source];
      const reason = match === undefined ? undefined : tryMatch(utterance, match, layer, { hasEntity });
      if (reason !== undefined && reason.score > (best?.reason.score ?? 0)) best = { branch, reason };
    }
    if (best !== undefined) return { kind: 'branch', ...best };
  }
  return undefined;
}

function hasSlot(node: CompiledNode | undefined, utterance: Utterance, context: EntityContext): boolean {
  return (node?.node.slots ?? []).some(
    (slot) => fillSlot(slot, node?.choices.get(slot.name) ?? [], utterance, context, true) !== undefined,
  );
}

function tryGlobal(
  script: CompiledScript,
  kind: GlobalKind,
  utterance: Utterance,
  layer: Layer,
): MatchReason | undefined {
  const match = globalMatch(script, kind);
  return match === undefined ? undefined : tryMatch(utterance, match, layer);
}

/** Agreement and denial by the fixed meanings, where the node has a branch for them; both at once asks to clarify. */
function fixedMeaning(
  script: CompiledScript,
  node: CompiledNode | undefined,
  utterance: Utterance,
): Understanding | undefined {
  const find = (meaning: string) => node?.branches.find((branch) => branch.meaning === meaning);
  const negative = tryMatch(utterance, COMPILED_MEANINGS.negative, 'text') ?? deniedAssent(utterance);
  const positive = tryMatch(utterance, COMPILED_MEANINGS.positive, 'text');
  const neutral = tryMatch(utterance, COMPILED_MEANINGS.neutral, 'text');
  const builtIn = (reason: MatchReason): MatchReason => ({ ...reason, layer: 'built-in' });
  if (negative?.layer === 'keyword' && positive?.layer === 'keyword' && script.globals.has('clarify'))
    return {
      kind: 'global',
      global: 'clarify',
      reason: { layer: 'built-in', phrase: `${positive.phrase} / ${negative.phrase}`, score: 0.5 },
    };
  for (const [reason, branch] of [
    [neutral?.layer === 'exact' ? neutral : undefined, find('neutral')],
    [negative, find('negative') ?? find('refuse')],
    [positive, find('positive')],
    [neutral, find('neutral')],
  ] as const)
    if (reason !== undefined && branch !== undefined) return { kind: 'branch', branch, reason: builtIn(reason) };
  return undefined;
}
