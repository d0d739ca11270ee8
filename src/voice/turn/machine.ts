import type { BargePolicy } from '#domain/script.ts';
import { bargeDecision } from './barge.ts';
import { END_OF_TURN_THRESHOLD, endOfTurnLikelihood } from './end-of-turn.ts';
import type { VoiceSettings } from './settings.ts';
import { meaningfulWords } from './words.ts';

/*
 * idle ──speech or text──▶ user-speaking ──silence, final text──▶ end-pending ──end of turn──▶ thinking
 *   ▲                          ▲  ▲                                  │ speech resumes             │
 *   │                          │  └──────────────────────────────────┘                            │ our speech
 *   └──our speech over─────────┼──────────────────────────── agent-speaking ◀─────────────────────┘
 *                              │                               │  ▲
 *                              │                        onset  ▼  │ silence
 *                              │                             ducked ──▶ paused ──▶ (agent-speaking again)
 *                              │ faded out                     │          │
 *                              └─────────────────────────── interrupted ◀─┘
 */
export type TurnPhase =
  | 'idle'
  | 'user-speaking'
  | 'end-pending'
  | 'thinking'
  | 'agent-speaking'
  | 'ducked'
  | 'paused'
  | 'interrupted';

/** What the callee has said since the last turn ended. */
export interface Heard {
  readonly text: string;
  /** Whether all of `text` is final. */
  readonly final: boolean;
  readonly textAtMs: number;
  readonly speaking: boolean;
  readonly startMs: number;
  /** Last sign of the callee: end of voice, last text. */
  readonly lastMs: number;
  /** Voice of the stretches that are over; a running stretch comes with `tick`. */
  readonly voicedMs: number;
}

export interface TurnState {
  readonly phase: TurnPhase;
  /** Counts turns: whatever was started for an older epoch is stale. */
  readonly epoch: number;
  readonly heard: Heard | undefined;
  /** What we say now; present in the four phases in which we speak. */
  readonly agent: { readonly policy: BargePolicy; readonly startMs: number } | undefined;
  /** The next `tick` that matters; Infinity when none does. */
  readonly wakeAtMs: number;
}

export type TurnEvent =
  | { readonly type: 'speech-start'; readonly atMs: number; readonly startMs: number }
  | { readonly type: 'speech-stop'; readonly atMs: number; readonly endMs: number; readonly voicedMs: number }
  /** All that was understood since the last turn; replaces what came before. */
  | {
      readonly type: 'text';
      readonly atMs: number;
      readonly text: string;
      readonly final: boolean;
      readonly voicedMs: number;
    }
  | {
      readonly type: 'playout-start';
      readonly atMs: number;
      readonly policy: BargePolicy;
      readonly voicedMs: number;
    }
  /** Nothing is playing or waiting to play any more. */
  | { readonly type: 'playout-end'; readonly atMs: number }
  /** Due at `wakeAtMs`. Here and above `voicedMs` is the voice of the stretch that is going on. */
  | { readonly type: 'tick'; readonly atMs: number; readonly voicedMs: number };

export type TurnEffect =
  | { readonly type: 'duck' | 'pause' | 'resume' | 'interrupt' }
  /** The recognisers should make their text final soon. */
  | { readonly type: 'request-final' }
  /** What was heard is not part of any turn. */
  | { readonly type: 'forget' }
  | {
      readonly type: 'commit';
      readonly text: string;
      readonly startMs: number;
      readonly endMs: number;
      readonly epoch: number;
    };

export interface TurnStep {
  readonly state: TurnState;
  readonly effects: readonly TurnEffect[];
}

/** Nobody has spoken yet. */
export const TURN_START: TurnState = {
  phase: 'idle',
  epoch: 0,
  heard: undefined,
  agent: undefined,
  wakeAtMs: Infinity,
};

const NONE: readonly TurnEffect[] = [];

/** One step of a call's turn-taking. Pure; `settings` are the call's. */
export function next(state: TurnState, event: TurnEvent, settings: VoiceSettings): TurnStep {
  switch (event.type) {
    case 'speech-start': {
      const heard: Heard = {
        text: state.heard?.text ?? '',
        final: state.heard?.final ?? false,
        textAtMs: state.heard?.textAtMs ?? event.startMs,
        speaking: true,
        startMs: state.heard?.startMs ?? event.startMs,
        lastMs: event.atMs,
        voicedMs: state.heard?.voicedMs ?? 0,
      };
      return onHeard({ ...state, heard }, event.atMs, settings, event.atMs - event.startMs, NONE);
    }
    case 'speech-stop': {
      if (state.heard === undefined) return { state, effects: NONE };
      const { heard } = state;
      const voicedMs = heard.voicedMs + event.voicedMs;
      const lastMs = Math.max(event.endMs, heard.textAtMs);
      const stopped = { ...state, heard: { ...heard, speaking: false, lastMs, voicedMs } };
      return onHeard(stopped, event.atMs, settings, 0, [{ type: 'request-final' }]);
    }
    case 'text': {
      if (event.text === '' && state.heard === undefined) return { state, effects: NONE };
      const heard: Heard = {
        speaking: false,
        startMs: event.atMs,
        voicedMs: 0,
        ...state.heard,
        text: event.text,
        final: event.final,
        textAtMs: event.text === state.heard?.text ? state.heard.textAtMs : event.atMs,
        lastMs: event.text === state.heard?.text ? state.heard.lastMs : event.atMs,
      };
      return onHeard({ ...state, heard }, event.atMs, settings, event.voicedMs, NONE);
    }
    case 'playout-start': {
      const agent = { policy: event.policy, startMs: event.atMs };
      const phase = state.phase === 'ducked' || state.phase === 'paused' ? state.phase : 'agent-speaking';
      return whileSpeaking({ ...state, phase, agent }, event.atMs, settings, event.voicedMs, NONE);
    }
    case 'playout-end':
      return onPlayoutEnd(state, event.atMs, settings);
    case 'tick':
      if (event.atMs < state.wakeAtMs) return { state, effects: NONE };
      return onHeard(state, event.atMs, settings, event.voicedMs, NONE);
  }
}

