import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '#platform/db/database.ts';

type AuditTables = {
  readonly audit: {
    seq: number;
    at: Date;
    actor: string;
    action: string;
    subject: string;
    detail: unknown;
    hash: Buffer;
  };
};

/** Who did what to what; `detail` is JSON without unmasked personal data. */
export interface AuditEntry {
  /** For example `user:0192…`, `call:0192…` or `system`. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What a check of the chain found; keep `head` elsewhere to notice when the newest entries are cut off. */
export type AuditCheck =
  | { readonly ok: true; readonly entries: number; readonly head: string }
  | { readonly ok: false; readonly entries: number; readonly brokenAtSeq: number };

// Any constant that no other lock of the platform uses.
const CHAIN_LOCK = 0x61756474;
const GENESIS = Buffer.alloc(32);
const PAGE_ROWS = 2000;

/** Appends an entry, in the caller's transaction where `db` is one; entries are written one after the other. */
export async function audit(db: Db, entry: AuditEntry): Promise<void> {
  if (db.isTransaction) await append(db, entry);
  else await db.transaction().execute(async (transaction) => append(transaction, entry));
}

async function append(db: Db, entry: AuditEntry): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${CHAIN_LOCK})`.execute(db);
  const tables = db.withTables<AuditTables>();
  const last = await tables.selectFrom('audit').select('hash').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  const detail = canonicalJson(entry.detail ?? {});
  const [actor, action, subject] = [entry.actor, entry.action, entry.subject].map(storable) as [string, string, string];
  // The database's clock, cut to the milliseconds that a Date keeps.
  const time = await sql<{ at: Date }>`SELECT date_trunc('milliseconds', clock_timestamp()) AS at`.execute(db);
  const at = time.rows[0]!.at;
  const hash = chainHash(last?.hash ?? GENESIS, { at, actor, action, subject, detail });
  await sql`INSERT INTO audit (at, actor, action, subject, detail, hash)
    VALUES (${at}, ${actor}, ${action}, ${subject}, ${detail}::jsonb, ${hash})`.execute(db);
}

/** Recomputes the whole chain, oldest first, a page at a time. */
export async function verifyAudit(db: Db): Promise<AuditCheck> {
  let previous: Buffer = GENESIS;
  let entries = 0;
  let after = 0;
  for (;;) {
    const rows = await db
      .withTables<AuditTables>()
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(PAGE_ROWS)
      .execute();
    for (const row of rows) {
      const hash = chainHash(previous, { ...row, detail: canonicalJson(row.detail) });
      if (!hash.equals(row.hash)) return { ok: false, entries, brokenAtSeq: row.seq };
      previous = row.hash;
      after = row.seq;
      entries++;
    }
    if (rows.length < PAGE_ROWS) return { ok: true, entries, head: previous.toString('hex') };
  }
}

function chainHash(
  previous: Buffer,
  entry: {
    readonly at: Date;
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly detail: string;
  },
): Buffer {
  const fields = [entry.at.toISOString(), entry.actor, entry.action, entry.subject, entry.detail];
  return createHash('sha256').update(previous).update(JSON.stringify(fields)).digest();
}

/** JSON with sorted keys, of what the database can store and gives back unchanged. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(JSON.parse(JSON.stringify(value)), (_, part: unknown) => {
    if (typeof part === 'string') return storable(part);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const keys = Object.keys(part).sort();
    return Object.fromEntries(keys.map((key) => [storable(key), (part as Record<string, unknown>)[key]]));
  });
}

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}
