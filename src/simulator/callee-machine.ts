import type { HumanTraits } from './persona.ts';

/** What a callee says beside the lines of its conversation. */
export type SaidKind = 'greeting' | 'line' | 'repeat' | 'acknowledgement' | 'asking-back';

export type CalleeHangUp = 'finished' | 'early' | 'nobody-spoke' | 'lost-patience' | 'too-long';

export type CalleeEvent =
  | { readonly type: 'answered'; readonly atMs: number }
  | { readonly type: 'other-started'; readonly atMs: number }
  | { readonly type: 'other-stopped'; readonly atMs: number }
  | { readonly type: 'other-text'; readonly text: string; readonly atMs: number }
  | { readonly type: 'own-speech-ended'; readonly atMs: number }
  | { readonly type: 'tick'; readonly atMs: number };

export type CalleeEffect =
  | { readonly type: 'say'; readonly kind: SaidKind; readonly text: string }
  | { readonly type: 'hang-up'; readonly reason: CalleeHangUp };

/** A person in a call; made by `startCallee`, moved by `next`. Times are on the media clock. */
export interface CalleeState {
  readonly lines: readonly string[];
  readonly traits: HumanTraits;
  readonly answeredMs: number;
  readonly otherSpeaking: boolean;
  readonly otherSinceMs: number;
  /** Utterances of the other side so far. */
  readonly utterances: number;
  /** Text of the other side since the last own line. */
  readonly heard: string;
  readonly speaking: { readonly kind: SaidKind; readonly interrupts: boolean } | undefined;
  readonly due: { readonly kind: 'greeting' | 'line' | 'repeat'; readonly atMs: number } | undefined;
  /** Index of the first line that is still unsaid. */
  readonly nextLine: number;
  /** The last line has had no reply yet. */
  readonly awaitingReply: boolean;
  /** The utterance during which that line was begun: its end is no reply, and the line may have been ignored. */
  readonly talkedOver: number | undefined;
  readonly quietSinceMs: number;
  /** Says nothing on purpose until the other side speaks again. */
  readonly staysSilent: boolean;
  readonly stayedSilentAtLine: number | undefined;
  readonly bargedIn: boolean;
  readonly acknowledgements: number;
  readonly acknowledgedUtterance: number;
  readonly repeats: number;
  readonly askedBack: number;
  readonly gone: boolean;
}

/** The other side says that it heard nothing, so a line that was said has to be said again. */
const HEARD_NOTHING = /听得到|听得见|能听到|能听见|在听吗|还在吗|没有听到|没听到|are you (still )?there|hear me/i;
/** The other side heard something and did not understand it. */
const NOT_UNDERSTOOD = /没听清|没有听清|没听明白|没听懂|没太听|再说一遍|再说一次|say (that|it) again|did not catch/i;

/** An acknowledgement comes this long into what the other side says, and only into something long. */
const ACKNOWLEDGE_AFTER_MS = 2_000;
const ACKNOWLEDGE_FROM_CHARACTERS = 24;
const BARGE_IN_AFTER_MS = 1_600;
/** A line that may have been talked over is said again after this silence: before platforms ask back (4 s and more). */
const UNHEARD_REPEAT_MS = 2_800;
/** With nothing left to say, the callee waits this long for the goodbye's end to become a hang-up. */
const FINISHED_WAIT_MS = 3_500;
const EARLY_HANG_UP_AFTER_MS = 700;
/** The longest that a callee stays silent on purpose when nobody asks back. */
const SILENT_LIMIT_MS = 15_000;
const MAX_REPEATS = 3;
const MAX_ASKED_BACK = 2;
const MAX_CALL_MS = 240_000;

/** A person who has not picked up yet; an empty line is one that stays unsaid until the other side speaks again. */
export function startCallee(lines: readonly string[], traits: HumanTraits): CalleeState {
  return {
    lines,
    traits,
    answeredMs: 0,
    otherSpeaking: false,
    otherSinceMs: 0,
    utterances: 0,
    heard: '',
    speaking: undefined,
    due: undefined,
    nextLine: 0,
    awaitingReply: false,
    talkedOver: undefined,
    quietSinceMs: 0,
    staysSilent: false,
    stayedSilentAtLine: undefined,
    bargedIn: false,
    acknowledgements: 0,
    acknowledgedUtterance: 0,
    repeats: 0,
    askedBack: 0,
    gone: false,
  };
}

export interface CalleeStep {
  readonly state: CalleeState;
  readonly effects: readonly CalleeEffect[];
}

/** One step of a person in a call. Pure; times never go back. */
export function next(state: CalleeState, event: CalleeEvent): CalleeStep {
  if (state.gone) return still(state);
  switch (event.type) {
    case 'answered':
      return still({
        ...state,
        answeredMs: event.atMs,
        quietSinceMs: event.atMs,
        due: state.traits.greets ? { kind: 'greeting', atMs: event.atMs + 300 } : undefined,
      });
    case 'other-started':
      return still({
        ...state,
        otherSpeaking: true,
        otherSinceMs: event.atMs,
        utterances: state.utterances + 1,
        due: undefined,
        staysSilent: false,
      });
    case 'other-text':
      return still({ ...state, heard: state.heard + event.text });
    case 'other-stopped':
      return still(afterOther({ ...state, otherSpeaking: false, quietSinceMs: event.atMs }, event.atMs));
    case 'own-speech-ended':
      return still(afterOwnSpeech(state, event.atMs));
    case 'tick':
      return tick(state, event.atMs);
  }
}

function still(state: CalleeState): CalleeStep {
  return { state, effects: [] };
}

