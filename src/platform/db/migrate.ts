import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { AppError } from '../error.ts';
import type { Log } from '../log.ts';

/** Serialises every schema change of one database, whichever node makes it. */
export const SCHEMA_LOCK = 0x7761_6875;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/**
 * Applies the numbered files of `directory` that the database has not seen, each in its own transaction. Throws
 * `migration-failed` where a file fails, where an applied file was changed, and where the database is newer than us.
 */
export async function migrate(
  pool: pg.Pool,
  log: Log,
  directory: URL = new URL('../../../migrations/', import.meta.url),
): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(directory);
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [SCHEMA_LOCK]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const known = await client.query<{ name: string; checksum: string }>(
      'SELECT name, checksum FROM schema_migrations',
    );
    const checksums = new Map(known.rows.map((row) => [row.name, row.checksum]));
    refuseDrift(migrations, checksums);
    const applied: string[] = [];
    for (const migration of migrations) {
      if (checksums.has(migration.name)) continue;
      await apply(client, migration);
      applied.push(migration.name);
      log.info({ migration: migration.name }, 'migration applied');
    }
    return { applied };
  } finally {
    // A connection that broke takes its advisory lock with it.
    const unlocked = await client.query('SELECT pg_advisory_unlock($1)', [SCHEMA_LOCK]).then(
      () => true,
      () => false,
    );
    client.release(!unlocked);
  }
}

async function readMigrations(directory: URL): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, directory), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

function refuseDrift(migrations: readonly Migration[], applied: ReadonlyMap<string, string>): void {
  const files = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  for (const [name, checksum] of applied) {
    const file = files.get(name);
    if (file === checksum) continue;
    throw new AppError(
      'migration-failed',
      file === undefined
        ? {
            zh: `数据库里有本版本没有的迁移 ${name}：它属于更新的版本，请升级程序。`,
            en: `The database has migration ${name}, which this version does not know: it belongs to a newer version, please update.`,
          }
        : {
            zh: `迁移文件 ${name} 在执行后被改动过。请恢复原文件，改动另写一个新的迁移。`,
            en: `Migration ${name} was changed after it had been applied. Restore the file and put the change into a new migration.`,
          },
    );
  }
}

async function apply(client: pg.PoolClient, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(migration.sql);
    await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [
      migration.name,
      migration.checksum,
    ]);
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new AppError(
      'migration-failed',
      {
        zh: `数据库迁移 ${migration.name} 失败，已回滚，数据没有改变。`,
        en: `Database migration ${migration.name} failed and was rolled back; no data has changed.`,
      },
      { cause },
    );
  }
}

/** Part of every start: see `partitions.ts`. */
export { ensurePartitions } from './partitions.ts';
