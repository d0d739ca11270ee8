import type { CampaignState } from '#domain/campaign.ts';
import type { HoldReason, LeadState } from '#domain/contact.ts';

/** What a lead's hold reason depends on at a moment. */
export interface LeadMoment {
  readonly campaignState: CampaignState;
  readonly leadState: LeadState;
  /** The reason stored with the lead by whoever put it into its state. */
  readonly reason: HoldReason;
  readonly nextAttemptAt: Date | undefined;
  readonly openCalls: number;
  readonly maxConcurrentCalls: number;
  /** The campaign's trunk takes no calls at the moment. */
  readonly trunkHeld?: boolean;
  /** What the node that dials the campaign says it is held by. */
  readonly hold?: HoldReason | undefined;
  readonly now: Date;
}

/**
 * Why a lead is not dialled at this moment. `due` means that nothing holds it and only its turn has not come yet.
 * Stored reasons of a wait count until its time has come; after that only the campaign's own limits hold a lead.
 */
export function holdReason(moment: LeadMoment): HoldReason {
  if (moment.leadState === 'done') return moment.reason;
  if (moment.leadState === 'dialing') return 'in-call';
  if (moment.campaignState === 'cancelled') return 'cancelled';
  if (moment.campaignState !== 'running') return 'campaign-not-running';
  if (moment.nextAttemptAt !== undefined && moment.nextAttemptAt > moment.now) {
    return moment.reason === 'due' ? 'retry-delay' : moment.reason;
  }
  if (moment.trunkHeld === true) return 'trunk-unavailable';
  return moment.openCalls >= moment.maxConcurrentCalls ? 'concurrency-limit' : (moment.hold ?? 'due');
}
