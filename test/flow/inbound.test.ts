import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CallSummary } from '#domain/api.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { isSuppressed, suppress } from '#compliance/suppression.ts';
import { getCall, listCalls } from '#outcomes/calls.ts';
import { newId } from '#platform/id.ts';
import { openCaller, type CallOptions, type TestCaller } from '../support/caller.ts';
import { readRecording, rms, shortScript } from '../support/call-center.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { openTestInbound, OWN_NUMBER, putScript, type TestInbound } from '../support/inbound.ts';

/** What the contact is called and how the script greets. */
const NAME = '王伟';
const KNOWN = '+8613800000001' as PhoneNumber;

let database: TestDatabase;
let inbound: TestInbound;
let caller: TestCaller;
let stranger: TestCaller;

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  const base = shortScript();
  const [ask, ...ends] = base.nodes;
  const scriptId = await putScript(db, {
    ...base,
    id: 'greets-by-name',
    variables: [{ name: 'name', label: '姓名', kind: 'text', required: true }],
    nodes: [{ ...ask!, speech: [{ text: '{name}，您好，方便吗？' }] }, ...ends],
    grades: [{ code: 'B', priority: 1, expression: 'true', reason: '回电' }],
  });
  await seedKnown(scriptId);
  inbound = await openTestInbound({
    db,
    rtp: { first: 27_000, last: 27_199 },
    inbound: { routes: [{ numbers: ['*'] }], announcement: '感谢您的来电。' },
    trunk: { codecs: ['PCMA'], srtp: 'optional' },
  });
  caller = await openCaller({ rtp: { first: 27_200, last: 27_399 } });
  stranger = await openCaller({ address: '127.0.0.2', rtp: { first: 27_400, last: 27_499 } });
});
afterAll(async () => {
  await Promise.all([caller?.close(), stranger?.close()]);
  await inbound?.close();
  await database?.close();
});
afterEach(async () => {
  inbound.admission = { accepts: true };
  await vi.waitUntil(() => inbound.side.live === 0, { timeout: 5000, interval: 10 });
});

/** A contact whom a campaign dialled once in vain and will dial again. */
async function seedKnown(scriptId: string): Promise<void> {
  const { db } = database;
  const [contact, campaign, lead, attempt] = [newId(), newId(), newId(), newId()];
  const settings = { redial: { rules: [] }, maxAttempts: 3, callBacks: 'redial', maxConcurrentCalls: 1 };
  await sql`INSERT INTO contacts (id, phone, name, time_zone)
    VALUES (${contact}::uuid, ${KNOWN}, ${NAME}, 'Asia/Shanghai')`.execute(db);
  await sql`INSERT INTO campaigns (id, name, state, script_id, script_version, settings)
    VALUES (${campaign}::uuid, '回电', 'running', ${scriptId}::uuid, 1, ${JSON.stringify(settings)}::jsonb)`.execute(
    db,
  );
  await sql`INSERT INTO leads (id, campaign_id, contact_id, state, attempt_count, reason, next_attempt_at)
    VALUES (${lead}::uuid, ${campaign}::uuid, ${contact}::uuid, 'waiting', 1, 'retry-delay', now() + interval '1 day')`.execute(
    db,
  );
  await sql`INSERT INTO attempts (id, campaign_id, lead_id, contact_id, number, phone, caller_number, trunk, node_id,
      state, outcome, created_at, ended_at)
    VALUES (${attempt}::uuid, ${campaign}::uuid, ${lead}::uuid, ${contact}::uuid, 1, ${KNOWN}, ${OWN_NUMBER}, 'carrier',
      ${newId()}::uuid, 'ended', 'no-answer', now(), now())`.execute(db);
}

const call = (options: Partial<CallOptions> = {}) =>
  caller.call({ port: inbound.port }, { from: '+8613800000009', to: OWN_NUMBER, ...options });

/** Waits for the record of the call that begins within `during`. */
async function recorded(during: () => Promise<void>): Promise<CallSummary> {
  const record = Promise.withResolvers<string>();
  const stop = inbound.bus.subscribe('call-recorded', ({ attemptId }) => record.resolve(attemptId));
  await during();
  const id = await record.promise;
  stop();
  const { items } = await listCalls(database.db, { direction: 'inbound' });
  return items.find((item) => item.id === id)!;
}

const attempts = async (): Promise<number> =>
  (await sql<{ n: number }>`SELECT count(*)::int AS n FROM attempts`.execute(database.db)).rows[0]!.n;

