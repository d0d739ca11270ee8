import type pg from 'pg';
import { idFloor } from '../id.ts';

/** High-volume tables and the UUIDv7 column that says in which month a row belongs. */
const PARTITIONED = [
  ['attempts', 'id'],
  ['calls', 'id'],
  ['turns', 'call_id'],
  ['call_events', 'call_id'],
] as const;

/** Serialises partition work; apart from the schema lock, which `migrate` may hold on another connection. */
const PARTITION_LOCK = 0x7761_6876;

/**
 * Makes the monthly partitions (UTC) of the month before `now`, of this one and of the next two, and a default one
 * for everything else. Rows that wait in the default partition move into a month that gets its own.
 */
export async function ensurePartitions(pool: pg.Pool, now: Date): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
    const existing = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relispartition AND relnamespace = current_schema()::regnamespace`,
    );
    const names = new Set(existing.rows.map((row) => row.name));
    for (const [table, column] of PARTITIONED) {
      const fallback = `${table}_default`;
      if (!names.has(fallback)) await client.query(`CREATE TABLE ${fallback} PARTITION OF ${table} DEFAULT`);
      for (const offset of [-1, 0, 1, 2]) {
        const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1));
        const until = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset + 1, 1));
        const name = `${table}_${from.toISOString().slice(0, 7).replace('-', '_')}`;
        if (!names.has(name)) await addMonth(client, { table, column, fallback, name, from, until });
      }
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

interface Month {
  readonly table: string;
  readonly column: string;
  readonly fallback: string;
  readonly name: string;
  readonly from: Date;
  readonly until: Date;
}

async function addMonth(client: pg.PoolClient, month: Month): Promise<void> {
  const { table, column, fallback, name } = month;
  const from = idFloor(month.from);
  const until = idFloor(month.until);
  await client.query(`LOCK TABLE ONLY ${fallback} IN ACCESS EXCLUSIVE MODE`);
  await client.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL)`);
  await client.query(
    `WITH moved AS (DELETE FROM ${fallback} WHERE ${column} >= '${from}' AND ${column} < '${until}' RETURNING *)
     INSERT INTO ${name} SELECT * FROM moved`,
  );
  await client.query(`ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${until}')`);
}

/**
 * Drops the monthly partitions that end before `before` and hold no row, but never those that `ensurePartitions` would
 * make again. Returns their names.
 */
export async function dropEmptyPartitions(
  pool: pg.Pool,
  { before, now }: { readonly before: Date; readonly now: Date },
): Promise<readonly string[]> {
  const needed = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1);
  const client = await pool.connect();
  const dropped: string[] = [];
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [PARTITION_LOCK]);
    const existing = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relispartition AND relkind = 'r'
         AND relnamespace = current_schema()::regnamespace ORDER BY relname`,
    );
    for (const { name } of existing.rows) {
      const month = /^(?:attempts|calls|turns|call_events)_(\d{4})_(\d{2})$/.exec(name);
      if (month === null) continue;
      const untilMs = Date.UTC(Number(month[1]), Number(month[2]), 1);
      if (untilMs > Math.min(before.getTime(), needed)) continue;
      const rows = await client.query(`SELECT 1 FROM ${name} LIMIT 1`);
      if (rows.rows.length > 0) continue;
      await client.query(`DROP TABLE ${name}`);
      dropped.push(name);
    }
    await client.query('COMMIT');
    return dropped;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
