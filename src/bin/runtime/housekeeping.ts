import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Config } from '#platform/config/config.ts';
import type { Clock } from '#platform/clock.ts';
import { ensurePartitions } from '#platform/db/migrate.ts';
import { idFloor } from '#platform/id.ts';
import type { Jobs } from '#platform/jobs.ts';
import type { Log } from '#platform/log.ts';
import type { Directories } from './directories.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Recordings taken off at once, so that one night's work never holds the database long. */
const BATCH = 500;

/** Daily work: partitions for the months to come, recordings and records past their time. */
export async function scheduleHousekeeping(o: {
  readonly jobs: Jobs;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly log: Log;
  readonly retention: Config['retention'];
  readonly directories: Directories;
}): Promise<void> {
  await o.jobs.define('housekeeping', async (_, signal) => {
    const now = o.clock.now();
    await ensurePartitions(o.pool, now);
    const recordings = await deleteRecordings(
      o.pool,
      o.directories.recordings,
      ago(now, o.retention.recordingsDays),
      signal,
    );
    const records = await deleteRecords(o.pool, ago(now, o.retention.recordsDays));
    o.log.info({ recordings, records }, 'housekeeping done');
  });
  await o.jobs.schedule('housekeeping', '15 19 * * *');
}

/** Deletes the recordings of calls before a moment and takes them off their calls. Returns how many. */
export async function deleteRecordings(
  pool: pg.Pool,
  directory: string,
  before: Date,
  signal?: AbortSignal,
): Promise<number> {
  for (let deleted = 0; ;) {
    if (signal?.aborted === true) return deleted;
    const { rows } = await pool.query<{ id: string; path: string }>(
      `SELECT id, recording->>'path' AS path FROM calls WHERE id < $1::uuid AND recording IS NOT NULL ORDER BY id LIMIT ${BATCH}`,
      [idFloor(before)],
    );
    if (rows.length === 0) return deleted;
    for (const { path } of rows) await rm(join(directory, path), { force: true });
    await pool.query('UPDATE calls SET recording = NULL WHERE id = ANY($1::uuid[])', [rows.map(({ id }) => id)]);
    deleted += rows.length;
  }
}

/** Deletes call records with their turns, events and attempts before a moment. Returns how many calls. */
export async function deleteRecords(pool: pg.Pool, before: Date): Promise<number> {
  const floor = idFloor(before);
  await pool.query('DELETE FROM turns WHERE call_id < $1::uuid', [floor]);
  await pool.query('DELETE FROM call_events WHERE call_id < $1::uuid', [floor]);
  await pool.query(`DELETE FROM attempts WHERE id < $1::uuid AND state = 'ended'`, [floor]);
  const { rowCount } = await pool.query('DELETE FROM calls WHERE id < $1::uuid', [floor]);
  return rowCount ?? 0;
}

function ago(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}
