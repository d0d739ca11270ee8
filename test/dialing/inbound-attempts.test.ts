import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { afterOutcome } from '#campaigns/redial.ts';
import { listLeads } from '#campaigns/view.ts';
import { dialsToday } from '#compliance/attempt-facts.ts';
import { openAttemptStore } from '#dialer/attempt-store.ts';
import { findCaller, openInboundAttempt } from '#dialer/inbound-attempt.ts';
import { freeSecondChannel, takeSecondChannel } from '#dialer/second-call.ts';
import type { Attempt } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { openBus } from '#platform/bus.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { EMPTY_SCRIPT, seedCampaign } from '../support/campaign.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { offeredLines } from '../support/dial-trunk.ts';

const PHONE = '+8613900000001' as PhoneNumber;
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('a call that came in counts as a channel and not as a dial, keeps its caller from being dialled, and is settled after a crash', async () => {
  const { db } = database;
  const now = new Date();
  const campaign = await seedCampaign(db, openBus(silentLog), {
    count: 3,
    now,
    firstNumber: 13_900_000_001,
    settings: { maxConcurrentCalls: 1 },
  });
  const caller = await findCaller(db, PHONE);
  expect(caller).toMatchObject({ name: '客户13900000001', timeZone: 'Asia/Shanghai', campaign: undefined });
  const attempt: Attempt = {
    id: newId<'attempt'>(now),
    direction: 'inbound',
    campaignId: campaign.id,
    leadId: undefined,
    contactId: caller!.contactId,
    number: 1,
    phone: PHONE,
    callerNumber: '+862100000000',
    timeZone: undefined,
    trunk: 'main',
    ringTimeoutMs: 0,
    script: EMPTY_SCRIPT,
    variables: {},
    createdAt: now,
  };
  const gone = newId<'node'>();
  expect(await openInboundAttempt(db, attempt, { nodeId: gone, channels: 1 })).toBe(true);
  const second = { ...attempt, id: newId<'attempt'>(now) };
  expect(await openInboundAttempt(db, second, { nodeId: gone, channels: 1 })).toBe(false);
  expect(await dialsToday(db, PHONE, 'Asia/Shanghai', now)).toBe(0);

  const store = openAttemptStore({
    db,
    log: silentLog,
    nodeId: newId<'node'>(),
    afterOutcome,
    allow: () => Promise.resolve({ allow: true }),
    loadScript: () => Promise.resolve(EMPTY_SCRIPT),
  });
  const take = (channels: number, of = campaign) =>
    store.take(
      { ...of, scriptId: campaign.scriptId, scriptVersion: campaign.scriptVersion },
      {
        limit: 5,
        lines: [offeredLines(channels)],
        now: new Date(now.getTime() + 1000),
      },
    );
  // The one channel is taken by the caller.
  expect((await take(1)).attempts).toEqual([]);
  // The campaign's own limit of one is not, and of its leads the one who is calling us is not dialled.
  const taken = await take(2);
  expect(taken.attempts.map(({ phone }) => phone)).toEqual(['+8613900000002']);

  // Of three channels the two calls take two, whoever one of them is handed over to a third, and nobody a fourth.
  expect(await takeSecondChannel(db, attempt.id, 'main', 3)).toBe(true);
  expect(await takeSecondChannel(db, attempt.id, 'main', 3)).toBe(false);
  expect(await openInboundAttempt(db, { ...second, id: newId<'attempt'>(now) }, { nodeId: gone, channels: 3 })).toBe(
    false,
  );
  const unlimited = { ...campaign, settings: { ...campaign.settings, maxConcurrentCalls: 9 } };
  await sql`UPDATE attempts SET state = 'ended' WHERE id = ${attempt.id}::uuid`.execute(db);
  expect(await takeSecondChannel(db, attempt.id, 'main', 3)).toBe(false);
  await sql`UPDATE attempts SET state = 'open' WHERE id = ${attempt.id}::uuid`.execute(db);
  expect((await take(3, unlimited)).attempts).toEqual([]);
  await freeSecondChannel(db, attempt.id, 'main');
  await freeSecondChannel(db, attempt.id, 'main');
  expect((await take(3, unlimited)).attempts).toHaveLength(1);

  await store.lease([campaign.id], now, new Date(now.getTime() + 60_000));
  await store.hold(campaign.id, 'platform-busy');
  await sql`UPDATE leads SET state = 'pending' WHERE state = 'dialing'`.execute(db);
  const leads = await listLeads(db, { campaignId: campaign.id }, new Date(now.getTime() + 1000));
  expect(leads.items.map(({ reason }) => reason)).toEqual(['platform-busy', 'platform-busy', 'platform-busy']);

  const orphans = await store.orphans({ all: true }, [], now);
  expect(orphans.map(({ id }) => id)).toContain(attempt.id);
});
