import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Attempt } from '#domain/call.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { dialTrunk } from '../../test/support/dial-trunk.ts';
import { CountingClock } from '../../test/support/sip-network.ts';
import { Lines } from './lines.ts';
import type { DialTrunk } from './lines.ts';
import { takeSecondLine } from './second-line.ts';
import { openSingleAttempt } from './single-attempt.ts';

const MOBILE = '+8613900000002';
let database: TestDatabase;
let clock: CountingClock;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  clock = new CountingClock();
  await sql`DELETE FROM attempts`.execute(database.db);
});

/** A call that goes on over `main`. */
async function call(trunk = 'main'): Promise<Attempt> {
  const createdAt = new Date();
  const attempt = {
    id: newId<'attempt'>(createdAt),
    number: 1,
    phone: '+8613900000001',
    callerNumber: '+862100000000',
    trunk,
    createdAt,
  } as unknown as Attempt;
  await openSingleAttempt(database.db, attempt, { nodeId: newId<'node'>(), channels: 100 });
  return attempt;
}

const line = (name: string, more: Partial<DialTrunk> = {}): Lines =>
  new Lines(dialTrunk({ name, channels: 3, callsPerSecond: 1000, ...more }));
function take(lines: readonly Lines[], attempt: Attempt, called = MOBILE, db: Db = database.db) {
  // The next slot of a trunk without a bound worth the name.
  clock.advance(1);
  return takeSecondLine({ db, clock, log: silentLog, random: () => 0.5 }, lines, attempt, called);
}
async function inUse(id: string): Promise<unknown> {
  const { rows } = await sql<{ second_trunks: string[] }>`
    SELECT second_trunks FROM attempts WHERE id = ${id}::uuid`.execute(database.db);
  return rows[0]?.second_trunks;
}

test('a second call takes a channel of its own trunk and shows what the trunk’s rule says, and gives the channel back', async () => {
  const attempt = await call();
  const lines = [line('main', { callerNumber: (phone, wanted) => `${phone} for ${wanted}` }), line('other')];
  const [one, two] = [await take(lines, attempt), await take(lines, attempt)];
  expect(one).toMatchObject({ trunk: 'main', callerNumber: '+8613900000002 for +862100000000' });
  // Three channels: the call and two beside it.
  expect(await take(lines, attempt)).toBe('no-channel');
  expect(await inUse(attempt.id)).toEqual(['main', 'main']);
  if (typeof one === 'string' || typeof two === 'string') throw new Error('no line');
  one.free();
  await expect.poll(() => inUse(attempt.id)).toEqual(['main']);
  two.free();
  await expect.poll(() => inUse(attempt.id)).toEqual([]);
});

test.each([
  ['does not take the number', { takes: /^\+86(?!139)/u }],
  ['is held', { hold: () => ({ zh: '', en: '' }) }],
  ['is full', { freeChannels: () => 1 }],
])('where its own trunk %s, another one of the group does it, whose channel is then in use', async (_, own) => {
  const attempt = await call();
  const lines = [
    line('elsewhere'),
    line('second', { group: 'g', priority: 2 }),
    line('first', { group: 'g', priority: 1, takes: /^\+86/u }),
    line('refuses', { group: 'g', takes: /^\+1/u }),
    line('main', { group: 'g', ...own }),
  ];
  const found = await take(lines, attempt);
  expect(found).toMatchObject({ trunk: 'first' });
  expect(await inUse(attempt.id)).toEqual(['first']);
  // A dial over that trunk sees it too: of its three channels two are left.
  const others = [await call('first'), await call('first')];
  expect(await take(lines, others[0]!)).toMatchObject({ trunk: 'second' });
  if (typeof found !== 'string') found.free();
  await expect.poll(() => inUse(attempt.id)).toEqual([]);
});

test('a trunk that rests comes last, but comes', async () => {
  const attempt = await call();
  const main = line('main', { group: 'g' });
  for (let i = 0; i < 60; i++) main.note('trunk-unreachable', clock.monotonicMs());
  expect(main.restsUntilMs(clock.monotonicMs())).toBeDefined();
  expect(await take([main, line('other', { group: 'g' })], attempt)).toMatchObject({ trunk: 'other' });
  expect(await take([main], attempt)).toMatchObject({ trunk: 'main' });
});

test('no trunk of the group takes the number: that has a name of its own', async () => {
  const attempt = await call();
  const lines = [line('main', { group: 'g', takes: /^\+1/u }), line('other', { group: 'g', takes: /^\+44/u })];
  expect(await take([...lines, line('elsewhere')], attempt)).toBe('no-trunk');
  expect(await inUse(attempt.id)).toEqual([]);
  // An extension is the own trunk's, whatever numbers that takes.
  expect(await take(lines, attempt, '8001')).toMatchObject({ trunk: 'main' });
});

test('a second call waits for its turn, goes where a turn comes sooner, and gives up where none is near', async () => {
  const attempt = await call();
  const lines = [line('main', { callsPerSecond: 1, group: 'g', channels: 9 })];
  expect(await take(lines, attempt)).toMatchObject({ trunk: 'main' });
  let found: unknown;
  const waiting = take(lines, attempt).then((result) => (found = result));
  await expect.poll(() => clock.running).toBe(1);
  clock.advance(998);
  expect(found).toBeUndefined();
  clock.advance(1);
  await waiting;
  expect(found).toMatchObject({ trunk: 'main' });
  lines[0]!.pace.take(clock.monotonicMs() + 2001);
  expect(await take(lines, attempt)).toBe('no-channel');
  expect(await take([...lines, line('other', { group: 'g' })], attempt)).toMatchObject({ trunk: 'other' });
});

test('a call that is over gets none, and one that nobody can count goes out uncounted', async () => {
  const attempt = await call();
  const lines = [line('main')];
  await sql`UPDATE attempts SET state = 'ended' WHERE id = ${attempt.id}::uuid`.execute(database.db);
  expect(await take(lines, attempt)).toBe('no-channel');
  const closed = await testDatabase();
  await closed.close();
  const uncounted = await take(lines, attempt, MOBILE, closed.db);
  expect(uncounted).toMatchObject({ trunk: 'main' });
  if (typeof uncounted !== 'string') uncounted.free();
});
