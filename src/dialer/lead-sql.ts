import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { CallOutcome } from '#domain/call.ts';
import type { CampaignSettings, CampaignState } from '#domain/campaign.ts';
import type { LeadState } from '#domain/contact.ts';
import type { AttemptId, CampaignId, ContactId, LeadId } from '#domain/ids.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { LeadChange } from './dial-store.ts';

/** Outcomes after which another trunk comes first. */
const TRUNK_FAULTS: readonly OutcomeCode[] = ['congestion', 'trunk-unreachable', 'trunk-auth-failed', 'media-refused'];

/** A lead that is due, locked, with what its contact says. */
export interface DueLead {
  readonly id: LeadId;
  readonly contact_id: ContactId;
  readonly attempt_count: number;
  readonly phone: PhoneNumber;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly time_zone: string | null;
  /** The trunk of its latest dial, where that failed by the trunk's or our own fault. */
  readonly avoid: string | null;
}

/** A lead that may not be dialled now. */
export interface Denial {
  readonly id: LeadId;
  readonly state: 'waiting' | 'done';
  readonly reason: string;
  readonly next_attempt_at: string | null;
  readonly last_outcome: OutcomeCode | null;
}

/** The campaign's state and settings, held against a change until the transaction ends. */
export async function lockCampaign(
  trx: Transaction<unknown>,
  id: CampaignId,
): Promise<{ readonly state: CampaignState; readonly settings: CampaignSettings } | undefined> {
  const result = await sql<{ state: CampaignState; settings: CampaignSettings }>`
    SELECT state, settings FROM campaigns WHERE id = ${id}::uuid FOR SHARE`.execute(trx);
  return result.rows[0];
}

/** The lead as settlement reads it, locked. */
export async function lockLead(
  trx: Transaction<unknown>,
  id: LeadId,
): Promise<
  { readonly state: LeadState; readonly attempt_count: number; readonly retries: Record<string, number> } | undefined
> {
  const result = await sql<{ state: LeadState; attempt_count: number; retries: Record<string, number> }>`
    SELECT state, attempt_count, retries FROM leads WHERE id = ${id}::uuid FOR UPDATE`.execute(trx);
  return result.rows[0];
}

/**
 * Locks due leads that no one else has locked: those that waited first, then fresh ones. A contact who is in a call
 * of another campaign, or who is calling us, is left for later.
 */
export async function dueLeads(
  trx: Transaction<unknown>,
  id: CampaignId,
  now: Date,
  limit: number,
): Promise<readonly DueLead[]> {
  const leads: DueLead[] = [];
  for (const state of ['waiting', 'pending'] as const) {
    if (leads.length >= limit) break;
    const result = await sql<DueLead>`
      SELECT l.id, l.contact_id, l.attempt_count, c.phone, c.name, c.attributes, c.time_zone,
        CASE WHEN l.last_outcome = ANY(${TRUNK_FAULTS}::text[]) THEN
          (SELECT a.trunk FROM attempts a WHERE a.lead_id = l.id ORDER BY a.id DESC LIMIT 1) END AS avoid
      FROM leads l JOIN contacts c ON c.id = l.contact_id
      WHERE l.campaign_id = ${id}::uuid AND l.state = ${sql.lit(state)} AND l.next_attempt_at <= ${now}::timestamptz
        AND NOT EXISTS (SELECT 1 FROM leads o WHERE o.contact_id = l.contact_id AND o.state = 'dialing')
        AND NOT EXISTS (SELECT 1 FROM attempts a
          WHERE a.state = 'open' AND a.direction = 'inbound' AND a.contact_id = l.contact_id)
      ORDER BY l.next_attempt_at, l.id LIMIT ${limit - leads.length} FOR UPDATE OF l SKIP LOCKED`.execute(trx);
    leads.push(...result.rows);
  }
  return leads;
}

/** Writes denials with their reasons; no attempt comes of them. */
export async function denyLeads(trx: Transaction<unknown>, denials: readonly Denial[], now: Date): Promise<void> {
  if (denials.length === 0) return;
  await sql`
    UPDATE leads l SET state = r.state, reason = r.reason, updated_at = ${now}::timestamptz,
      next_attempt_at = coalesce(r.next_attempt_at, l.next_attempt_at),
      last_outcome = coalesce(r.last_outcome, l.last_outcome)
    FROM jsonb_to_recordset(${JSON.stringify(denials)}::jsonb)
      AS r(id uuid, state text, reason text, next_attempt_at timestamptz, last_outcome text)
    WHERE l.id = r.id`.execute(trx);
}

/** Ends an open attempt; false when it was ended before. */
export async function endAttempt(
  trx: Transaction<unknown>,
  id: AttemptId,
  outcome: OutcomeCode,
  endedAt: Date,
): Promise<boolean> {
  const result = await sql`
    UPDATE attempts SET state = 'ended', outcome = ${outcome}, ended_at = ${endedAt}::timestamptz
    WHERE id = ${id}::uuid AND state = 'open' RETURNING id`.execute(trx);
  return result.rows.length > 0;
}

/** Puts a lead into its next state; a grade once won is not lost to a later dial that reached nobody. */
export async function moveLead(
  trx: Transaction<unknown>,
  id: LeadId,
  change: LeadChange,
  outcome: Pick<CallOutcome, 'code' | 'grade'>,
  now: Date,
): Promise<void> {
  await sql`
    UPDATE leads SET attempt_count = attempt_count - ${change.uncounted === true ? 1 : 0}::int,
      state = ${change.state}, reason = ${change.reason}, updated_at = ${now}::timestamptz,
      next_attempt_at = coalesce(${change.nextAttemptAt ?? null}::timestamptz, next_attempt_at),
      retries = ${JSON.stringify(change.retries)}::jsonb, last_outcome = ${outcome.code},
      grade = CASE WHEN ${outcome.grade}::text = 'F' THEN coalesce(grade, 'F') ELSE ${outcome.grade}::text END
    WHERE id = ${id}::uuid`.execute(trx);
}
