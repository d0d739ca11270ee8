import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { afterOutcome } from '#campaigns/redial.ts';
import { openAttemptStore } from '#dialer/attempt-store.ts';
import type { DialDecision, DialFacts } from '#dialer/dial-store.ts';
import { Dialer } from '#dialer/dialer.ts';
import type { DialTrunk } from '#dialer/lines.ts';
import { openSingleAttempt } from '#dialer/single-attempt.ts';
import type { Attempt, CallOutcome, FailedTrunk } from '#domain/call.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import { openBus } from '#platform/bus.ts';
import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { EMPTY_SCRIPT, seedCampaign } from '../support/campaign.ts';
import { testDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { dialTrunk } from '../support/dial-trunk.ts';

let database: TestDatabase;
let firstNumber = 15_000_000_000;
const dialers: Dialer[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterEach(async () => {
  for (const dialer of dialers.splice(0)) await dialer.close();
  await sql`UPDATE campaigns SET state = 'cancelled'`.execute(database.db);
  await sql`UPDATE attempts SET state = 'ended'`.execute(database.db);
  await sql`UPDATE leads SET state = 'done'`.execute(database.db);
});
afterAll(() => database.close());

const failed = (trunk: string, outcome: FailedTrunk['outcome'] = 'congestion'): FailedTrunk => ({
  trunk,
  server: `udp:${trunk}`,
  status: 503,
  outcome,
  detail: 'SIP 503',
});
const trunk = (name: string, more: Partial<DialTrunk> = {}): DialTrunk =>
  dialTrunk({ name, group: 'g', channels: 10, callsPerSecond: 1000, callerNumber: () => `caller of ${name}`, ...more });

/** A dialer with one lead of a campaign over the group, and what becomes of the dial as `place` says. */
async function dialled(
  trunks: readonly DialTrunk[],
  place: (attempt: Attempt, dialer: Dialer) => Promise<OutcomeCode>,
  o: { leads?: number; allow?: (facts: DialFacts, now: Date) => DialDecision } = {},
) {
  firstNumber += 1000;
  const bus = openBus(silentLog);
  const campaign = await seedCampaign(database.db, bus, {
    count: o.leads ?? 1,
    now: new Date(),
    firstNumber,
    settings: { maxCallsPerSecond: 1000, maxConcurrentCalls: 30, trunk: 'g', redial: [], maxAttempts: 1, dailyCap: 1 },
  });
  const store = openAttemptStore({
    db: database.db,
    log: silentLog,
    nodeId: newId<'node'>(),
    afterOutcome,
    allow: (facts, now) => Promise.resolve(o.allow?.(facts, now) ?? { allow: true }),
    loadScript: () => Promise.resolve(EMPTY_SCRIPT),
  });
  const settled = Promise.withResolvers<void>();
  let left = o.leads ?? 1;
  const dialer: Dialer = new Dialer({
    store: {
      ...store,
      settle: async (...settle) => {
        const done = await store.settle(...settle);
        if (--left === 0) settled.resolve();
        return done;
      },
    },
    clock: systemClock,
    log: silentLog,
    bus,
    trunks,
    random: () => 0.5,
    placeCall: async (attempt) => outcomeOf(attempt, await place(attempt, dialer)),
    findOutcomes: () => Promise.resolve(new Map()),
  });
  dialers.push(dialer);
  await dialer.start({ exclusive: false });
  await settled.promise;
  const rows = await sql<{ trunk: string; caller_number: string; outcome: string; tried: object[] }>`
    SELECT trunk, caller_number, outcome, tried FROM attempts WHERE campaign_id = ${campaign.id}::uuid ORDER BY id`.execute(
    database.db,
  );
  return { dialer, campaign, rows: rows.rows };
}

function outcomeOf(attempt: Attempt, code: OutcomeCode): CallOutcome {
  const parts = { evidence: [], confidence: 1, grade: 'F', gradeReason: '', tags: [], slots: {} } as const;
  return { attemptId: attempt.id, code, ...parts, optedOut: false, callBackAt: undefined, endedAt: new Date() };
}

describe('a dial that goes on over another trunk', () => {
  it('is the same attempt, which says who was tried and with which caller number', async () => {
    const seen: (Attempt | undefined)[] = [];
    const { rows } = await dialled(
      [trunk('a'), trunk('b', { priority: 1 }), trunk('c', { priority: 2 }), trunk('other', { group: 'h' })],
      async (attempt, dialer) => {
        seen.push(attempt, await dialer.failOver(attempt, [failed('a')]));
        seen.push(await dialer.failOver(seen[1]!, [failed('a'), failed('b', 'trunk-unreachable')]));
        seen.push(await dialer.failOver(seen[2]!, [failed('a'), failed('b'), failed('c')]));
        return 'answered';
      },
    );
    expect(seen.map((one) => one?.trunk)).toEqual(['a', 'b', 'c', undefined]);
    // The last one knows that nobody stands behind it.
    expect(seen.map((one) => one?.standIns?.group)).toEqual(['g', 'g', undefined, undefined]);
    expect(new Set(seen.flatMap((one) => one?.id ?? [])).size).toBe(1);
    expect(rows).toMatchObject([
      {
        trunk: 'c',
        caller_number: 'caller of c',
        outcome: 'answered',
        tried: [
          { trunk: 'a', server: 'udp:a', status: 503, outcome: 'congestion', callerNumber: 'caller of a' },
          { trunk: 'b', outcome: 'trunk-unreachable', callerNumber: 'caller of b' },
        ],
      },
    ]);
  });

  it.each([
    ['takes other numbers', { takes: /^\+1/u }],
    ['is held', { hold: () => ({ zh: '', en: 'held' }) }],
    ['has no free channel', { freeChannels: () => 0 }],
    ['has its next slot in three seconds', { callsPerSecond: 1 / 3 }],
  ])('passes over a trunk that %s', async (name, more) => {
    let used = false;
    const { rows } = await dialled(
      [trunk('a'), trunk('b', { priority: 1, ...more }), trunk('c', { priority: 2 })],
      async (attempt, dialer) => {
        if (name.includes('slot') && !used) dialer.takeSlot('b', 0);
        used = true;
        return (await dialer.failOver(attempt, [failed('a')]))?.trunk === 'c' ? 'answered' : 'lost';
      },
    );
    expect(rows).toMatchObject([{ trunk: 'c', outcome: 'answered' }]);
  });

  it('takes a channel of the next trunk and gives that of the first back, at the moment it moves', async () => {
    const both = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const moved: (string | undefined)[] = [];
    let begun = 0;
    const { rows } = await dialled(
      [trunk('a', { channels: 2 }), trunk('b', { channels: 1, priority: 1 })],
      async (attempt, dialer) => {
        if (++begun === 2) both.resolve();
        await both.promise;
        moved.push((await dialer.failOver(attempt, [failed('a')]))?.trunk);
        if (moved.length === 2) ended.resolve();
        await ended.promise;
        return 'busy';
      },
      { leads: 2 },
    );
    expect(new Set(moved)).toEqual(new Set(['b', undefined]));
    expect(rows.map((row) => row.trunk).toSorted((a, b) => a.localeCompare(b))).toEqual(['a', 'b']);
  });

  it('does not go on once the number was suppressed, the window closed, or the campaign paused', async () => {
    let closed = false;
    const denied: DialDecision = {
      allow: false,
      hold: 'outside-window',
      outcome: 'outside-hours',
      rule: 'R',
      version: '1',
      retryAt: undefined,
    };
    let cap = 0;
    const late = await dialled(
      [trunk('a'), trunk('b')],
      async (attempt, dialer) => {
        closed = true;
        return (await dialer.failOver(attempt, [failed(attempt.trunk)])) === undefined ? 'congestion' : 'answered';
      },
      {
        allow: ({ settings }) => {
          cap = settings.dailyCap;
          return closed ? denied : { allow: true };
        },
      },
    );
    expect(late.rows).toMatchObject([{ outcome: 'congestion', tried: [] }]);
    // The dial that is going on must not be what forbids it.
    expect(cap).toBe(2);
    const paused = await dialled([trunk('a'), trunk('b')], async (attempt, dialer) => {
      await sql`UPDATE campaigns SET state = 'paused' WHERE id = ${attempt.campaignId!}::uuid`.execute(database.db);
      return (await dialer.failOver(attempt, [failed(attempt.trunk)])) === undefined ? 'congestion' : 'answered';
    });
    expect(paused.rows).toMatchObject([{ outcome: 'congestion', tried: [] }]);
  });

  it('counts a failure against the trunk that failed, and the end against the one that took the dial', async () => {
    const { dialer, rows } = await dialled(
      [trunk('a'), trunk('b', { priority: 1 })],
      async (attempt, dialer) => {
        if (attempt.trunk === 'b') return 'answered';
        return (await dialer.failOver(attempt, [failed('a')])) === undefined ? 'lost' : 'answered';
      },
      { leads: 12 },
    );
    expect(rows.map(({ trunk, outcome }) => `${trunk} ${outcome}`)).toEqual(
      Array.from({ length: 12 }, () => 'b answered'),
    );
    // Five failures rest a trunk; b has none.
    const moved = await dialer.failOver({ ...(await single('b')), standIns: { group: 'g', callerNumber: '1' } }, [
      failed('b'),
    ]);
    expect(moved).toBeUndefined();
    const back = await dialer.failOver({ ...(await single('a')), standIns: { group: 'g', callerNumber: '1' } }, [
      failed('a'),
    ]);
    expect(back?.trunk).toBe('b');
  });

  it('stays on its trunk where the campaign or the call names that alone', async () => {
    const { dialer } = await dialled([trunk('a'), trunk('b')], () => Promise.resolve('answered'));
    expect(await dialer.failOver(await single('a'), [failed('a')])).toBeUndefined();
  });
});

/** A call that a person asked for, which is open on a trunk. */
async function single(name: string): Promise<Attempt> {
  const attempt: Attempt = {
    id: newId<'attempt'>(),
    campaignId: undefined,
    leadId: undefined,
    contactId: undefined,
    number: 1,
    phone: '+8613900000000' as Attempt['phone'],
    callerNumber: '+862100000000',
    timeZone: 'Asia/Shanghai',
    trunk: name,
    ringTimeoutMs: 1000,
    script: EMPTY_SCRIPT,
    variables: {},
    createdAt: new Date(),
  };
  await openSingleAttempt(database.db, attempt, { nodeId: newId<'node'>(), channels: 100 });
  return attempt;
}
