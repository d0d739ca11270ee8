import { sql } from 'kysely';
import type { Attempt } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { Db } from '#platform/db/database.ts';

/** Commits an attempt that belongs to no campaign, before its call is placed; it takes a line of its trunk. */
export async function openSingleAttempt(db: Db, attempt: Attempt, nodeId: string): Promise<void> {
  await sql`
    INSERT INTO attempts (id, contact_id, number, phone, caller_number, trunk, node_id, state, created_at)
    VALUES (${attempt.id}::uuid, ${attempt.contactId ?? null}::uuid, ${attempt.number}, ${attempt.phone},
      ${attempt.callerNumber}, ${attempt.trunk}, ${nodeId}::uuid, 'open', ${attempt.createdAt}::timestamptz)`.execute(
    db,
  );
}

/** Ends such an attempt; false when it was ended before. */
export async function closeSingleAttempt(db: Db, id: AttemptId, outcome: OutcomeCode, endedAt: Date): Promise<boolean> {
  const result = await sql`
    UPDATE attempts SET state = 'ended', outcome = ${outcome}, ended_at = ${endedAt}::timestamptz
    WHERE id = ${id}::uuid AND state = 'open' RETURNING id`.execute(db);
  return result.rows.length > 0;
}
