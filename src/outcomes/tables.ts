import type { ColumnType, Generated } from 'kysely';
import type {
  CallDirection,
  DialogResult,
  HangupSide,
  MediaStats,
  Recording,
  SecondLeg,
  TurnLatency,
} from '#domain/call.ts';
import type { AttemptId, CampaignId, ContactId, LeadId } from '#domain/ids.ts';
import type { Evidence, GradeCode, OutcomeCode } from '#domain/outcome.ts';
import type { PhoneNumber } from '#domain/phone.ts';

/** Written as text, read as parsed JSON. */
type Json<Value> = ColumnType<Value, string, string>;

/** `Json`, or SQL null. */
type MaybeJson<Value> = ColumnType<Value | null, string | null, string | null>;

/** The tables that outcomes write and read. */
export type OutcomeTables = {
  calls: {
    id: AttemptId;
    direction: CallDirection;
    campaign_id: CampaignId | null;
    lead_id: LeadId | null;
    contact_id: ContactId | null;
    /** '' where a caller does not show one. */
    phone: PhoneNumber | '';
    name: string;
    outcome: OutcomeCode;
    confidence: number;
    grade: GradeCode;
    grade_reason: string;
    tags: string[];
    slots: Json<Record<string, string>>;
    evidence: Json<readonly Evidence[]>;
    opted_out: boolean;
    call_back_at: Date | null;
    hangup_by: HangupSide;
    sip_status: number | null;
    sip_reason: string | null;
    dialed_at: Date;
    ended_at: Date;
    ring_ms: number | null;
    answered_ms: number | null;
    talk_ms: number;
    dialog: MaybeJson<DialogResult>;
    recording: MaybeJson<Recording>;
    media: MaybeJson<MediaStats>;
    legs: MaybeJson<readonly SecondLeg[]>;
    voice_to_voice_ms: number[] | null;
  };
  turns: {
    call_id: AttemptId;
    index: number;
    speaker: 'callee' | 'platform';
    start_ms: number;
    end_ms: number;
    text: string;
    interrupted: boolean;
    node: string | null;
    intent: string | null;
    latency: MaybeJson<TurnLatency>;
  };
  call_events: {
    call_id: AttemptId;
    index: number;
    at_ms: number;
    type: string;
    detail: Json<Record<string, unknown>>;
  };
  campaigns: { id: CampaignId; name: string };
  contacts: { id: ContactId; name: string };
  outbox: {
    id: string;
    topic: string;
    payload: Json<unknown>;
    created_at: Generated<Date>;
    delivered_at: Generated<Date | null>;
  };
};
