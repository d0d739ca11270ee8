import type { CallDirection } from '#domain/call.ts';
import type { AttemptId, CampaignId, LeadId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';

/** One change of a call that is going on; `lastText` is the last thing either side said. */
export interface CallStateEvent {
  readonly attemptId: AttemptId;
  readonly direction: CallDirection;
  readonly campaignId: CampaignId | undefined;
  readonly leadId: LeadId | undefined;
  readonly phone: PhoneNumber | '';
  readonly name: string;
  readonly state: 'dialing' | 'ringing' | 'talking' | 'ended';
  readonly lastText: string;
  readonly at: Date;
}

/** What roles tell each other, by topic; a subscriber that joins late reads the state from the database. */
export interface BusEvents {
  readonly 'call-state': CallStateEvent;
  readonly 'call-recorded': { readonly attemptId: AttemptId; readonly campaignId: CampaignId | undefined };
  readonly 'lead-changed': { readonly campaignId: CampaignId; readonly leadId: LeadId };
  readonly 'campaign-changed': { readonly campaignId: CampaignId };
  readonly 'suppression-added': { readonly phone: PhoneNumber; readonly attemptId: AttemptId | undefined };
}

/** What roles ask each other, by topic. */
export interface BusRequests {
  /** The calls going on now, of one campaign or of all. */
  readonly 'live-calls': {
    readonly request: { readonly campaignId: CampaignId | undefined };
    readonly reply: readonly CallStateEvent[];
  };
}