function afterOwnSpeech(state: CalleeState, atMs: number): CalleeState {
  const ended = state.speaking;
  const quiet = { ...state, speaking: undefined, quietSinceMs: atMs };
  // The other side fell silent under an acknowledgement: now it is this side's turn.
  return ended?.kind === 'acknowledgement' && !state.otherSpeaking ? afterOther(quiet, atMs) : quiet;
}

/** The other side has finished: what to do about it. */
function afterOther(state: CalleeState, atMs: number): CalleeState {
  if (state.speaking !== undefined) return state;
  const due = (kind: 'line' | 'repeat'): CalleeState => ({
    ...state,
    due: { kind, atMs: atMs + state.traits.reactionMs },
  });
  if (state.awaitingReply && state.talkedOver === state.utterances) return state;
  if (state.awaitingReply && state.repeats < MAX_REPEATS) {
    const noLineLeft = state.nextLine >= state.lines.length;
    if (HEARD_NOTHING.test(state.heard) || (noLineLeft && NOT_UNDERSTOOD.test(state.heard))) return due('repeat');
  }
  const answered = { ...state, awaitingReply: false, talkedOver: undefined };
  if (state.nextLine >= state.lines.length) return answered;
  if (state.lines[state.nextLine] === '') return { ...answered, nextLine: state.nextLine + 1, staysSilent: true };
  if (state.traits.silentAtLine === state.nextLine && state.stayedSilentAtLine === undefined) {
    return { ...answered, staysSilent: true, stayedSilentAtLine: state.nextLine };
  }
  return { ...due('line'), awaitingReply: false, talkedOver: undefined };
}

function tick(state: CalleeState, atMs: number): CalleeStep {
  if (atMs - state.answeredMs > MAX_CALL_MS) return hangUp(state, 'too-long');
  if (state.speaking !== undefined) return still(state);
  if (state.otherSpeaking) return whileOtherSpeaks(state, atMs);
  if (state.due !== undefined) return atMs >= state.due.atMs ? sayDue(state, state.due.kind) : still(state);
  return whileQuiet(state, atMs - state.quietSinceMs);
}

function whileOtherSpeaks(state: CalleeState, atMs: number): CalleeStep {
  const { traits } = state;
  const elapsedMs = atMs - state.otherSinceMs;
  const saidAll = state.nextLine >= state.lines.length;
  if (saidAll && traits.hangsUpEarly && state.utterances > 1 && elapsedMs >= EARLY_HANG_UP_AFTER_MS) {
    return hangUp(state, 'early');
  }
  if (!saidAll && traits.bargesInAtLine === state.nextLine && !state.bargedIn && elapsedMs >= BARGE_IN_AFTER_MS) {
    return say({ ...state, bargedIn: true }, 'line');
  }
  const mayAcknowledge =
    traits.acknowledges &&
    state.acknowledgements < 2 &&
    state.acknowledgedUtterance < state.utterances &&
    elapsedMs >= ACKNOWLEDGE_AFTER_MS &&
    Array.from(state.heard).length >= ACKNOWLEDGE_FROM_CHARACTERS;
  return mayAcknowledge ? say(state, 'acknowledgement') : still(state);
}

function whileQuiet(state: CalleeState, quietMs: number): CalleeStep {
  if (
    state.awaitingReply &&
    state.talkedOver === state.utterances &&
    quietMs >= UNHEARD_REPEAT_MS &&
    state.repeats < MAX_REPEATS
  ) {
    return say(state, 'repeat');
  }
  const saidAll = state.nextLine >= state.lines.length;
  if (state.staysSilent && quietMs < SILENT_LIMIT_MS) return still(state);
  if (saidAll && !state.awaitingReply && quietMs >= FINISHED_WAIT_MS) return hangUp(state, 'finished');
  if (quietMs < state.traits.patienceMs) return still(state);
  if (state.staysSilent) return say({ ...state, staysSilent: false }, 'line');
  if (state.utterances > 0 && state.awaitingReply && state.repeats < MAX_REPEATS) return say(state, 'repeat');
  if (state.askedBack < MAX_ASKED_BACK) return say(state, 'asking-back');
  return hangUp(state, state.utterances === 0 ? 'nobody-spoke' : 'lost-patience');
}

function sayDue(state: CalleeState, kind: SaidKind): CalleeStep {
  return say({ ...state, due: undefined }, kind);
}

function say(state: CalleeState, kind: SaidKind): CalleeStep {
  const speaking = { kind, interrupts: state.otherSpeaking };
  const talking: CalleeState = { ...state, speaking, due: undefined };
  const effect = (text: string): readonly CalleeEffect[] => [{ type: 'say', kind, text }];
  switch (kind) {
    case 'greeting':
      return { state: talking, effects: effect('喂？') };
    case 'acknowledgement':
      return {
        state: {
          ...talking,
          acknowledgements: state.acknowledgements + 1,
          acknowledgedUtterance: state.utterances,
        },
        effects: effect('嗯。'),
      };
    case 'asking-back':
      return { state: { ...talking, askedBack: state.askedBack + 1 }, effects: effect('喂？你好？') };
    case 'repeat':
      return {
        state: { ...talking, heard: '', repeats: state.repeats + 1, talkedOver: undefined, awaitingReply: true },
        effects: effect(state.lines[state.nextLine - 1] ?? '喂？'),
      };
    case 'line':
      return {
        state: {
          ...talking,
          heard: '',
          nextLine: state.nextLine + 1,
          awaitingReply: true,
          talkedOver: state.otherSpeaking ? state.utterances : undefined,
        },
        effects: effect(state.lines[state.nextLine] ?? ''),
      };
  }
}

function hangUp(state: CalleeState, reason: CalleeHangUp): CalleeStep {
  return { state: { ...state, gone: true }, effects: [{ type: 'hang-up', reason }] };
}
