import type { OutcomeCode } from '#domain/outcome.ts';
import type { LocalText } from '#domain/text.ts';
import { CLOSED_BREAKER, afterCall, restsUntil } from './breaker.ts';
import type { BreakerState } from './breaker.ts';
import { Pace } from './pace.ts';

/** What the dialer must know of a trunk. */
export interface DialTrunk {
  readonly name: string;
  /** Trunks of one group stand in for each other. */
  readonly group: string | undefined;
  /** Within the group lower ones come first. */
  readonly priority: number;
  /** Share of the calls among those of one priority. */
  readonly weight: number;
  /** The numbers that it takes; all unless set. */
  readonly takes: RegExp | undefined;
  readonly channels: number;
  readonly callsPerSecond: number;
  /** Channels that its live servers have, at most `channels`. */
  freeChannels(): number;
  /** What keeps it from taking calls at this moment. */
  hold(): LocalText | undefined;
  /** The number that `phone` sees; `wanted` is the campaign's. */
  callerNumber(phone: string, wanted: string): string;
}

/** The lines of one trunk as this node uses them: channels, pace and health. */
export class Lines {
  readonly trunk: DialTrunk;
  readonly pace: Pace;
  #breaker: BreakerState = CLOSED_BREAKER;

  constructor(trunk: DialTrunk) {
    this.trunk = trunk;
    this.pace = new Pace(trunk.callsPerSecond);
  }

  /** Takes note of an outcome; true when it made the trunk rest. */
  note(outcome: OutcomeCode, nowMs: number): boolean {
    const before = this.restsUntilMs(nowMs);
    this.#breaker = afterCall(this.#breaker, outcome, nowMs);
    return before === undefined && this.restsUntilMs(nowMs) !== undefined;
  }

  /** Until when too many failures keep the trunk from being used, on the monotonic clock. */
  restsUntilMs(nowMs: number): number | undefined {
    return restsUntil(this.#breaker, nowMs);
  }
}

/** The trunks that a campaign's setting names, by priority; within one drawn by weight. */
export function inOrder(lines: readonly Lines[], random: () => number): readonly Lines[] {
  return lines
    .map((one) => ({ one, draw: -Math.log(1 - random()) / one.trunk.weight }))
    .toSorted((a, b) => a.one.trunk.priority - b.one.trunk.priority || a.draw - b.draw)
    .map(({ one }) => one);
}
