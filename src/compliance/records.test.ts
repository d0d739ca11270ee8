import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { newId } from '#platform/id.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { dialsToday } from './attempt-facts.ts';
import { audit, verifyAudit } from './audit.ts';
import { importSuppressions, isSuppressed, listSuppressions, suppress, unsuppress } from './suppression.ts';

const PHONE = '+8613800138000' as PhoneNumber;
const OTHER = '+8613900139000' as PhoneNumber;
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database.close();
});

beforeEach(async () => {
  await database.pool.query('TRUNCATE contacts, leads, campaigns, scripts, suppressions, audit, attempts CASCADE');
});

/** One lead of the contact in a campaign of its own, in the given state. */
async function addLead(phone: PhoneNumber, state: string): Promise<string> {
  const [script, campaign, lead] = [newId<'script'>(), newId<'campaign'>(), newId<'lead'>()];
  const { pool } = database;
  await pool.query(`INSERT INTO contacts (id, phone) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [newId(), phone]);
  await pool.query(
    `INSERT INTO scripts (id, key, name, language, draft) VALUES ($1::uuid, $1::uuid::text, 's', 'zh', '{}')`,
    [script],
  );
  await pool.query(
    `INSERT INTO campaigns (id, name, state, script_id, script_version, settings) VALUES ($1, 'c', 'running', $2, 1, '{}')`,
    [campaign, script],
  );
  await pool.query(
    `INSERT INTO leads (id, campaign_id, contact_id, state, next_attempt_at) SELECT $1, $2, id, $3, now() FROM contacts WHERE phone = $4`,
    [lead, campaign, state, phone],
  );
  return lead;
}

async function leadOf(id: string): Promise<unknown> {
  const result = await database.pool.query(`SELECT state, reason, next_attempt_at AS at FROM leads WHERE id = $1`, [
    id,
  ]);
  return result.rows[0];
}

describe('suppress', () => {
  it('lists the number and ends its leads in every campaign, but not one in a call or of another number', async () => {
    const pending = await addLead(PHONE, 'pending');
    const waiting = await addLead(PHONE, 'waiting');
    const dialing = await addLead(PHONE, 'dialing');
    const other = await addLead(OTHER, 'pending');
    const attemptId: AttemptId = newId<'attempt'>();
    const change = await suppress(database.db, { phone: PHONE, source: 'call', attemptId });
    expect(change.added).toBe(1);
    expect(change.endedLeads.map((lead) => lead.leadId).sort()).toEqual([pending, waiting].sort());
    for (const id of [pending, waiting])
      expect(await leadOf(id)).toEqual({ state: 'done', reason: 'opted-out', at: null });
    expect(await leadOf(dialing)).toMatchObject({ state: 'dialing' });
    expect(await leadOf(other)).toMatchObject({ state: 'pending' });
    expect(await isSuppressed(database.db, PHONE)).toBe(true);
    expect(await isSuppressed(database.db, OTHER)).toBe(false);
  });

  it('keeps the first entry when a number comes again, and still ends new leads', async () => {
    await suppress(database.db, { phone: PHONE, source: 'manual', note: 'first' });
    const lead = await addLead(PHONE, 'pending');
    const again = await suppress(database.db, { phone: PHONE, source: 'manual', note: 'second' });
    expect(again).toMatchObject({ added: 0, endedLeads: [{ leadId: lead }] });
    expect(await leadOf(lead)).toMatchObject({ reason: 'suppressed' });
    expect((await listSuppressions(database.db)).items.map((item) => item.note)).toEqual(['first']);
  });

  it('is undone with the transaction that it is part of', async () => {
    const lead = await addLead(PHONE, 'pending');
    const work = database.db.transaction().execute(async (transaction) => {
      await suppress(transaction, { phone: PHONE, source: 'manual' });
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await isSuppressed(database.db, PHONE)).toBe(false);
    expect(await leadOf(lead)).toMatchObject({ state: 'pending' });
    expect(await verifyAudit(database.db)).toMatchObject({ entries: 0 });
  });

  it('takes a long list with repetitions, lists it masked in pages, and lets an entry go again', async () => {
    const lead = await addLead(PHONE, 'pending');
    const phones = Array.from({ length: 6000 }, (_, index) => `+86138${String(index).padStart(8, '0')}` as PhoneNumber);
    const change = await importSuppressions(database.db, { phones: [...phones, PHONE, PHONE], note: '2026' });
    expect(change.added).toBe(6001);
    expect(await leadOf(lead)).toMatchObject({ reason: 'suppressed' });
    const first = await listSuppressions(database.db, { limit: 4000 });
    const second = await listSuppressions(database.db, { limit: 4000, cursor: first.next! });
    expect([first.items.length, second.items.length, second.next, first.total]).toEqual([4000, 2001, undefined, 6001]);
    expect(new Set([...first.items, ...second.items].map((item) => item.id)).size).toBe(6001);
    expect(first.items.filter((item) => !/^\+86138\*{4}\d{4}$/.test(item.phone))).toEqual([]);
    const found = await listSuppressions(database.db, { phone: PHONE });
    expect(found.items[0]).toMatchObject({ phone: '+86138****8000', source: 'import', note: '2026', callId: null });
    const request = { id: found.items[0]!.id as never, actor: 'user:1' };
    expect(await unsuppress(database.db, request)).toBe(true);
    expect(await unsuppress(database.db, request)).toBe(false);
    expect(await isSuppressed(database.db, PHONE)).toBe(false);
    expect(await verifyAudit(database.db)).toMatchObject({ ok: true, entries: 2 });
  });
});

describe('audit', () => {
  async function fill(): Promise<void> {
    const details = [{ b: 1, a: ['x', { d: null, c: 1.5e300 }] }, { text: 'a\0b\ud800', at: new Date(0) }, {}];
    for (const detail of details) await audit(database.db, { actor: 'user:1', action: 'test', subject: 's', detail });
  }

  it('verifies what it wrote, also by many at once', async () => {
    await fill();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => audit(database.db, { actor: `${index}`, action: 'a', subject: 's' })),
    );
    expect(await verifyAudit(database.db)).toMatchObject({
      ok: true,
      entries: 23,
      head: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each([
    ['a changed detail', `UPDATE audit SET detail = '{"b": 2}' WHERE seq = $1`, 0],
    ['a changed actor', `UPDATE audit SET actor = 'user:2' WHERE seq = $1`, 0],
    ['a changed time', `UPDATE audit SET at = at + interval '1 second' WHERE seq = $1`, 0],
    ['a removed entry', 'DELETE FROM audit WHERE seq = $1', 1],
  ])('finds %s', async (_, statement, brokenAfter) => {
    await fill();
    const rows = (await database.pool.query<{ seq: number }>('SELECT seq FROM audit ORDER BY seq')).rows;
    await database.pool.query(statement, [rows[1]!.seq]);
    expect(await verifyAudit(database.db)).toEqual({ ok: false, entries: 1, brokenAtSeq: rows[1 + brokenAfter]!.seq });
  });
});

describe('dialsToday', () => {
  it('counts the dials of a number since midnight at its place, and no refusals of ours', async () => {
    const now = new Date();
    const dial = async (phone: PhoneNumber, at: Date, outcome: string | null): Promise<void> => {
      await database.pool.query(
        `INSERT INTO attempts (id, number, phone, caller_number, trunk, node_id, state, outcome, created_at)
         VALUES ($1, 1, $2, '1', 't', gen_random_uuid(), 'ended', $3, $4)`,
        [newId<'attempt'>(at), phone, outcome, at],
      );
    };
    const local = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(now);
    const midnightMs = Date.parse(`${local}T00:00:00+08:00`);
    await dial(PHONE, new Date(midnightMs), 'busy');
    await dial(PHONE, now, null);
    await dial(PHONE, now, 'suppressed');
    await dial(PHONE, new Date(midnightMs - 1), 'busy');
    await dial(OTHER, now, 'busy');
    expect(await dialsToday(database.db, PHONE, 'Asia/Shanghai', now)).toBe(2);
    expect(await dialsToday(database.db, PHONE, undefined, now)).toBe(Number.POSITIVE_INFINITY);
  });
});
