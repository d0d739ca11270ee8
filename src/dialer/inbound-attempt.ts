import { sql } from 'kysely';
import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { CampaignSettings } from '#domain/campaign.ts';
import type { CampaignId, ContactId, LeadId, ScriptId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Db } from '#platform/db/database.ts';
import { hasChannel, lockTrunk } from './channels-sql.ts';
import type { AfterOutcome } from './dial-store.ts';
import { endAttempt, moveLead } from './lead-sql.ts';

/** Whom a caller is known as, and the campaign that dialled the number last. */
export interface KnownCaller {
  readonly contactId: ContactId;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeZone: string | undefined;
  readonly campaign:
    | { readonly id: CampaignId; readonly scriptId: ScriptId; readonly scriptVersion: number }
    | undefined;
}

/** Finds the contact with a number, and who called it last; undefined for a number that nobody imported. */
export async function findCaller(db: Db, phone: PhoneNumber): Promise<KnownCaller | undefined> {
  const result = await sql<{
    id: ContactId;
    name: string;
    attributes: Record<string, string>;
    time_zone: string | null;
    campaign_id: CampaignId | null;
    script_id: ScriptId | null;
    script_version: number | null;
  }>`
    SELECT c.id, c.name, c.attributes, c.time_zone, k.id AS campaign_id, k.script_id, k.script_version
    FROM contacts c
    LEFT JOIN LATERAL (SELECT a.campaign_id FROM attempts a
      WHERE a.phone = c.phone AND a.direction = 'outbound' ORDER BY a.id DESC LIMIT 1) AS latest ON true
    LEFT JOIN campaigns k ON k.id = latest.campaign_id
    WHERE c.phone = ${phone}`.execute(db);
  const row = result.rows[0];
  if (row === undefined) return undefined;
  const { campaign_id: id, script_id: scriptId, script_version: scriptVersion } = row;
  return {
    contactId: row.id,
    name: row.name,
    attributes: row.attributes,
    timeZone: row.time_zone ?? undefined,
    campaign: id === null || scriptId === null || scriptVersion === null ? undefined : { id, scriptId, scriptVersion },
  };
}

/**
 * Commits the attempt of a call that came in, before it is answered; it takes a channel of its trunk as a dial does.
 * False where the trunk has none left.
 */
export async function openInboundAttempt(
  db: Db,
  attempt: Attempt,
  o: { readonly nodeId: string; readonly channels: number },
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    await lockTrunk(trx, attempt.trunk);
    const result = await sql`
      INSERT INTO attempts
        (id, direction, campaign_id, contact_id, number, phone, caller_number, trunk, node_id, state, created_at)
      SELECT ${attempt.id}::uuid, 'inbound', ${attempt.campaignId ?? null}::uuid, ${attempt.contactId ?? null}::uuid,
        ${attempt.number}, ${attempt.phone}, ${attempt.callerNumber}, ${attempt.trunk}, ${o.nodeId}::uuid, 'open',
        ${attempt.createdAt}::timestamptz
      WHERE ${hasChannel(attempt.trunk, o.channels)}
      RETURNING id`.execute(trx);
    return result.rows.length > 0;
  });
}

/**
 * Ends such an attempt. With `settlesLead` the call counts for the lead as an answered dial would: whoever called back
 * and was talked with is not dialled again. Returns the lead that moved on.
 */
export async function closeInboundAttempt(
  db: Db,
  attempt: Attempt,
  outcome: CallOutcome,
  o: { readonly settlesLead: boolean; readonly afterOutcome: AfterOutcome; readonly now: Date },
): Promise<LeadId | undefined> {
  const { campaignId, contactId } = attempt;
  return await db.transaction().execute(async (trx) => {
    const reached = outcome.code === 'answered' && outcome.grade !== 'F';
    const leads =
      o.settlesLead && reached && campaignId !== undefined && contactId !== undefined
        ? await sql<{
            id: LeadId;
            attempt_count: number;
            retries: Record<string, number>;
            settings: CampaignSettings;
          }>`
            SELECT l.id, l.attempt_count, l.retries, k.settings
            FROM campaigns k JOIN leads l ON l.campaign_id = k.id
            WHERE k.id = ${campaignId}::uuid AND l.contact_id = ${contactId}::uuid
              AND l.state IN ('pending', 'waiting') FOR SHARE OF k FOR UPDATE OF l`.execute(trx)
        : undefined;
    if (!(await endAttempt(trx, attempt.id, outcome.code, outcome.endedAt))) return undefined;
    const lead = leads?.rows[0];
    if (lead === undefined) return undefined;
    const facts = { attemptCount: lead.attempt_count, retries: lead.retries };
    await moveLead(trx, lead.id, o.afterOutcome(lead.settings, facts, outcome, o.now), outcome, o.now);
    return lead.id;
  });
}
