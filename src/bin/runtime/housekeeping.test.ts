import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensurePartitions } from '#platform/db/migrate.ts';
import { dropEmptyPartitions } from '#platform/db/partitions.ts';
import { newId } from '#platform/id.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { TestDatabase } from '../../../test/support/database.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { deleteRecordings, deleteRecords } from './housekeeping.ts';

const OLD = new Date('2026-03-10T08:00:00Z');
const LIMIT = new Date('2026-06-01T00:00:00Z');
const NEW = new Date('2026-11-10T08:00:00Z');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  for (const at of [OLD, NEW]) await ensurePartitions(database.pool, at);
});
afterAll(() => database.close());

/** A recorded call of a moment, with a turn, an event and its attempt. */
async function addCall(at: Date, attemptState = 'ended'): Promise<string> {
  const id = newId<'attempt'>(at);
  const recording = { path: `day/${id}.wav`, durationMs: 1000, codec: 'PCMA', peaks: [] };
  await database.pool.query(
    `INSERT INTO attempts (id, number, phone, caller_number, trunk, node_id, state, created_at)
       VALUES ($1, 1, '+8616400000001', '010', 'main', $1, $2, $3)`,
    [id, attemptState, at],
  );
  await database.pool.query(
    `INSERT INTO calls (id, phone, dialed_at, ended_at, hangup_by, outcome, confidence, grade, grade_reason, talk_ms, recording)
       VALUES ($1, '+8616400000001', $2, $2, 'callee', 'answered', 1, 'B', '', 1000, $3)`,
    [id, at, JSON.stringify(recording)],
  );
  await database.pool.query(
    `INSERT INTO turns (call_id, index, speaker, start_ms, end_ms, text, interrupted)
       VALUES ($1, 0, 'callee', 0, 1, '好', false)`,
    [id],
  );
  await database.pool.query(
    `INSERT INTO call_events (call_id, index, at_ms, type, detail) VALUES ($1, 0, 0, 'answered', '{}')`,
    [id],
  );
  return id;
}

async function ids(table: string, column = 'id'): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ id: string }>(`SELECT ${column} AS id FROM ${table} ORDER BY 1`);
  return rows.map(({ id }) => id);
}

test('what is past its time goes, with files that no record knows, and what is not stays', async () => {
  const directory = scratchDirectory();
  const [old, fresh, open] = [await addCall(OLD), await addCall(NEW), await addCall(OLD, 'open')];
  const orphan = newId(OLD);
  for (const [day, id] of [
    ['2026-03-10', old],
    ['2026-03-10', orphan],
    ['2026-03-10', open],
    ['2026-11-10', fresh],
  ] as const) {
    mkdirSync(path.join(directory, day), { recursive: true });
    writeFileSync(path.join(directory, day, `${id}.wav`), 'RIFF');
  }
  expect(await deleteRecordings(database.pool, directory, LIMIT)).toBe(3);
  expect(new Set(readdirSync(directory, { recursive: true }).map(String))).toEqual(
    new Set(['2026-11-10', `2026-11-10/${fresh}.wav`]),
  );
  const kept = await database.pool.query('SELECT id FROM calls WHERE recording IS NOT NULL');
  expect(kept.rows).toEqual([{ id: fresh }]);

  // A second run finds nothing more, and its records follow when they are due.
  expect(await deleteRecordings(database.pool, directory, LIMIT)).toBe(0);
  expect(await deleteRecords(database.pool, LIMIT)).toBe(2);
  expect(await ids('calls')).toEqual([fresh]);
  expect(await ids('turns', 'call_id')).toEqual([fresh]);
  expect(await ids('call_events', 'call_id')).toEqual([fresh]);
  // One that is still open is the dialer's to end.
  expect(await ids('attempts')).toEqual([open, fresh].toSorted());

  const dropped = await dropEmptyPartitions(database.pool, { before: LIMIT, now: NEW });
  expect(dropped).toContain('calls_2026_03');
  expect(dropped).not.toContain('attempts_2026_03');
  expect(dropped.filter((name) => /2026_(0[6-9]|1)/.test(name))).toEqual([]);
  expect(await ids('calls')).toEqual([fresh]);
  await ensurePartitions(database.pool, OLD);
  await addCall(OLD);
  expect(await deleteRecords(database.pool, LIMIT)).toBe(1);
});

test('a clean-up that is stopped deletes no more', async () => {
  const directory = scratchDirectory();
  writeFileSync(path.join(directory, `${newId(OLD)}.wav`), 'RIFF');
  expect(await deleteRecordings(database.pool, directory, LIMIT, AbortSignal.abort())).toBe(0);
  expect(readdirSync(directory)).toHaveLength(1);
});
