import type { BargePolicy } from '#domain/script.ts';
import type { VoiceSettings } from './settings.ts';
import { countWords, holdsStopWord, holdsWord, meaningfulWords } from './words.ts';

/** What is known when the callee is heard over our speech. */
export interface BargeFacts {
  readonly phase: string;
  readonly heard: {
    readonly text: string;
    readonly final: boolean;
    readonly speaking: boolean;
    readonly lastMs: number;
    readonly textAtMs: number;
    readonly voicedMs: number;
  };
  readonly agent: { readonly policy: BargePolicy; readonly startMs: number };
  readonly atMs: number;
  /** Voice of the stretch that is going on. */
  readonly runningMs: number;
  readonly settings: VoiceSettings;
}

/** What to do with our speech, and when to look again. */
export interface BargeDecision {
  readonly action: 'none' | 'duck' | 'pause' | 'interrupt' | 'resume' | 'forget';
  readonly wakeAtMs: number;
}

/** Words that interrupt by themselves need this many, a Chinese character counting as one. */
const INTERRUPTING_WORDS = 2;
/** An acknowledgement that is drawn out interrupts only after this much more voice. */
const ACKNOWLEDGED_RATIO = 2;

function wordsInterrupt(policy: BargePolicy, text: string): boolean {
  if (text === '') return false;
  switch (policy.mode) {
    case 'never':
      return false;
    case 'always':
      return countWords(text) > 0;
    case 'keywords':
      return policy.keywords === undefined ? holdsStopWord(text) : holdsWord(text, policy.keywords);
    case 'semantic':
      return (
        holdsStopWord(text) ||
        holdsWord(text, policy.keywords ?? []) ||
        meaningfulWords(text, policy.ignoreWords) >= INTERRUPTING_WORDS
      );
  }
}

/** Decides what speech or text of the callee does to our speech under the policy of what we say. */
export function bargeDecision(facts: BargeFacts): BargeDecision {
  const { phase, heard, agent, atMs, settings } = facts;
  const { policy } = agent;
  const undisturbed = phase === 'agent-speaking';
  const graceEndMs = agent.startMs + policy.graceMs;
  if (policy.mode === 'never') return undisturbed ? kept(facts) : { action: 'resume', wakeAtMs: atMs + 1 };
  if (undisturbed && atMs < graceEndMs) return { action: 'none', wakeAtMs: graceEndMs };
  if (wordsInterrupt(policy, heard.text)) return { action: 'interrupt', wakeAtMs: Infinity };
  if (heard.speaking) return whileVoiced(facts, policy.mode);
  if (undisturbed) return kept(facts);
  if (phase === 'ducked') return { action: 'resume', wakeAtMs: atMs + 1 };
  // Paused and silent again: words decide, or their absence.
  const meant = meaningfulWords(heard.text, policy.ignoreWords) > 0;
  if (heard.final && meant) return { action: 'interrupt', wakeAtMs: Infinity };
  if (heard.final && heard.text !== '') return { action: 'resume', wakeAtMs: atMs + 1 };
  const resumeAtMs = heard.lastMs + settings.resumeMs;
  if (atMs < resumeAtMs) return { action: 'none', wakeAtMs: resumeAtMs };
  return meant ? { action: 'interrupt', wakeAtMs: Infinity } : { action: 'resume', wakeAtMs: atMs + 1 };
}

/** Our speech goes on: what was heard waits for its end, but an acknowledgement only for a while. */
function kept({ heard, agent, atMs, settings }: BargeFacts): BargeDecision {
  if (heard.speaking || meaningfulWords(heard.text, agent.policy.ignoreWords) > 0)
    return { action: 'none', wakeAtMs: Infinity };
  const forgetAtMs = heard.lastMs + settings.lateAnswerMs;
  return atMs < forgetAtMs ? { action: 'none', wakeAtMs: forgetAtMs } : { action: 'forget', wakeAtMs: Infinity };
}

function whileVoiced(facts: BargeFacts, mode: 'always' | 'keywords' | 'semantic'): BargeDecision {
  const { phase, heard, agent, atMs, runningMs, settings } = facts;
  /** The running voice is known only at a start and at a tick: look again when it could be enough. */
  const again = (neededMs: number): number => atMs + Math.max(1, neededMs - runningMs);
  if (mode === 'keywords') return { action: phase === 'agent-speaking' ? 'duck' : 'none', wakeAtMs: Infinity };
  if (phase === 'agent-speaking') return { action: 'duck', wakeAtMs: again(settings.bargeInMs) };
  if (mode === 'always')
    return runningMs >= settings.bargeInMs
      ? { action: 'interrupt', wakeAtMs: Infinity }
      : { action: 'none', wakeAtMs: again(settings.bargeInMs) };
  if (phase === 'ducked')
    return runningMs >= settings.bargeInMs
      ? { action: 'pause', wakeAtMs: again(settings.interruptMs) }
      : { action: 'none', wakeAtMs: again(settings.bargeInMs) };
  const acknowledged = heard.text !== '' && meaningfulWords(heard.text, agent.policy.ignoreWords) === 0;
  const neededMs = settings.interruptMs * (acknowledged ? ACKNOWLEDGED_RATIO : 1);
  return runningMs >= neededMs
    ? { action: 'interrupt', wakeAtMs: Infinity }
    : { action: 'none', wakeAtMs: again(neededMs) };
}
