import { sql } from 'kysely';
import type { Transaction } from 'kysely';

/** PostgreSQL knows no infinite integer. */
const MOST = 1_000_000;

/** Waits for everybody else who counts the trunk's channels, so that those in use are known exactly until the end. */
export async function lockTrunk(trx: Transaction<unknown>, trunk: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtext(${`waihu-trunk ${trunk}`}))`.execute(trx);
}

/** Whether fewer than `channels` of the trunk are in use by open attempts and the second calls beside them, on all nodes. */
export function hasChannel(trunk: string, channels: number) {
  return sql<boolean>`(SELECT count(*) FROM attempts, unnest(trunk || second_trunks) AS used
    WHERE state = 'open' AND used = ${trunk}) < ${Math.min(channels, MOST)}`;
}
