import { sql } from 'kysely';
import type { Attempt } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { Db } from '#platform/db/database.ts';

/**
 * Takes a channel of the trunk for a call beside one that is going on, as a dial does. False where the trunk has none
 * left, or the call is over.
 */
export async function takeSecondChannel(
  db: Db,
  { id, trunk }: Pick<Attempt, 'id' | 'trunk'>,
  channels: number,
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    // As the dialer does it, so that the channels in use are known exactly.
    await sql`SELECT pg_advisory_xact_lock(hashtext(${`waihu-trunk ${trunk}`}))`.execute(trx);
    const result = await sql`
      UPDATE attempts SET second_calls = second_calls + 1
      WHERE id = ${id}::uuid AND state = 'open'
        AND (SELECT coalesce(sum(1 + second_calls), 0) FROM attempts
          WHERE state = 'open' AND trunk = ${trunk}) < ${channels}
      RETURNING id`.execute(trx);
    return result.rows.length > 0;
  });
}

/** Gives such a channel back. */
export async function freeSecondChannel(db: Db, id: AttemptId): Promise<void> {
  await sql`UPDATE attempts SET second_calls = second_calls - 1 WHERE id = ${id}::uuid AND second_calls > 0`.execute(
    db,
  );
}
