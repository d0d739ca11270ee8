import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { afterOutcome } from '#campaigns/redial.ts';
import { addLeadsFromImport, changeState, getCampaign } from '#campaigns/store.ts';
import { countCampaign } from '#campaigns/view.ts';
import { openAttemptStore } from '#dialer/attempt-store.ts';
import type { DialDecision, DialFacts } from '#dialer/dial-store.ts';
import { Dialer } from '#dialer/dialer.ts';
import { closeSingleAttempt, openSingleAttempt } from '#dialer/single-attempt.ts';
import type { Attempt, CallOutcome, FinishedCall } from '#domain/call.ts';
import type { Campaign, CampaignSettings } from '#domain/campaign.ts';
import type { AttemptId } from '#domain/ids.ts';
import { findOutcomes, recordCall } from '#outcomes/store.ts';
import { decideOutcome } from '#outcomes/decide.ts';
import { openBus } from '#platform/bus.ts';
import type { Bus } from '#platform/bus.ts';
import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { EMPTY_SCRIPT, seedCampaign, seedImport } from '../support/campaign.ts';
import { testDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { dialTrunk, offeredLines } from '../support/dial-trunk.ts';

const TRUNK = dialTrunk({ name: 'main', channels: 100, callsPerSecond: 1000 });
const dialers: Dialer[] = [];
let database: TestDatabase;
let nextNumber = 13_000_000_000;

beforeAll(async () => {
  database = await testDatabase();
});
afterEach(async () => {
  for (const dialer of dialers.splice(0)) await dialer.close();
  await sql`UPDATE campaigns SET state = 'cancelled'`.execute(database.db);
  await sql`UPDATE attempts SET state = 'ended'`.execute(database.db);
  await sql`UPDATE leads SET state = 'done'`.execute(database.db);
});
afterAll(async () => {
  await database.close();
});

/** A running campaign with numbers that no other test uses. */
async function campaignOf(bus: Bus, count: number, settings: Partial<CampaignSettings> = {}): Promise<Campaign> {
  nextNumber += 100_000;
  return await seedCampaign(database.db, bus, {
    count,
    now: new Date(),
    firstNumber: nextNumber,
    settings: { maxCallsPerSecond: 1000, maxConcurrentCalls: 30, ...settings },
  });
}

function node(
  bus: Bus,
  placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>,
  o: { allow?: (facts: DialFacts, now: Date) => DialDecision } = {},
) {
  const nodeId = newId<'node'>();
  const store = openAttemptStore({
    db: database.db,
    log: silentLog,
    nodeId,
    afterOutcome,
    allow: (facts, now) => Promise.resolve(o.allow?.(facts, now) ?? { allow: true }),
    loadScript: () => Promise.resolve(EMPTY_SCRIPT),
  });
  const dialer = new Dialer({
    store,
    clock: systemClock,
    log: silentLog,
    bus,
    trunks: [TRUNK],
    placeCall,
    findOutcomes: (ids) => findOutcomes(database.db, ids),
  });
  dialers.push(dialer);
  return { nodeId, store, dialer };
}

function finishedCall(attempt: Attempt, outcome: FinishedCall['outcome'] = 'answered'): FinishedCall {
  const at = new Date();
  return {
    attemptId: attempt.id,
    dialedAt: at,
    endedAt: at,
    ringMs: 100,
    answeredMs: outcome === 'answered' ? 200 : undefined,
    talkMs: 0,
    hangupBy: 'callee',
    sipStatus: 200,
    sipReason: undefined,
    outcome,
    evidence: [],
    dialog: undefined,
    timeline: [],
    turns: [],
    recording: undefined,
    media: undefined,
  };
}

const answer = (attempt: Attempt): Promise<CallOutcome> => Promise.resolve(decideOutcome(finishedCall(attempt)));

/** Resolves when the campaign has reached a state. */
async function reached(bus: Bus, id: Campaign['id'], state: Campaign['state']): Promise<void> {
  for (;;) {
    const heard = new Promise<void>((resolve) => {
      const stop = bus.subscribe('campaign-changed', (event) => {
        if (event.campaignId !== id) return;
        stop();
        resolve();
      });
    });
    if ((await getCampaign(database.db, id)).state === state) return;
    await heard;
  }
}

async function attemptsOf(id: Campaign['id']) {
  const result = await sql<{ lead_id: string; number: number; state: string; outcome: string; node_id: string }>`
    SELECT lead_id, number, state, outcome, node_id FROM attempts WHERE campaign_id = ${id}::uuid ORDER BY id`.execute(
    database.db,
  );
  return result.rows;
}

describe('attempts on a database', () => {
  it('dials no lead twice when two dialers work on the same campaigns', async () => {
    const bus = openBus(silentLog);
    const campaigns = [await campaignOf(bus, 150), await campaignOf(bus, 150)];
    const dialled: string[] = [];
    const place = (attempt: Attempt): Promise<CallOutcome> => {
      dialled.push(attempt.leadId!);
      return answer(attempt);
    };
    const nodes = [node(bus, place), node(bus, place)];
    await Promise.all(nodes.map(({ dialer }) => dialer.start({ exclusive: false })));
    await Promise.all(campaigns.map((campaign) => reached(bus, campaign.id, 'finished')));
    await Promise.all(nodes.map(({ dialer }) => dialer.close()));
    expect(dialled.length).toBe(300);
    expect(new Set(dialled).size).toBe(300);
    for (const campaign of campaigns) {
      const counts = await countCampaign(database.db, campaign, new Date());
      expect(counts).toMatchObject({ leads: { done: 150 }, attempts: 150, outcomes: { answered: 150 } });
      expect(new Set((await attemptsOf(campaign.id)).map((row) => row.node_id)).size).toBe(1);
    }
    const left = await sql`SELECT 1 FROM campaign_leases UNION ALL SELECT 1 FROM nodes`.execute(database.db);
    expect(left.rows).toEqual([]);
  });

  it('gives out each lead once even when two takers pass the lease at the same moment', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 60, { maxConcurrentCalls: 50 });
    const stores = Array.from({ length: 4 }, () => node(bus, answer).store);
    const now = new Date();
    const taken = await Promise.all(
      stores.flatMap((store) =>
        [1, 2, 3].map(() => store.take(campaign, { limit: 10, lines: [offeredLines(45)], now })),
      ),
    );
    const leads = taken.flatMap(({ attempts }) => attempts.map((attempt) => attempt.leadId));
    // 45 channels of the trunk, fewer than the 50 lines of the campaign and the 60 leads.
    expect(leads.length).toBe(45);
    expect(new Set(leads).size).toBe(45);
    const open = await sql<{ leads: number }>`
      SELECT count(*)::int AS leads FROM leads WHERE campaign_id = ${campaign.id}::uuid AND state = 'dialing'`.execute(
      database.db,
    );
    expect(open.rows[0]?.leads).toBe(45);
  });

  it('settles what a killed process left: from the committed call where there is one, else as lost', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 2, { maxAttempts: 2, redial: [] });
    const dead = node(bus, answer);
    const { attempts } = await dead.store.take(campaign, { limit: 2, lines: [offeredLines(10)], now: new Date() });
    const [recorded, unheard] = attempts as [Attempt, Attempt];
    const finished = finishedCall(recorded);
    expect(await recordCall(database.db, recorded, finished, decideOutcome(finished))).toBe(true);
    await dead.store.lease([campaign.id], new Date(), new Date(Date.now() + 3_600_000));
    // The process is gone here: between the call's commit and its settlement.

    const redialled: Attempt[] = [];
    const heir = node(bus, (attempt) => {
      redialled.push(attempt);
      return answer(attempt);
    });
    expect(await heir.dialer.start({ exclusive: true })).toEqual({ recovered: 2 });
    expect(await heir.dialer.recoverOrphans({ all: true })).toBe(0);
    const rows = await attemptsOf(campaign.id);
    expect(new Map(rows.map((row) => [row.lead_id, `${row.state} ${row.outcome}`]))).toEqual(
      new Map([
        [recorded.leadId, 'ended answered'],
        [unheard.leadId, 'ended lost'],
      ]),
    );
    // The lost one is tried again by its rule: at once here, so that the test need not wait.
    await sql`UPDATE leads SET next_attempt_at = now() WHERE campaign_id = ${campaign.id}::uuid`.execute(database.db);
    bus.publish('campaign-changed', { campaignId: campaign.id });
    await reached(bus, campaign.id, 'finished');
    await heir.dialer.close();
    expect(redialled.map((attempt) => [attempt.leadId, attempt.number])).toEqual([[unheard.leadId, 2]]);
  });

  it('leaves alone the attempts of a node that was seen lately', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 1);
    const alive = node(bus, answer);
    await alive.store.beat(new Date());
    await alive.store.take(campaign, { limit: 1, lines: [offeredLines(10)], now: new Date() });
    const other = node(bus, answer);
    expect(await other.dialer.recoverOrphans({ olderThanMs: 30_000 })).toBe(0);
    await alive.store.beat(new Date(Date.now() - 60_000));
    expect(await other.dialer.recoverOrphans({ olderThanMs: 30_000 })).toBe(1);
  });

  it('lets a single call take a line of the trunk, and lets it be while its node lives', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 3);
    const { nodeId, store, dialer } = node(bus, answer);
    await store.beat(new Date());
    const first = await store.take(campaign, { limit: 1, lines: [offeredLines(1)], now: new Date() });
    const lead = first.attempts[0]!;
    await store.settle(lead, decideOutcome(finishedCall(lead)), new Date());
    const single = { ...lead, id: newId<'attempt'>(), campaignId: undefined, leadId: undefined };
    expect(await openSingleAttempt(database.db, single, { nodeId, channels: 1 })).toBe(true);
    const another = { ...single, id: newId<'attempt'>() };
    expect(await openSingleAttempt(database.db, another, { nodeId, channels: 1 })).toBe(false);
    expect((await store.take(campaign, { limit: 1, lines: [offeredLines(1)], now: new Date() })).attempts).toEqual([]);
    expect(await dialer.recoverOrphans({ olderThanMs: 30_000 })).toBe(0);
    expect(await dialer.recoverOrphans({ all: true })).toBe(0);
    await store.beat(new Date(Date.now() - 60_000));
    expect(await node(bus, answer).dialer.recoverOrphans({ olderThanMs: 30_000 })).toBe(1);
    expect(await closeSingleAttempt(database.db, single.id, 'answered', new Date())).toBe(false);
    expect((await store.take(campaign, { limit: 1, lines: [offeredLines(1)], now: new Date() })).attempts.length).toBe(
      1,
    );
  });

  it('settles an attempt once, however often it is asked', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 1);
    const { store } = node(bus, answer);
    const { attempts } = await store.take(campaign, { limit: 1, lines: [offeredLines(10)], now: new Date() });
    const attempt = attempts[0]!;
    const busy = decideOutcome(finishedCall(attempt, 'busy'));
    const now = new Date();
    const results = await Promise.all([1, 2, 3].map(() => store.settle(attempt, busy, now)));
    expect(results.filter(Boolean)).toEqual([true]);
    const lead = await sql<object>`
      SELECT state, reason, retries, attempt_count, last_outcome, next_attempt_at AS at FROM leads
      WHERE id = ${attempt.leadId}::uuid`.execute(database.db);
    expect(lead.rows).toEqual([
      {
        state: 'waiting',
        reason: 'retry-delay',
        retries: { busy: 1 },
        attempt_count: 1,
        last_outcome: 'busy',
        at: new Date(now.getTime() + 300_000),
      },
    ]);
  });

  it('hands a campaign to another node when the lease runs out, and not before', async () => {
    const bus = openBus(silentLog);
    const { id } = await campaignOf(bus, 1);
    const [first, second] = [node(bus, answer).store, node(bus, answer).store];
    const at = (s: number) => new Date(Date.UTC(2026, 0, 5, 2, 0, s));
    expect(await first.lease([id], at(0), at(15))).toEqual(new Set([id]));
    expect(await second.lease([id], at(14), at(29))).toEqual(new Set());
    expect(await first.lease([id], at(10), at(25))).toEqual(new Set([id]));
    expect(await second.lease([id], at(25), at(40))).toEqual(new Set([id]));
    expect(await first.lease([id], at(26), at(41))).toEqual(new Set());
    await second.leave();
    expect(await first.lease([id], at(27), at(42))).toEqual(new Set([id]));
    await first.leave();
  });

  it('writes a denial with its reason and retry time, makes no attempt of it, and looks at the next lead', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 30);
    const retryAt = new Date(Date.now() + 3_600_000);
    const { store } = node(bus, answer, {
      allow: ({ phone }) => {
        const last = Number(phone.slice(-2));
        if (last < 20) {
          return { allow: false, hold: 'outside-window', outcome: 'outside-hours', rule: 'R', version: '1', retryAt };
        }
        if (last < 25) {
          return {
            allow: false,
            hold: 'suppressed',
            outcome: 'suppressed',
            rule: 'R',
            version: '1',
            retryAt: undefined,
          };
        }
        return { allow: true };
      },
    });
    const taken = await store.take(campaign, { limit: 3, lines: [offeredLines(10)], now: new Date() });
    expect(taken.attempts.map((attempt) => attempt.phone.slice(-2))).toEqual(['25', '26', '27']);
    expect(taken.denied.length).toBe(25);
    const counts = await countCampaign(database.db, campaign, new Date());
    expect(counts).toMatchObject({
      leads: { pending: 2, dialing: 3, waiting: 20, done: 5 },
      reasons: { 'outside-window': 20, suppressed: 5 },
      outcomes: { suppressed: 5 },
      attempts: 3,
    });
    expect((await attemptsOf(campaign.id)).length).toBe(3);
    expect((await store.nextDueAt(campaign.id))!.getTime()).toBeLessThan(Date.now());
    const dueAt = new Date(Date.now() + 60_000);
    for (const attempt of taken.attempts) await store.withdraw(attempt, new Date(), dueAt);
    expect(await attemptsOf(campaign.id)).toEqual([]);
    const again = await store.take(campaign, { limit: 30, lines: [offeredLines(10)], now: new Date() });
    expect(again.attempts.map((attempt) => attempt.phone.slice(-2))).toEqual(['28', '29']);
    for (const attempt of again.attempts) await store.withdraw(attempt, new Date(), dueAt);
    expect((await countCampaign(database.db, campaign, new Date())).attempts).toBe(0);
  });

  it('does not call a person in two campaigns at the same time', async () => {
    const bus = openBus(silentLog);
    const first = await campaignOf(bus, 1);
    const second = await campaignOf(bus, 1);
    const shared = await seedImport(database.db, { count: 1, firstNumber: nextNumber - 100_000, now: new Date() });
    await addLeadsFromImport(database.db, bus, { campaignId: second.id, importId: shared, now: new Date() });
    const { store } = node(bus, answer);
    const now = new Date();
    const a = await store.take(first, { limit: 5, lines: [offeredLines(10)], now });
    const b = await store.take(second, { limit: 5, lines: [offeredLines(10)], now });
    expect([a.attempts.length, b.attempts.length]).toEqual([1, 1]);
    expect(b.attempts[0]!.phone).not.toBe(a.attempts[0]!.phone);
    await store.settle(a.attempts[0]!, decideOutcome(finishedCall(a.attempts[0]!)), now);
    const later = await store.take(second, { limit: 5, lines: [offeredLines(10)], now });
    expect(later.attempts.map((attempt) => attempt.phone)).toEqual([a.attempts[0]!.phone]);
  });

  it('ends a cancelled campaign: live calls are aborted and every lead is done', async () => {
    const bus = openBus(silentLog);
    const campaign = await campaignOf(bus, 40, { maxConcurrentCalls: 10 });
    let live: () => void = () => undefined;
    const allLive = new Promise<void>((resolve) => {
      live = resolve;
    });
    const aborted: AttemptId[] = [];
    let calls = 0;
    const { dialer } = node(bus, async (attempt, signal) => {
      calls += 1;
      if (calls === 10) live();
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      aborted.push(attempt.id);
      return decideOutcome(finishedCall(attempt, 'cancelled'));
    });
    await dialer.start({ exclusive: false });
    await allLive;
    await changeState(database.db, bus, { id: campaign.id, action: 'cancel', now: new Date() });
    await dialer.drain();
    expect(calls).toBe(10);
    const counts = await countCampaign(database.db, campaign, new Date());
    expect(counts.leads).toEqual({ pending: 0, dialing: 0, waiting: 0, done: 40 });
    expect(counts.reasons).toEqual({ cancelled: 40 });
    expect(aborted.length).toBe(10);
    await dialer.close();
  });

  it('spreads over the trunks that take a number, spares the one that failed, and does not count its failure', async () => {
    const bus = openBus(silentLog);
    const { store } = node(bus, () => Promise.reject(new Error('unused')));
    const campaign = await campaignOf(bus, 4, { trunk: 'east' });
    const now = new Date();
    const none = offeredLines(10, 'none', { takes: /^\+1/u });
    const lines = [none, offeredLines(1, 'a'), offeredLines(10, 'b', { callerNumber: () => '555' })];
    const first = await store.take(campaign, { limit: 2, lines, now });
    expect(first.attempts.map(({ trunk }) => trunk).toSorted()).toEqual(['a', 'b']);
    const onA = first.attempts.find(({ trunk }) => trunk === 'a')!;
    const onB = first.attempts.find(({ trunk }) => trunk === 'b')!;
    expect(onB.callerNumber).toBe('555');
    await store.settle(onA, decideOutcome({ ...finishedCall(onA, 'trunk-unreachable'), endedAt: now }), now);
    const lead = await sql<{ attempt_count: number; state: string; reason: string }>`
      SELECT attempt_count, state, reason FROM leads WHERE id = ${onA.leadId}::uuid`.execute(database.db);
    expect(lead.rows).toEqual([{ attempt_count: 0, state: 'waiting', reason: 'trunk-unavailable' }]);
    // 10 s later it is due again, on the trunk that did not fail though the other has room.
    const later = new Date(now.getTime() + 11_000);
    const again = await store.take(campaign, {
      limit: 1,
      lines: [offeredLines(5, 'a'), offeredLines(5, 'b')],
      now: later,
    });
    expect(again.attempts).toMatchObject([{ leadId: onA.leadId, trunk: 'b', number: 1 }]);
    // Where no trunk takes a number its lead waits and says so.
    const refused = await store.take(campaign, { limit: 1, lines: [none], now: later });
    expect(refused.attempts).toEqual([]);
    const waiting = await sql<{ reason: string }>`
      SELECT reason FROM leads WHERE id = ANY(${refused.denied}::uuid[])`.execute(database.db);
    expect(waiting.rows.length).toBeGreaterThan(0);
    expect(waiting.rows.every(({ reason }) => reason === 'trunk-unavailable')).toBe(true);
  });
});
