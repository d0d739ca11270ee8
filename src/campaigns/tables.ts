import type { ColumnType, Generated } from 'kysely';
import type { CampaignSettings, CampaignState } from '#domain/campaign.ts';
import type { HoldReason, LeadState } from '#domain/contact.ts';
import type { CampaignId, ContactId, ImportId, LeadId, ScriptId } from '#domain/ids.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import type { PhoneNumber } from '#domain/phone.ts';

/** Written as text, read as parsed JSON. */
type Json<Value> = ColumnType<Value, string, string>;

/** The tables that campaigns read and write. */
export type CampaignTables = {
  campaigns: {
    id: CampaignId;
    name: string;
    state: CampaignState;
    script_id: ScriptId;
    script_version: number;
    settings: Json<CampaignSettings>;
    created_at: Date;
    started_at: Date | null;
    finished_at: Date | null;
  };
  leads: {
    id: LeadId;
    campaign_id: CampaignId;
    contact_id: ContactId;
    state: Generated<LeadState>;
    attempt_count: Generated<number>;
    next_attempt_at: Date | null;
    reason: Generated<HoldReason>;
    last_outcome: OutcomeCode | null;
    grade: GradeCode | null;
    retries: Generated<Json<Record<string, number>>>;
    updated_at: Generated<Date>;
  };
  campaign_leases: { campaign_id: CampaignId; expires_at: Date; hold: HoldReason | null };
  contacts: { id: ContactId; phone: PhoneNumber; name: string };
  import_contacts: { import_id: ImportId; contact_id: ContactId; row: number };
  scripts: { id: ScriptId; name: string; published_version: number | null };
};
