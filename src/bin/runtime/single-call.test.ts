import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { ScriptId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { Pace } from '#dialer/pace.ts';
import { publish, saveDraft } from '#dialog/store.ts';
import { sampleScript, REMINDER_VARIABLES } from '../../../test/support/call-center.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { TestDatabase } from '../../../test/support/database.ts';
import { dialTrunk } from '../../../test/support/dial-trunk.ts';
import { CountingClock } from '../../../test/support/sip-network.ts';
import { openSingleCalls } from './single-call.ts';
import { linesFor } from './trunk-lines.ts';

let database: TestDatabase;
let scriptId: ScriptId;
let clock: CountingClock;
/** Calls that were placed, and whether they were taken back before. */
let placed: { readonly attempt: Attempt; readonly aborted: boolean; readonly end: () => void }[];

beforeAll(async () => {
  database = await testDatabase();
  scriptId = await saveDraft(database.db, sampleScript('credit-card-reminder'), new Date());
  await publish(database.db, scriptId, new Date());
});
afterAll(() => database.close());
beforeEach(async () => {
  clock = new CountingClock();
  placed = [];
  await sql`DELETE FROM attempts`.execute(database.db);
});

function open(callsPerSecond: number, channels: number) {
  const paces = new Map(['a', 'b'].map((name) => [name, new Pace(callsPerSecond)]));
  const trunk = (name: string, priority: number) =>
    dialTrunk({
      name,
      channels,
      callsPerSecond,
      group: 'g',
      priority,
      callerNumber: (_, wanted) => `${wanted}@${name}`,
    });
  const dials = [trunk('a', 0), trunk('b', 1)];
  return openSingleCalls({
    db: database.db,
    clock,
    log: silentLog,
    nodeId: newId<'node'>(),
    admits: () => true,
    linesFor: (named, phone) => linesFor(dials, named, phone),
    takeSlot: (name, withinMs) => paces.get(name)?.takeWithin(clock.monotonicMs(), withinMs),
    placeCall: (attempt, signal) =>
      new Promise<CallOutcome>((resolve) => {
        const end = () => resolve({ code: 'answered' } as CallOutcome);
        placed.push({ attempt, aborted: signal.aborted, end });
        if (signal.aborted) end();
      }),
  });
}

const call = (trunk: string) => ({
  phone: '+8613900000001' as PhoneNumber,
  callerNumber: '100',
  timeZone: undefined,
  scriptId,
  variables: REMINDER_VARIABLES,
  trunk,
});

test('single calls leave at the rate of their trunk', async () => {
  const single = open(1, 9);
  await single.place(call('a'));
  await expect.poll(() => placed.length).toBe(1);
  await single.place(call('a'));
  await expect.poll(() => clock.running).toBe(1);
  clock.advance(999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(placed).toHaveLength(1);
  clock.advance(1);
  await expect.poll(() => placed.length).toBe(2);
  expect(placed.map(({ attempt }) => attempt.callerNumber)).toEqual(['100', '100']);
  // Five more fill the next five seconds; nobody waits longer.
  for (let i = 0; i < 5; i++) await single.place(call('a'));
  await expect(single.place(call('a'))).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  // One that waits for its turn is taken back without having been placed in time.
  const closed = single.close();
  await expect.poll(() => placed.length).toBe(7);
  expect(placed.slice(2).every(({ aborted }) => aborted)).toBe(true);
  for (const { end } of placed) end();
  await closed;
  expect(clock.running).toBe(0);
});

test('single calls take no more channels than their trunk has, and of a group the next trunk', async () => {
  const single = open(1000, 1);
  for (const expected of ['a', 'b']) {
    await single.place(call('g'));
    await expect.poll(() => placed.at(-1)?.attempt).toMatchObject({ trunk: expected, callerNumber: `100@${expected}` });
  }
  await expect(single.place(call('g'))).rejects.toMatchObject({ code: 'unavailable' });
  expect(placed).toHaveLength(2);
  placed[0]!.end();
  await expect.poll(() => single.live).toBe(1);
  clock.advance(10);
  await single.place(call('a'));
  await expect.poll(() => placed.length).toBe(3);
  await expect(single.place(call('nowhere'))).rejects.toMatchObject({ code: 'invalid-input' });
  for (const { end } of placed) end();
  await single.close();
});
