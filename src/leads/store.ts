import { sql } from 'kysely';
import type { Contact, ImportReport } from '#domain/contact.ts';
import type { ContactId, ImportId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Db } from '#platform/db/database.ts';

type LeadTables = {
  readonly contacts: {
    id: ContactId;
    phone: PhoneNumber;
    name: string;
    attributes: Record<string, string>;
    time_zone: string | null;
    created_at: Date;
  };
  readonly imports: {
    id: ImportId;
    file_name: string;
    rows: number;
    imported: number;
    merged: number;
    rejected: number;
    encoding: ImportReport['encoding'];
    duration_ms: number;
    rejected_file: string | null;
    created_at: Date;
  };
  readonly import_contacts: { import_id: ImportId; contact_id: ContactId; row: number };
};

/** An import as it is kept; `rejectedFile` is the path given to the import, undefined when no row was rejected. */
export interface StoredImport extends ImportReport {
  readonly rejectedFile: string | undefined;
  readonly createdAt: Date;
}

const CONTACT_COLUMNS = ['id', 'phone', 'name', 'attributes', 'time_zone', 'created_at'] as const;
const PAGE_ROWS = 1000;

/** The contact of an id. */
export async function getContact(db: Db, id: ContactId): Promise<Contact | undefined> {
  const query = tables(db).selectFrom('contacts').select(CONTACT_COLUMNS).where('id', '=', id);
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : contactOf(row);
}

/** The contact of a number. */
export async function findContact(db: Db, phone: PhoneNumber): Promise<Contact | undefined> {
  const query = tables(db).selectFrom('contacts').select(CONTACT_COLUMNS).where('phone', '=', phone);
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : contactOf(row);
}

/** One import. */
export async function getImport(db: Db, id: ImportId): Promise<StoredImport | undefined> {
  const row = await tables(db).selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : importOf(row);
}

/** Imports, newest first; `next` continues the list and is absent at its end. */
export async function listImports(
  db: Db,
  options: { readonly cursor?: string; readonly limit?: number } = {},
): Promise<{ readonly items: readonly StoredImport[]; readonly next?: string; readonly total: number }> {
  const limit = options.limit ?? 50;
  let query = tables(db)
    .selectFrom('imports')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (options.cursor !== undefined) query = query.where('id', '<', options.cursor as ImportId);
  const rows = await query.execute();
  const count = await tables(db)
    .selectFrom('imports')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const items = rows.slice(0, limit).map(importOf);
  const last = items.at(-1);
  return { items, total: count.total, ...(rows.length > limit && last !== undefined ? { next: last.id } : {}) };
}

/** The contacts that an import brought or updated, in the order of the file, a page of the database at a time. */
export async function* contactsOfImport(db: Db, id: ImportId): AsyncGenerator<Contact> {
  let after = 0;
  for (;;) {
    const rows = await tables(db)
      .selectFrom('import_contacts')
      .innerJoin('contacts', 'contacts.id', 'import_contacts.contact_id')
      .select(CONTACT_COLUMNS)
      .select(sql<number>`import_contacts.row`.as('file_row'))
      .where('import_contacts.import_id', '=', id)
      .where('import_contacts.row', '>', after)
      .orderBy('import_contacts.row')
      .limit(PAGE_ROWS)
      .execute();
    for (const row of rows) yield contactOf(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.file_row;
  }
}

function tables(db: Db) {
  return db.withTables<LeadTables>();
}

function contactOf(row: LeadTables['contacts']): Contact {
  return {
    id: row.id,
    phone: row.phone,
    name: row.name,
    attributes: row.attributes,
    timeZone: row.time_zone ?? undefined,
    createdAt: row.created_at,
  };
}

function importOf(row: LeadTables['imports']): StoredImport {
  return {
    id: row.id,
    fileName: row.file_name,
    rows: row.rows,
    imported: row.imported,
    merged: row.merged,
    rejected: row.rejected,
    encoding: row.encoding,
    durationMs: row.duration_ms,
    rejectedFile: row.rejected_file ?? undefined,
    createdAt: row.created_at,
  };
}
