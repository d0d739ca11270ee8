import type { DialogResult } from '#domain/call.ts';
import type { ExampleConversation } from '#domain/script.ts';
import type { LocalText } from '#domain/text.ts';
import type { CompiledScript } from './compile.ts';
import {
  dialogResult,
  next,
  startDialog,
  type DialogEffect,
  type DialogEvent,
  type DialogState,
} from './interpreter.ts';

/** One thing that was said in a rehearsal. */
export interface RehearsedTurn {
  readonly speaker: 'callee' | 'platform';
  readonly text: string;
  readonly node: string;
}

/** What a rehearsal gave. `turnNodes[n]` is the node after the callee's n-th turn. */
export interface Rehearsal {
  readonly result: DialogResult;
  readonly turns: readonly RehearsedTurn[];
  readonly turnNodes: readonly string[];
  readonly effects: readonly DialogEffect[];
  /** Turns of the callee that came after the call had ended. */
  readonly unsaid: number;
}

/** Pace of a rehearsal on its own clock: one turn of either side takes this long. */
const TURN_MS = 3000;
const NOON = new Date('2026-01-05T02:00:00Z');

/**
 * Holds a conversation in text: every utterance is played out, then the callee says the next turn; an empty turn is
 * silence. No clock, no audio: thousands of turns a second.
 */
export function rehearse(
  script: CompiledScript,
  options: {
    readonly variables: Readonly<Record<string, string>>;
    readonly turns: readonly string[];
    readonly now?: Date;
    readonly timeZone?: string;
    readonly agents?: boolean;
  },
): Rehearsal {
  let state: DialogState = startDialog(script, {
    variables: options.variables,
    now: options.now ?? NOON,
    timeZone: options.timeZone ?? 'Asia/Shanghai',
    agents: options.agents ?? false,
  });
  const turns: RehearsedTurn[] = [];
  const turnNodes: string[] = [];
  const effects: DialogEffect[] = [];
  let atMs = 0;
  let over = false;
  const feed = (event: DialogEvent): void => {
    const step = next(state, event);
    state = step.state;
    effects.push(...step.effects);
    let speaking = '';
    for (const effect of step.effects) {
      if (effect.type === 'say') {
        speaking = effect.speech.map((part) => part.text).join('');
        turns.push({ speaker: 'platform', text: speaking, node: effect.node });
      } else if (effect.type === 'hang-up' || effect.type === 'transfer') over = true;
      // A rehearsal reaches whomever it calls, and what they talk about is theirs.
      if (effect.type === 'transfer' && effect.outside !== undefined) feed({ type: 'transfer-answered', atMs });
    }
    if (speaking === '' || over) return;
    atMs += TURN_MS;
    feed({ type: 'spoken', interrupted: false, playedText: speaking, atMs });
  };
  feed({ type: 'answered', atMs });
  let unsaid = 0;
  for (const text of options.turns) {
    if (over) {
      unsaid += 1;
      continue;
    }
    atMs += TURN_MS;
    turns.push({ speaker: 'callee', text, node: state.data.node });
    feed(text === '' ? { type: 'no-reply', atMs } : { type: 'heard', text, atMs });
    turnNodes.push(state.data.node);
  }
  const hangupBy = over ? 'platform' : 'callee';
  feed({ type: 'hung-up', by: hangupBy, atMs });
  return { result: dialogResult(state, { talkMs: atMs, hangupBy }), turns, turnNodes, effects, unsaid };
}

/** Runs one of a script's own conversations; says turn by turn what differs from what it promises. */
export function checkExample(script: CompiledScript, example: ExampleConversation): LocalText[] {
  const rehearsal = rehearse(script, {
    variables: example.variables,
    turns: example.turns.map((turn) => turn.callee),
  });
  const { result, turnNodes } = rehearsal;
  const failures: LocalText[] = [];
  example.turns.forEach((turn, index) => {
    const reached = turnNodes[index];
    if (reached === undefined)
      failures.push({
        zh: `第 ${index + 1} 句“${turn.callee}”还没说，通话已结束（${result.endReason}）`,
        en: `Turn ${index + 1} "${turn.callee}" was never said: the call had ended (${result.endReason})`,
      });
    else if (turn.expectNode !== undefined && turn.expectNode !== reached)
      failures.push({
        zh: `第 ${index + 1} 句“${turn.callee}”之后应在节点 ${turn.expectNode}，实际在 ${reached}`,
        en: `After turn ${index + 1} "${turn.callee}" node ${turn.expectNode} is expected, got ${reached}`,
      });
  });
  if (result.grade !== example.expectGrade)
    failures.push({
      zh: `应评为 ${example.expectGrade}，实际 ${result.grade}（${result.gradeReason}）`,
      en: `Grade ${example.expectGrade} is expected, got ${result.grade} (${result.gradeReason})`,
    });
  for (const tag of example.expectTags ?? [])
    if (!result.tags.includes(tag))
      failures.push({ zh: `缺少标签“${tag}”`, en: `Tag "${tag}" is missing; got ${result.tags.join(', ')}` });
  return failures;
}
