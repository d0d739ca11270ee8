import { Pool, types, type CustomTypesConfig } from 'pg';
import { Kysely, PostgresDialect } from 'kysely';
import { AppError } from '../error.ts';
import type { Log } from '../log.ts';

/**
 * The connection pool as every stage gets it. A stage names its own tables: `db.withTables<LeadTables>()`.
 * int8 arrives as number, date and timestamptz as Date (a date is midnight UTC), jsonb parsed.
 */
export type Db = Kysely<unknown>;

const INT8 = 20;
const DATE = 1082;
const INT8_ARRAY = 1016;

const parsers = new Map<number, (value: string) => unknown>([
  [INT8, parseInt8],
  [DATE, (value) => new Date(`${value}T00:00:00Z`)],
  [INT8_ARRAY, (value) => (value === '{}' ? [] : value.slice(1, -1).split(',').map(parseInt8))],
]);

function parseInt8(value: string): number | null {
  if (value === 'NULL') return null;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError('int8 beyond the safe integers');
  return number;
}

/** Column parsers for every connection, the pool's and those of tests and COPY streams. */
const columnTypes: CustomTypesConfig = {
  getTypeParser(id: number, format?: 'text' | 'binary') {
    const own = format === 'binary' ? undefined : parsers.get(id);
    return own ?? (types.getTypeParser as (id: number, format?: string) => (value: string) => unknown)(id, format);
  },
};

/** An open pool, and Kysely over it; `close` waits for queries that run and ends both. */
export interface OpenDatabase {
  readonly db: Db;
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

/** Opens a pool and proves it with one query; throws `database-unavailable`. */
export async function openDatabase(
  url: string,
  options: { readonly maxConnections?: number; readonly log?: Log; readonly applicationName?: string } = {},
): Promise<OpenDatabase> {
  const pool = new Pool({
    connectionString: url,
    max: options.maxConnections ?? 20,
    types: columnTypes,
    application_name: options.applicationName ?? 'waihu',
    connectionTimeoutMillis: 10_000,
  });
  // An idle connection that the server ends is replaced on the next query; without a listener it would end the process.
  pool.on('error', (error) => options.log?.warn({ err: error }, 'an idle database connection was lost'));
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end();
    throw new AppError(
      'database-unavailable',
      {
        zh: '连不上数据库。请检查 DATABASE_URL 指向的 PostgreSQL 是否在运行、用户名和密码是否正确。',
        en: 'The database cannot be reached. Check that the PostgreSQL of DATABASE_URL runs and that user and password are right.',
      },
      { cause, retryable: true },
    );
  }
  const db: Db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  let closing: Promise<void> | undefined;
  // Not through Kysely, which leaves a pool open that it has not used yet.
  return { db, pool, close: () => (closing ??= pool.end()) };
}
