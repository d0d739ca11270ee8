import { sql } from 'kysely';
import type { Db } from '#platform/db/database.ts';

/** Rows of a small table. */
export async function countRows(db: Db, table: 'campaigns' | 'users' | 'scripts'): Promise<number> {
  const result = await sql<{ count: number }>`SELECT count(*)::int AS count FROM ${sql.table(table)}`.execute(db);
  return result.rows[0]?.count ?? 0;
}
