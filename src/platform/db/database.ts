import type { Kysely } from 'kysely';

/**
 * The connection pool as every stage gets it. A stage names its own tables: `db.withTables<LeadTables>()`.
 * int8 arrives as number, date and timestamptz as Date, jsonb parsed.
 */
export type Db = Kysely<unknown>;