/** Something was heard, or a wait is over: decides by who has the floor. */
function onHeard(
  state: TurnState,
  atMs: number,
  settings: VoiceSettings,
  runningMs: number,
  effects: readonly TurnEffect[],
): TurnStep {
  switch (state.phase) {
    case 'agent-speaking':
    case 'ducked':
    case 'paused':
      return whileSpeaking(state, atMs, settings, runningMs, effects);
    case 'interrupted':
      return { state: { ...state, wakeAtMs: Infinity }, effects };
    case 'idle':
    case 'user-speaking':
    case 'end-pending':
    case 'thinking':
      return whileListening(state, atMs, settings, effects);
  }
}

/** We speak: the callee's words and voice may lower, hold or end our speech. */
function whileSpeaking(
  state: TurnState,
  atMs: number,
  settings: VoiceSettings,
  runningMs: number,
  before: readonly TurnEffect[],
): TurnStep {
  const { agent, heard } = state;
  if (agent === undefined || heard === undefined) return { state: { ...state, wakeAtMs: Infinity }, effects: before };
  const decision = bargeDecision({ phase: state.phase, heard, agent, atMs, runningMs, settings });
  const { wakeAtMs } = decision;
  switch (decision.action) {
    case 'none':
      return { state: { ...state, wakeAtMs }, effects: before };
    case 'duck':
      return { state: { ...state, phase: 'ducked', wakeAtMs }, effects: [...before, { type: 'duck' }] };
    case 'pause':
      return { state: { ...state, phase: 'paused', wakeAtMs }, effects: [...before, { type: 'pause' }] };
    case 'interrupt':
      return {
        state: { ...state, phase: 'interrupted', wakeAtMs: Infinity },
        effects: [...before, { type: 'interrupt' }],
      };
    case 'forget':
      return { state: { ...state, heard: undefined, wakeAtMs }, effects: [...before, { type: 'forget' }] };
    case 'resume':
      return { state: { ...state, phase: 'agent-speaking', wakeAtMs }, effects: [...before, { type: 'resume' }] };
  }
}

/** Our speech is over: what the callee said meanwhile becomes a turn, unless it only acknowledged. */
function onPlayoutEnd(state: TurnState, atMs: number, settings: VoiceSettings): TurnStep {
  if (state.agent === undefined) return { state, effects: NONE };
  const { heard, agent } = state;
  const free: TurnState = { ...state, phase: 'idle', agent: undefined, wakeAtMs: Infinity };
  // What is said next starts at full level.
  const effects: readonly TurnEffect[] =
    state.phase === 'ducked' || state.phase === 'paused' ? [{ type: 'resume' }] : NONE;
  if (heard === undefined) return { state: free, effects };
  const recent = atMs - heard.lastMs <= settings.lateAnswerMs;
  const meant = heard.text !== '' && meaningfulWords(heard.text, agent.policy.ignoreWords) > 0;
  if (heard.speaking || state.phase === 'interrupted' || meant || recent)
    return whileListening(free, atMs, settings, effects);
  return { state: { ...free, heard: undefined }, effects: [...effects, { type: 'forget' }] };
}

/** The callee has the floor: decides whether the turn is over, or when to look again. */
function whileListening(
  state: TurnState,
  atMs: number,
  settings: VoiceSettings,
  before: readonly TurnEffect[],
): TurnStep {
  const { heard } = state;
  if (heard === undefined) return { state: { ...state, wakeAtMs: Infinity }, effects: before };
  // A new beginning after a turn was handed on makes whatever is being prepared for it stale.
  const epoch = state.phase === 'thinking' ? state.epoch + 1 : state.epoch;
  const endAtMs = endOfTurnAt(heard, settings);
  if (atMs < endAtMs) {
    const phase = heard.speaking || (heard.text !== '' && !heard.final) ? 'user-speaking' : 'end-pending';
    return { state: { ...state, phase, epoch, wakeAtMs: endAtMs }, effects: before };
  }
  const over: TurnState = { ...state, epoch, heard: undefined, wakeAtMs: Infinity };
  if (heard.text === '' && heard.voicedMs < settings.wordlessVoiceMs)
    return { state: { ...over, phase: 'idle' }, effects: [...before, { type: 'forget' }] };
  const { text, startMs, lastMs: endMs } = heard;
  return {
    state: { ...over, phase: 'thinking', epoch: epoch + 1 },
    effects: [...before, { type: 'commit', text, startMs, endMs, epoch: epoch + 1 }],
  };
}

/** When the turn ends if nothing more is heard. */
function endOfTurnAt(heard: Heard, settings: VoiceSettings): number {
  // Voice that goes on under text that is long final is background, not the talker.
  if (heard.speaking) return heard.text !== '' && heard.final ? heard.textAtMs + settings.hardStopMs : Infinity;
  if (heard.text === '') return heard.lastMs + settings.textWaitMs;
  if (!heard.final) return heard.lastMs + settings.hardStopMs;
  const finished = endOfTurnLikelihood(heard.text) >= END_OF_TURN_THRESHOLD;
  return heard.lastMs + (finished ? settings.endOfTurnMs : settings.holdMs);
}
