import type { OutcomeCode } from '#domain/outcome.ts';
import { CLOSED_BREAKER, afterCall, restsUntil } from './breaker.ts';
import type { BreakerState } from './breaker.ts';
import { Pace } from './pace.ts';

/** What the dialer must know of a trunk. */
export interface TrunkLimits {
  readonly name: string;
  readonly channels: number;
  readonly callsPerSecond: number;
}

/** The lines of one trunk as this node uses them: channels, pace and health. */
export class Lines {
  readonly channels: number;
  readonly pace: Pace;
  #breaker: BreakerState = CLOSED_BREAKER;

  constructor(limits: TrunkLimits) {
    this.channels = limits.channels;
    this.pace = new Pace(limits.callsPerSecond);
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