const openAttempts = async (): Promise<number> =>
  (await sql<{ n: number }>`SELECT count(*)::int AS n FROM attempts WHERE state = 'open'`.execute(database.db)).rows[0]!
    .n;

describe('a person who calls back', () => {
  it('is greeted by name, talked with, recorded, and not dialled again', async () => {
    const summary = await recorded(async () => {
      const claims = Buffer.from(JSON.stringify({ attest: 'B', origid: 'x' })).toString('base64url');
      const identity = `e30.${claims}.c2ln;info=<https://carrier.example/c.pem>;alg=ES256;ppt=shaken`;
      const talk = await call({ from: KNOWN, headers: [['Identity', identity]] });
      await talk.answered;
      expect(talk.progress).toContain(180);
      await talk.hears(`${NAME}，您好，方便吗？`);
      expect(await openAttempts()).toBe(1);
      talk.say('方便的');
      await talk.hears('谢谢。');
      expect(await talk.ended).toMatchObject({ by: 'callee', cause: 'bye' });
    });
    expect(summary).toMatchObject({
      direction: 'inbound',
      name: NAME,
      phone: '+86138****0001',
      outcome: 'answered',
      grade: 'B',
      campaignName: '回电',
      hasRecording: true,
    });
    const view = await getCall(database.db, summary.id);
    expect(view.turns.map(({ speaker, text }) => [speaker, text])).toContainEqual(['callee', '方便的']);
    expect(view.timeline.map(({ type }) => type)).toContain('answered');
    expect(view.timeline).toContainEqual({ type: 'attestation', atMs: 0, level: 'B' });
    expect(view.media?.packetsReceived).toBeGreaterThan(20);
    const row = await sql<{
      path: string;
    }>`SELECT recording->>'path' AS path FROM calls WHERE id = ${summary.id}::uuid`.execute(database.db);
    const { path } = row.rows[0]!;
    expect(path).toContain(summary.id);
    const file = join(inbound.recordings, path);
    expect(existsSync(file)).toBe(true);
    const { callee, platform, codec } = readRecording(file);
    expect(rms(callee, codec, 0, 60_000)).toBeGreaterThan(100);
    expect(rms(platform, codec, 0, 60_000)).toBeGreaterThan(100);
    await expect.poll(openAttempts, { timeout: 3000, interval: 20 }).toBe(0);
    const lead = await sql`SELECT state, reason, grade FROM leads`.execute(database.db);
    expect(lead.rows).toEqual([{ state: 'done', reason: 'completed', grade: 'B' }]);
  });

  it('hears an announcement where nobody knows them, and an opt-out is acted on while they are on the line', async () => {
    const phone = '+8613800000009' as PhoneNumber;
    const added = new Promise<string>((resolve) => {
      inbound.bus.subscribe('suppression-added', (event) => resolve(event.phone));
    });
    const summary = await recorded(async () => {
      const talk = await call();
      await talk.hears('感谢您的来电');
      talk.say('不要再给我打电话了');
      expect(await added).toBe(phone);
      expect(await isSuppressed(database.db, phone)).toBe(true);
      await talk.ended;
    });
    expect((await getCall(database.db, summary.id)).optedOut).toBe(true);
  });

  it('is answered though on the suppression list, and stays on it', async () => {
    const phone = '+8613800000010' as PhoneNumber;
    await suppress(database.db, { phone, source: 'manual' });
    await recorded(async () => {
      const talk = await call({ from: phone });
      await talk.hears('感谢您的来电');
      talk.sip.hangup();
    });
    expect(await isSuppressed(database.db, phone)).toBe(true);
  });

  it('is nobody where the number is withheld, and an opt-out still reaches the number that the network knows', async () => {
    const phone = '+8613800000011' as PhoneNumber;
    const summary = await recorded(async () => {
      const talk = await call({
        from: 'sip:anonymous@anonymous.invalid',
        headers: [
          ['P-Asserted-Identity', `<sip:${phone}@carrier.example>`],
          ['Privacy', 'id'],
        ],
      });
      await talk.hears('感谢您的来电');
      talk.say('不要再给我打电话了');
      await talk.ended;
    });
    expect(summary).toMatchObject({ phone: '', name: '' });
    expect(await isSuppressed(database.db, phone)).toBe(true);
    const rows = await sql<{ phone: string }>`SELECT phone FROM attempts WHERE id = ${summary.id}::uuid`.execute(
      database.db,
    );
    expect(rows.rows).toEqual([{ phone: '' }]);
  });

  it('is known by what the network asserts, not by what From claims', async () => {
    const summary = await recorded(async () => {
      const talk = await call({ headers: [['P-Asserted-Identity', `<tel:${KNOWN}>`]] });
      await talk.hears(NAME);
      talk.sip.hangup();
    });
    expect(summary.phone).toBe('+86138****0001');
  });

  it('may hold, use SRTP, or let us offer', async () => {
    const late = await call({ from: KNOWN, lateOffer: true });
    await late.hears(NAME);
    expect(await late.sip.hold()).toMatchObject({ ok: true });
    expect(await late.sip.resume()).toMatchObject({ ok: true });
    late.sip.hangup();
    await late.ended;
    const talk = await call({ srtp: 'required' });
    await talk.hears('感谢您的来电');
    expect(talk.media()?.audio.srtp).toBeDefined();
    talk.sip.hangup();
  });

  it('who gives up while it rings leaves a record and no open attempt', async () => {
    const summary = await recorded(async () => {
      const talk = await call();
      await expect.poll(() => talk.progress.includes(180), { interval: 5 }).toBe(true);
      talk.sip.hangup();
      await talk.ended;
    });
    expect(summary).toMatchObject({ outcome: 'cancelled', hangupBy: 'callee', talkMs: 0, hasRecording: false });
    await expect.poll(openAttempts, { timeout: 3000, interval: 20 }).toBe(0);
  });
});

