import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { idFloor, newId } from '../id.ts';
import { openDatabase } from './database.ts';
import { ensurePartitions } from './migrate.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test('int8 arrives as a number, a date as midnight UTC, a timestamp as a Date and jsonb parsed', async () => {
  const { rows } = await database.pool.query(
    `SELECT 9007199254740991::int8 AS big, ARRAY[1, 2]::int8[] AS bigs, '{}'::int8[] AS none, '2026-03-01'::date AS day,
            '2026-03-01T08:00:00+08'::timestamptz AS at, '{"a": 1}'::jsonb AS json`,
  );
  expect(rows[0]).toEqual({
    big: 9_007_199_254_740_991,
    bigs: [1, 2],
    none: [],
    day: new Date('2026-03-01T00:00:00Z'),
    at: new Date('2026-03-01T00:00:00Z'),
    json: { a: 1 },
  });
});

test('an int8 beyond the safe integers is refused rather than rounded', async () => {
  await expect(database.pool.query('SELECT 9007199254740993::int8')).rejects.toThrow(RangeError);
});

test('a database that cannot be reached is one clear fault', async () => {
  await expect(openDatabase('postgres://x:y@127.0.0.1:1/z')).rejects.toMatchObject({ code: 'database-unavailable' });
});

test('rows that came before their month had a partition move into it', async () => {
  const far = new Date('2031-05-17T12:00:00Z');
  const id = newId<'attempt'>(far);
  await database.pool.query(
    `INSERT INTO attempts (id, number, phone, caller_number, trunk, node_id, state, created_at)
     VALUES ($1, 1, '+8613800000000', '1', 't', $1, 'open', $2)`,
    [id, far],
  );
  const place = async () => {
    const { rows } = await database.pool.query('SELECT tableoid::regclass::text AS place FROM attempts WHERE id = $1', [
      id,
    ]);
    return rows[0].place as string;
  };
  expect(await place()).toBe('attempts_default');
  await ensurePartitions(database.pool, far);
  expect(await place()).toBe('attempts_2031_05');
  await ensurePartitions(database.pool, far);
  expect(idFloor(far) <= id).toBe(true);
});
