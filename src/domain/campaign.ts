import type { CampaignId, ScriptId } from './ids.ts';
import type { OutcomeCode } from './outcome.ts';

export const CAMPAIGN_STATES = ['draft', 'running', 'paused', 'finished', 'cancelled'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

/** 1 = Monday … 7 = Sunday (ISO 8601). */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Minutes from local midnight at the callee's place, start inclusive, end exclusive, 0 ≤ start < end ≤ 1440. */
export interface CallingWindow {
  readonly weekday: Weekday;
  readonly startMinute: number;
  readonly endMinute: number;
}

/** Redial after one outcome: the n-th retry waits `delaysSeconds[n]` (the last one repeats) up to `maxRetries`. */
export interface RedialRule {
  readonly outcome: OutcomeCode;
  readonly delaysSeconds: readonly number[];
  readonly maxRetries: number;
}

export interface CampaignSettings {
  readonly windows: readonly CallingWindow[];
  readonly redial: readonly RedialRule[];
  /** All dials of one lead together. */
  readonly maxAttempts: number;
  /** Most dials of one number a day in the callee's time zone, over all campaigns. */
  readonly dailyCap: number;
  /** A call-back time the callee gave: `redial` dials again then, `record` leaves it to people and ends the lead. */
  readonly callBacks: 'redial' | 'record';
  readonly maxConcurrentCalls: number;
  readonly maxCallsPerSecond: number;
  readonly ringTimeoutMs: number;
  /** Name of a configured trunk. */
  readonly trunk: string;
  /** Caller number shown to the callee; must be one that the trunk owns. */
  readonly callerNumber: string;
}

export interface Campaign {
  readonly id: CampaignId;
  readonly name: string;
  readonly state: CampaignState;
  readonly scriptId: ScriptId;
  /** The published version that new attempts use. */
  readonly scriptVersion: number;
  readonly settings: CampaignSettings;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
}
