import type { NetworkOutcome } from '#domain/outcome.ts';
import { randomFor, type Random } from './random.ts';

/** What the line of a number does with one call; `human` is the only one in which a person talks. */
export type LineBehaviour =
  | 'human'
  | Exclude<
      NetworkOutcome,
      'answered' | 'forwarded' | 'trunk-unreachable' | 'trunk-auth-failed' | 'media-refused' | 'cancelled' | 'lost'
    >;

/** How a number behaves over all its calls: one behaviour per attempt, the last one repeats. */
export const LINE_PLANS = {
  human: ['human'],
  'busy-then-human': ['busy', 'human'],
  'busy-twice-then-human': ['busy', 'busy', 'human'],
  'no-answer-then-human': ['no-answer', 'human'],
  'rejected-then-human': ['rejected', 'human'],
  'powered-off-then-human': ['powered-off', 'human'],
  'out-of-coverage-then-human': ['out-of-coverage', 'human'],
  'unreachable-then-human': ['unreachable', 'human'],
  'congestion-then-human': ['congestion', 'human'],
  'voicemail-then-human': ['voicemail', 'human'],
  'no-answer': ['no-answer'],
  rejected: ['rejected'],
  busy: ['busy'],
  'powered-off': ['powered-off'],
  'out-of-coverage': ['out-of-coverage'],
  unreachable: ['unreachable'],
  'invalid-number': ['invalid-number'],
  'number-changed': ['number-changed'],
  suspended: ['suspended'],
  arrears: ['arrears'],
  'incoming-barred': ['incoming-barred'],
  voicemail: ['voicemail'],
  'call-assistant': ['call-assistant'],
  fax: ['fax'],
  'operator-blocked': ['operator-blocked'],
  'caller-id-blocked': ['caller-id-blocked'],
  'spam-labelled': ['spam-labelled'],
} as const satisfies Readonly<Record<string, readonly LineBehaviour[]>>;
export type LinePlan = keyof typeof LINE_PLANS;

/** Share of each plan in a population, in percent: 61 % can be talked with in the end. */
export const LINE_PLAN_WEIGHTS: Readonly<Record<LinePlan, number>> = {
  human: 42,
  'busy-then-human': 4.5,
  'busy-twice-then-human': 1,
  'no-answer-then-human': 5,
  'rejected-then-human': 2,
  'powered-off-then-human': 2,
  'out-of-coverage-then-human': 1,
  'unreachable-then-human': 1,
  'congestion-then-human': 1.5,
  'voicemail-then-human': 1,
  'no-answer': 8,
  rejected: 4,
  busy: 2.5,
  'powered-off': 3.5,
  'out-of-coverage': 1.5,
  unreachable: 2,
  'invalid-number': 4,
  'number-changed': 1,
  suspended: 2,
  arrears: 1.5,
  'incoming-barred': 1,
  voicemail: 2.5,
  'call-assistant': 2,
  fax: 1,
  'operator-blocked': 0.7,
  'caller-id-blocked': 0.7,
  'spam-labelled': 0.7,
};

/**
 * How the switch of a number reports failures. `exact`: right code and Reason. `vague-480` and `vague-486`: one code
 * for nearly everything and no Reason, so only the announcement tells.
 */
export type SwitchKind = 'exact' | 'vague-480' | 'vague-486';

/** `tone`: 450 Hz in early media; `music`: a melody (彩铃); `local`: 180 without media. */
export type RingBack = 'tone' | 'music' | 'local';

/** What a person wants from the call, as far as the script allows. */
export const INTENTIONS = [
  'strong',
  'interested',
  'follow-up',
  'none',
  'refuse',
  'opt-out',
  'wants-human',
  'call-back',
] as const;
export type Intention = (typeof INTENTIONS)[number];

/** A person on the line. Indices of lines count from 0; undefined means never. */
export interface HumanTraits {
  readonly intention: Intention;
  readonly mood: 'friendly' | 'neutral' | 'impatient';
  /** Picks one conversation among those that fit the intention, in [0, 1). */
  readonly conversationDraw: number;
  readonly answerDelayMs: number;
  /** Says 喂 when picking up. */
  readonly greets: boolean;
  /** From the end of what the other side says to the first word. */
  readonly reactionMs: number;
  /** How long silence is borne before asking back or hanging up. */
  readonly patienceMs: number;
  /** Says 嗯 while the other side talks. */
  readonly acknowledges: boolean;
  /** The line said before the other side has finished. */
  readonly bargesInAtLine: number | undefined;
  /** The line that first stays unsaid until asked again. */
  readonly silentAtLine: number | undefined;
  /** Hangs up after the last line without waiting for the goodbye. */
  readonly hangsUpEarly: boolean;
  /** Picks one of the carrier's voices, in [0, 1). */
  readonly voiceDraw: number;
}

