import { sql } from 'kysely';
import type { Attempt, FailedTrunk } from '#domain/call.ts';
import type { Db } from '#platform/db/database.ts';
import { hasChannel, lockTrunk } from './channels-sql.ts';
import type { DialDecision, DialFacts, MoveTo } from './dial-store.ts';
import { lockCampaign } from './lead-sql.ts';

/**
 * Moves an open attempt to another trunk with a free channel, before the INVITE goes there, and keeps what its trunk
 * answered. False where that trunk has no channel left, the attempt or its campaign is over, or the dial is allowed no
 * longer: the calling window closed, or the number was suppressed meanwhile.
 */
export async function moveAttempt(
  o: {
    readonly db: Db;
    readonly allow: (facts: DialFacts, now: Date, db: Db) => Promise<DialDecision>;
  },
  attempt: Attempt,
  { trunk, callerNumber, channels, failed, now }: MoveTo,
): Promise<boolean> {
  const { campaignId, leadId, contactId, phone, timeZone } = attempt;
  return await o.db.transaction().execute(async (trx) => {
    await lockTrunk(trx, trunk);
    if (campaignId !== undefined && leadId !== undefined && contactId !== undefined && phone !== '') {
      const campaign = await lockCampaign(trx, campaignId);
      if (campaign?.state !== 'running') return false;
      // The dial itself is among those of the day already.
      const settings = { ...campaign.settings, dailyCap: campaign.settings.dailyCap + 1 };
      const facts = { campaignId, leadId, contactId, phone, timeZone, attemptCount: attempt.number - 1, settings };
      if (!(await o.allow(facts, now, trx)).allow) return false;
    }
    const note: FailedTrunk & { readonly at: Date; readonly callerNumber: string } = {
      ...failed,
      at: now,
      callerNumber: attempt.callerNumber,
    };
    const moved = await sql`
      UPDATE attempts SET trunk = ${trunk}, caller_number = ${callerNumber},
        tried = tried || ${JSON.stringify([note])}::jsonb
      WHERE id = ${attempt.id}::uuid AND state = 'open' AND ${hasChannel(trunk, channels)}
      RETURNING id`.execute(trx);
    return moved.rows.length > 0;
  });
}
