import type { Attempt, CallOutcome, FailedTrunk } from '#domain/call.ts';
import type { CampaignSettings, CampaignState } from '#domain/campaign.ts';
import type { HoldReason, LeadState } from '#domain/contact.ts';
import type { AttemptId, CampaignId, ContactId, LeadId, ScriptId } from '#domain/ids.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { PhoneNumber } from '#domain/phone.ts';

/** A campaign as the dialer sees it. */
export interface DialCampaign {
  readonly id: CampaignId;
  readonly state: CampaignState;
  readonly scriptId: ScriptId;
  readonly scriptVersion: number;
  readonly settings: CampaignSettings;
}

/** What a dial that is about to be made is judged by. */
export interface DialFacts {
  readonly campaignId: CampaignId;
  readonly leadId: LeadId;
  readonly contactId: ContactId;
  readonly phone: PhoneNumber;
  readonly timeZone: string | undefined;
  readonly attemptCount: number;
  readonly settings: CampaignSettings;
}

/** The verdict on a dial; without `retryAt` a denial ends the lead. */
export type DialDecision =
  | { readonly allow: true }
  | {
      readonly allow: false;
      readonly hold: HoldReason;
      readonly outcome: OutcomeCode;
      readonly rule: string;
      readonly version: string;
      readonly retryAt: Date | undefined;
    };

/** A lead's next state after a dial. */
export interface LeadChange {
  readonly state: LeadState;
  readonly nextAttemptAt: Date | undefined;
  readonly reason: HoldReason;
  readonly retries: Readonly<Record<string, number>>;
  /** The dial does not count as one of the lead's. */
  readonly uncounted?: true;
}

/** The redial policy as a function, so that the dialer knows no rules. */
export type AfterOutcome = (
  settings: CampaignSettings,
  lead: { readonly attemptCount: number; readonly retries: Readonly<Record<string, number>> },
  outcome: CallOutcome,
  now: Date,
) => LeadChange;

/** Lines of one trunk that a round may use. */
export interface OfferedLines {
  readonly trunk: string;
  /** Attempts that this node may add. */
  readonly free: number;
  /** Open attempts on all nodes at the most. */
  readonly channels: number;
  readonly takes: RegExp | undefined;
  /** The group whose other trunks may take over what this one fails; undefined where the campaign names the trunk alone. */
  readonly group: string | undefined;
  readonly callerNumber: (phone: string, wanted: string) => string;
}

/** What one round of taking leads did. */
export interface Taken {
  /** Committed: their rows are open and their leads are `dialing`. */
  readonly attempts: readonly Attempt[];
  readonly denied: readonly LeadId[];
  /** Leads may be left that are due now. */
  readonly more: boolean;
}

/** The attempt and whose it is. */
export type AttemptRef = Pick<Attempt, 'id' | 'campaignId' | 'leadId'>;

/** Which open attempts count as nobody's: all but one's own live ones, or those whose node was not seen for so long. */
export type OrphanScope = { readonly all: true } | { readonly olderThanMs: number };

/** Where a dial goes on that its trunk did not take. */
export interface MoveTo {
  readonly trunk: string;
  /** The number that the callee sees there. */
  readonly callerNumber: string;
  /** Open attempts on all nodes at the most. */
  readonly channels: number;
  /** The trunk that it leaves. */
  readonly failed: FailedTrunk;
  readonly now: Date;
}

/** What the dialer keeps in the database. */
export interface DialStore {
  /** Says that this node lives. */
  beat(now: Date): Promise<void>;
  /** Ends the leases and rows of all other nodes; only for one who knows that they are gone. */
  takeOver(): Promise<void>;
  /** Gives up leases and the node's row. */
  leave(): Promise<void>;
  /** Running campaigns, and those of `alsoIds` in whatever state. */
  campaigns(alsoIds: readonly CampaignId[]): Promise<readonly DialCampaign[]>;
  /** Takes or renews leases; returns the campaigns this node leads until `until`. */
  lease(ids: readonly CampaignId[], now: Date, until: Date): Promise<ReadonlySet<CampaignId>>;
  /** Notes what holds a campaign that this node leads, for its leads to say. */
  hold(id: CampaignId, reason: HoldReason | undefined): Promise<void>;
  /**
   * Takes at most `limit` due leads within the campaign's and the trunks' free lines; each goes to the first of `lines`
   * that has room and takes its number.
   */
  take(
    campaign: DialCampaign,
    o: { readonly limit: number; readonly lines: readonly OfferedLines[]; readonly now: Date },
  ): Promise<Taken>;
  /** When the next lead of a campaign falls due; past moments included; `undefined` when none waits. */
  nextDueAt(id: CampaignId): Promise<Date | undefined>;
  /** Ends an attempt and moves its lead on; false when it was settled before. */
  settle(attempt: AttemptRef, outcome: CallOutcome, now: Date): Promise<boolean>;
  /** Moves an open attempt to another trunk; false where that is full, or the dial is not to go on. */
  move(attempt: Attempt, to: MoveTo): Promise<boolean>;
  /** Takes an attempt back that was never dialled; its lead is due again at `dueAt`. */
  withdraw(attempt: AttemptRef, now: Date, dueAt: Date): Promise<void>;
  /** Finishes a running campaign all of whose leads are done; true when it did. */
  finish(id: CampaignId, now: Date): Promise<boolean>;
  /** Open attempts that nobody works on. */
  orphans(scope: OrphanScope, liveIds: readonly AttemptId[], now: Date): Promise<readonly AttemptRef[]>;
}