describe('an operator hangs up a call that came in', () => {
  /** Ends the next call once it is in that state. */
  function endsWhen(state: 'ringing' | 'talking'): void {
    const stop = inbound.bus.subscribe('call-state', (event) => {
      if (event.state !== state) return;
      stop();
      inbound.center.operatorHangUp(event.attemptId)!('user:1');
    });
  }

  it.each([
    ['ringing', { status: 480 }, 'cancelled'],
    ['talking', { cause: 'bye' }, 'answered'],
  ] as const)('while it is %s: the caller hears %o, and the record says who', async (state, end, outcome) => {
    const summary = await recorded(async () => {
      endsWhen(state);
      const talk = await call();
      expect(await talk.ended).toMatchObject(end);
    });
    expect(summary).toMatchObject({ outcome, hangupBy: 'platform' });
    const { timeline } = await getCall(database.db, summary.id);
    expect(timeline).toContainEqual({ type: 'hang-up', atMs: expect.any(Number), by: 'user:1' });
    expect(timeline.at(-1)).toMatchObject({ type: 'ended', by: 'platform', detail: 'hung-up-by-operator' });
    await expect.poll(openAttempts, { timeout: 3000, interval: 20 }).toBe(0);
  });
});

describe('the door for calls', () => {
  it('does not exist for strangers', async () => {
    const before = inbound.side.counts.strangers;
    const talk = await stranger.call({ port: inbound.port }, { from: KNOWN, to: OWN_NUMBER });
    await expect.poll(() => inbound.side.counts.strangers, { interval: 20 }).toBeGreaterThan(before);
    talk.sip.hangup();
    expect(talk.progress).toEqual([]);
    expect(inbound.side.live).toBe(0);
  });

  it('leads nowhere but to our numbers', async () => {
    const talk = await call({ to: '+862155559999' });
    expect(await talk.ended).toMatchObject({ status: 404 });
    const spelled = await call({ from: KNOWN, to: '02155550000' });
    await spelled.answered;
    spelled.sip.hangup();
    await spelled.ended;
  });

  it('says 488 without a codec in common, and leaves no attempt', async () => {
    const before = await attempts();
    const talk = await call({ codecs: ['PCMU'] });
    expect(await talk.ended).toMatchObject({ status: 488 });
    expect(await attempts()).toBe(before);
  });

  it('says 503 with a time to come back while the node takes no calls', async () => {
    inbound.admission = { accepts: false, reason: 'frames-late', retryAfterSeconds: 5 };
    const talk = await call();
    expect(await talk.ended).toMatchObject({ status: 503 });
    expect(inbound.side.counts.refused).toMatchObject({ 'frames-late': 1 });
  });

  it('takes a channel of its trunk for every call, and is busy when there is none', async () => {
    const talks = [await call(), await call(), await call()];
    await Promise.all(talks.map(({ answered }) => answered));
    const more = await call();
    expect(await more.ended).toMatchObject({ status: 486 });
    for (const talk of talks) talk.sip.hangup();
    await expect.poll(openAttempts, { timeout: 5000, interval: 20 }).toBe(0);
  });
});