export interface Persona {
  /** National number, digits only. */
  readonly number: string;
  readonly linePlan: LinePlan;
  readonly switchKind: SwitchKind;
  readonly ringBack: RingBack;
  /** The network ends unanswered ringing itself after this time; undefined: rings until the caller gives up. */
  readonly networkRingLimitMs: number | undefined;
  readonly human: HumanTraits;
}

/** The number in a SIP URI, as it was dialled. */
export function dialledUser(uri: string): string {
  return uri.replace(/^sips?:/i, '').replace(/[@;].*$/, '');
}

/** The national digits of a dialled number, so that every number format of a trunk reaches the same persona. */
export function nationalNumber(dialled: string): string {
  const digits = dialledUser(dialled).replace(/\D/g, '').replace(/^00/, '');
  const national = digits.length > 11 && digits.startsWith('86') ? digits.slice(2) : digits;
  return national.replace(/^0/, '');
}

/** The persona behind a number; depends on nothing but its arguments. */
export function personaOf(dialled: string, seed: number): Persona {
  const number = nationalNumber(dialled);
  const random = randomFor('persona', seed, number);
  const linePlan = random.weighted(LINE_PLAN_WEIGHTS);
  return {
    number,
    linePlan,
    switchKind: random.weighted<SwitchKind>({ exact: 50, 'vague-480': 25, 'vague-486': 25 }),
    ringBack: random.weighted<RingBack>({ tone: 60, music: 25, local: 15 }),
    networkRingLimitMs: random.chance(0.5) ? random.integer(40_000, 60_000) : undefined,
    human: humanTraits(random),
  };
}

/** Shares of the moods by which the rest of a person's habits are drawn. */
const MOODS = { friendly: 40, neutral: 40, impatient: 20 } as const;

function humanTraits(random: Random): HumanTraits {
  const mood = random.weighted<HumanTraits['mood']>(MOODS);
  const intention = random.weighted<Intention>({
    strong: 28,
    interested: 16,
    'follow-up': 14,
    none: 12,
    refuse: 10,
    'opt-out': 6,
    'wants-human': 6,
    'call-back': 8,
  });
  return {
    intention,
    mood,
    conversationDraw: random.next(),
    answerDelayMs: random.integer(4_000, 14_000),
    greets: random.chance(0.5),
    reactionMs: mood === 'impatient' ? random.integer(200, 500) : random.integer(350, 1_100),
    patienceMs: mood === 'impatient' ? random.integer(5_000, 7_000) : random.integer(7_000, 11_000),
    acknowledges: mood === 'friendly' && random.chance(0.6),
    bargesInAtLine: random.chance(mood === 'impatient' ? 0.5 : 0.1) ? random.integer(1, 2) : undefined,
    silentAtLine: random.chance(0.1) ? random.integer(0, 1) : undefined,
    hangsUpEarly: random.chance(mood === 'impatient' ? 0.3 : 0.08),
    voiceDraw: random.next(),
  };
}

/** Share of people who pick up, by the hour at their place (0–23); a shape, not a measurement. */
const ANSWER_SHARE_BY_HOUR: readonly number[] = [
  0.05, 0.03, 0.02, 0.02, 0.03, 0.08, 0.2, 0.4, 0.6, 0.8, 0.9, 0.9, 0.75, 0.65, 0.8, 0.85, 0.85, 0.85, 0.9, 0.95, 0.9,
  0.7, 0.4, 0.15,
];

/**
 * What the line does with the n-th call (from 1). With `hour` a person picks up only as often as people do at that
 * time of day; without it the answer depends on nothing but the number and the seed.
 */
export function behaviourOf(persona: Persona, attemptOrdinal: number, seed: number, hour?: number): LineBehaviour {
  const plan: readonly LineBehaviour[] = LINE_PLANS[persona.linePlan];
  const planned = plan[Math.min(attemptOrdinal, plan.length) - 1] ?? 'human';
  if (planned !== 'human' || hour === undefined) return planned;
  const draw = randomFor('hour', seed, persona.number, attemptOrdinal, hour).next();
  return draw < (ANSWER_SHARE_BY_HOUR[hour] ?? 1) ? 'human' : 'no-answer';
}
