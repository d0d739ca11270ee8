import { sql } from 'kysely';
import type { SuppressionView } from '#domain/api.ts';
import type { AttemptId, CampaignId, LeadId, SuppressionId } from '#domain/ids.ts';
import { maskPhone } from '#domain/phone.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import { audit } from './audit.ts';

type SuppressionTables = {
  readonly suppressions: {
    id: SuppressionId;
    phone: PhoneNumber;
    source: SuppressionView['source'];
    note: string;
    attempt_id: AttemptId | null;
    created_at: Date;
  };
};

/** A number that must not be called again; `source` `call` is a callee who said so. */
export interface Suppression {
  readonly phone: PhoneNumber;
  readonly source: SuppressionView['source'];
  readonly attemptId?: AttemptId;
  readonly note?: string;
  /** Who did it, for the audit chain; the call or the system when absent. */
  readonly actor?: string;
}

/** A lead that will not be dialled any more because of a suppression. */
export interface EndedLead {
  readonly leadId: LeadId;
  readonly campaignId: CampaignId;
}

/** What one or many suppressions changed. */
export interface SuppressionChange {
  /** Numbers that were not on the list before. */
  readonly added: number;
  readonly endedLeads: readonly EndedLead[];
}

const BATCH_NUMBERS = 5000;

/**
 * Puts a number on the list at once and ends its leads that are not in a call, in every campaign, in one transaction
 * (the caller's where `db` is one). A number already there keeps its entry; its leads end all the same.
 */
export async function suppress(db: Db, suppression: Suppression): Promise<SuppressionChange> {
  return inTransaction(db, async (transaction) => {
    const change = await add(transaction, [suppression.phone], suppression);
    await audit(transaction, {
      actor: suppression.actor ?? (suppression.attemptId === undefined ? 'system' : `call:${suppression.attemptId}`),
      action: 'suppression.add',
      subject: maskPhone(suppression.phone),
      detail: { source: suppression.source, added: change.added === 1, endedLeads: change.endedLeads.length },
    });
    return change;
  });
}

/** Puts a list of numbers on the suppression list, all or none of it. */
export async function importSuppressions(
  db: Db,
  list: {
    readonly phones: AsyncIterable<PhoneNumber> | Iterable<PhoneNumber>;
    readonly note?: string;
    readonly actor?: string;
  },
): Promise<SuppressionChange> {
  return inTransaction(db, async (transaction) => {
    let added = 0;
    const endedLeads: EndedLead[] = [];
    let batch: PhoneNumber[] = [];
    const flush = async (): Promise<void> => {
      const change = await add(transaction, batch, { source: 'import', note: list.note ?? '' });
      added += change.added;
      endedLeads.push(...change.endedLeads);
      batch = [];
    };
    for await (const phone of list.phones) {
      batch.push(phone);
      if (batch.length >= BATCH_NUMBERS) await flush();
    }
    if (batch.length > 0) await flush();
    await audit(transaction, {
      actor: list.actor ?? 'system',
      action: 'suppression.import',
      subject: 'suppressions',
      detail: { added, endedLeads: endedLeads.length },
    });
    return { added, endedLeads };
  });
}

async function add(
  db: Db,
  phones: readonly PhoneNumber[],
  entry: { readonly source: SuppressionView['source']; readonly attemptId?: AttemptId; readonly note?: string },
): Promise<SuppressionChange> {
  // Sorted, so that two transactions lock the rows they share in the same order.
  const unique = [...new Set(phones)].sort();
  const ids = unique.map(() => newId<'suppression'>());
  const inserted = await sql`
    INSERT INTO suppressions (id, phone, source, note, attempt_id)
    SELECT id, phone, ${entry.source}, ${entry.note ?? ''}, ${entry.attemptId ?? null}::uuid
    FROM unnest(${ids}::uuid[], ${unique}::text[]) AS given (id, phone)
    ON CONFLICT (phone) DO NOTHING`.execute(db);
  const reason = entry.source === 'call' ? 'opted-out' : 'suppressed';
  const ended = await sql<EndedLead>`
    UPDATE leads
    SET state = 'done', reason = ${reason}, next_attempt_at = NULL, updated_at = now(),
        last_outcome = coalesce(last_outcome, 'suppressed')
    WHERE state IN ('pending', 'waiting')
      AND contact_id IN (SELECT id FROM contacts WHERE phone = ANY(${unique}::text[]))
    RETURNING id AS "leadId", campaign_id AS "campaignId"`.execute(db);
  return { added: Number(inserted.numAffectedRows ?? 0n), endedLeads: ended.rows };
}

/** Takes an entry off the list; false when it is not there. Ended leads stay ended. */
export async function unsuppress(
  db: Db,
  request: { readonly id: SuppressionId; readonly actor: string },
): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    const removed = await transaction
      .withTables<SuppressionTables>()
      .deleteFrom('suppressions')
      .where('id', '=', request.id)
      .returning(['phone', 'source'])
      .executeTakeFirst();
    if (removed === undefined) return false;
    await audit(transaction, {
      actor: request.actor,
      action: 'suppression.remove',
      subject: maskPhone(removed.phone),
      detail: { source: removed.source },
    });
    return true;
  });
}

/** Whether a number is on the list. */
export async function isSuppressed(db: Db, phone: PhoneNumber): Promise<boolean> {
  const query = db.withTables<SuppressionTables>().selectFrom('suppressions').select('id').where('phone', '=', phone);
  return (await query.executeTakeFirst()) !== undefined;
}

/** The list, newest first, numbers masked; `phone` finds one entry by its full number. */
export async function listSuppressions(
  db: Db,
  options: { readonly cursor?: string; readonly limit?: number; readonly phone?: PhoneNumber } = {},
): Promise<{ readonly items: readonly SuppressionView[]; readonly next?: string; readonly total: number }> {
  const limit = options.limit ?? 50;
  let all = db.withTables<SuppressionTables>().selectFrom('suppressions');
  if (options.phone !== undefined) all = all.where('phone', '=', options.phone);
  let page = all
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (options.cursor !== undefined) page = page.where('id', '<', options.cursor as SuppressionId);
  const rows = await page.execute();
  const count = await all.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  const items = rows.slice(0, limit).map((row) => ({
    id: row.id,
    phone: maskPhone(row.phone),
    source: row.source,
    note: row.note,
    callId: row.attempt_id,
    createdAt: row.created_at.toISOString(),
  }));
  const last = items.at(-1);
  return { items, total: count.total, ...(rows.length > limit && last !== undefined ? { next: last.id } : {}) };
}

async function inTransaction<Result>(db: Db, work: (transaction: Db) => Promise<Result>): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
