import { sql } from 'kysely';
import type { AttemptId } from '#domain/ids.ts';
import type { Db } from '#platform/db/database.ts';
import { hasChannel, lockTrunk } from './channels-sql.ts';

/**
 * Takes a channel of a trunk for a call beside one that is going on, as a dial does. False where the trunk has none
 * left, or the call is over.
 */
export async function takeSecondChannel(db: Db, id: AttemptId, trunk: string, channels: number): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    await lockTrunk(trx, trunk);
    const result = await sql`
      UPDATE attempts SET second_trunks = second_trunks || ${trunk}::text
      WHERE id = ${id}::uuid AND state = 'open' AND ${hasChannel(trunk, channels)}
      RETURNING id`.execute(trx);
    return result.rows.length > 0;
  });
}

/** Gives such a channel back. */
export async function freeSecondChannel(db: Db, id: AttemptId, trunk: string): Promise<void> {
  await sql`
    UPDATE attempts SET second_trunks = second_trunks[:array_position(second_trunks, ${trunk}) - 1]
      || second_trunks[array_position(second_trunks, ${trunk}) + 1:]
    WHERE id = ${id}::uuid AND ${trunk} = ANY (second_trunks)`.execute(db);
}
