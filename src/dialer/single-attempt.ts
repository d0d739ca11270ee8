import { sql } from 'kysely';
import type { Attempt } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { Db } from '#platform/db/database.ts';
import { hasChannel, lockTrunk } from './channels-sql.ts';

/**
 * Commits an attempt that belongs to no campaign, before its call is placed; it takes a channel of its trunk as a dial
 * does. False where the trunk has none left.
 */
export async function openSingleAttempt(
  db: Db,
  attempt: Attempt,
  { nodeId, channels }: { readonly nodeId: string; readonly channels: number },
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    await lockTrunk(trx, attempt.trunk);
    const result = await sql`
      INSERT INTO attempts (id, contact_id, number, phone, caller_number, trunk, node_id, state, created_at)
      SELECT ${attempt.id}::uuid, ${attempt.contactId ?? null}::uuid, ${attempt.number}, ${attempt.phone},
        ${attempt.callerNumber}, ${attempt.trunk}, ${nodeId}::uuid, 'open', ${attempt.createdAt}::timestamptz
      WHERE ${hasChannel(attempt.trunk, channels)}
      RETURNING id`.execute(trx);
    return result.rows.length > 0;
  });
}

/** Ends such an attempt; false when it was ended before. */
export async function closeSingleAttempt(db: Db, id: AttemptId, outcome: OutcomeCode, endedAt: Date): Promise<boolean> {
  const result = await sql`
    UPDATE attempts SET state = 'ended', outcome = ${outcome}, ended_at = ${endedAt}::timestamptz
    WHERE id = ${id}::uuid AND state = 'open' RETURNING id`.execute(db);
  return result.rows.length > 0;
}
