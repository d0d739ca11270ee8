import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Config } from '#platform/config/config.ts';
import type { Clock } from '#platform/clock.ts';
import { ensurePartitions } from '#platform/db/migrate.ts';
import { dropEmptyPartitions } from '#platform/db/partitions.ts';
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
    // No recording outlives its record, without which nobody could find it.
    const days = Math.min(o.retention.recordingsDays, o.retention.recordsDays);
    const recordings = await deleteRecordings(o.pool, o.directories.recordings, ago(now, days), signal);
    await deleteEarlyMedia(o.directories.earlyMedia, ago(now, o.retention.earlyMediaDays));
    const recordsBefore = ago(now, o.retention.recordsDays);
    const records = await deleteRecords(o.pool, recordsBefore);
    const partitions = await dropEmptyPartitions(o.pool, { before: recordsBefore, now });
    o.log.info({ recordings, records, partitions: partitions.length }, 'housekeeping done');
  });
  await o.jobs.schedule('housekeeping', '15 19 * * *');
}

/**
 * Deletes the recordings of calls before a moment and takes them off their calls; files that no record knows, which a
 * crash may leave, go too. Returns how many files.
 */
export async function deleteRecordings(
  pool: pg.Pool,
  directory: string,
  before: Date,
  signal?: AbortSignal,
): Promise<number> {
  const floor = idFloor(before);
  const stopped = (): boolean => signal?.aborted === true;
  for (;;) {
    if (stopped()) return 0;
    const { rowCount } = await pool.query(
      `UPDATE calls SET recording = NULL WHERE id IN
         (SELECT id FROM calls WHERE id < $1::uuid AND recording IS NOT NULL ORDER BY id LIMIT ${BATCH})`,
      [floor],
    );
    if (rowCount === 0) break;
  }
  let deleted = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (stopped()) return deleted;
    // A recording is named after its call, and a call's id after its time.
    if (!entry.isFile() || !entry.name.endsWith('.wav') || entry.name >= floor) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    deleted++;
  }
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    // Fails where something is left in it.
    if (entry.isDirectory()) await rmdir(join(directory, entry.name)).catch(() => undefined);
  }
  return deleted;
}

/** Deletes the early media of days before a moment. Returns how many days. */
export async function deleteEarlyMedia(directory: string, before: Date): Promise<number> {
  const first = before.toISOString().slice(0, 10);
  const days = (await readdir(directory)).filter((day) => /^\d{4}-\d\d-\d\d$/.test(day) && day < first);
  for (const day of days) await rm(join(directory, day), { recursive: true, force: true });
  return days.length;
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
