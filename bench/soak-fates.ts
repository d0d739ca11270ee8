import type { Random } from '#simulator/random.ts';

/** A callee that vanished comes back for its line, to hang up, when the platform must have given up its media. */
export const VANISHED_MS = 45_000;

/** When a hold begins and how long it lasts, behind the answer. */
export interface Hold {
  readonly atMs: number;
  readonly forMs: number;
}

/** What a callee of `bench soak` does who answers; times count from the answer. */
export interface Talk {
  readonly forMs: number;
  /** Goes without a word: no media and no SIP any more. */
  readonly vanishes: boolean;
  readonly hold: Hold | undefined;
  /** Digits by RFC 4733, one after the other. */
  readonly digits: string;
  readonly digitsAtMs: number;
  /** Lines of real-time text. */
  readonly lines: readonly { readonly atMs: number; readonly text: string }[];
  /** Share of the packets that get lost, 0–1. */
  readonly loss: number;
  /** When the stream goes on with another SSRC, sequence and timestamp. */
  readonly newSourceAtMs: number | undefined;
}

/** What becomes of a call at its far end. */
export type Fate =
  | { readonly kind: 'refuse'; readonly afterMs: number; readonly status: number }
  /** Until the platform gives up. */
  | { readonly kind: 'ring-out' }
  | { readonly kind: 'answer'; readonly afterMs: number; readonly talk: Talk };

const STATUSES = [404, 480, 486, 487, 503, 603] as const;
const WORDS = ['好的', '没有', '你是谁', '可以', '再说一遍', '不清楚', '嗯', '方便'] as const;

/** Draws what a callee does: 5 to `longestMs` of talk, and each of the odd things in a share of the calls. */
export function drawFate(random: Random, longestMs: number): Fate {
  const kind = random.weighted({ answer: 84, refuse: 10, 'ring-out': 6 });
  if (kind === 'ring-out') return { kind };
  const afterMs = random.integer(100, 3_000);
  if (kind === 'refuse') return { kind, afterMs, status: random.pick(STATUSES) };
  const forMs = random.integer(Math.min(5_000, longestMs), longestMs);
  const within = (): number => random.integer(500, Math.max(500, forMs - 500));
  const lines = random.chance(0.3) ? random.integer(1, 4) : 0;
  return {
    kind,
    afterMs,
    talk: {
      forMs,
      vanishes: random.chance(0.03),
      hold: random.chance(0.15) ? { atMs: within(), forMs: random.integer(500, 4_000) } : undefined,
      digits: random.chance(0.2) ? String(random.integer(0, 999)) : '',
      digitsAtMs: within(),
      lines: Array.from({ length: lines }, () => ({ atMs: within(), text: random.pick(WORDS) })),
      loss: random.chance(0.1) ? 0.05 : 0,
      newSourceAtMs: random.chance(0.1) ? within() : undefined,
    },
  };
}
