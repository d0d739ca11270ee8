import { expect, it } from 'vitest';
import type { Attempt } from '#domain/call.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { openSingleAttempt } from '#dialer/single-attempt.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { dialTrunk } from '../../../test/support/dial-trunk.ts';
import { CountingClock } from '../../../test/support/sip-network.ts';
import { secondCalls } from './second-calls.ts';

it('a second call waits for its turn on the trunk, gives up where that is far away, and goes out uncounted where nobody can count', async () => {
  const database = await testDatabase();
  const clock = new CountingClock();
  const trunk = dialTrunk({ name: 'main', channels: 2, callsPerSecond: 1 });
  let slotMs: number | undefined;
  const open = (db: Db) => secondCalls({ db, clock, log: silentLog, trunks: [trunk], takeSlot: () => slotMs });
  const now = new Date();
  const attempt = {
    id: newId<'attempt'>(now),
    number: 1,
    phone: '+8613900000001',
    callerNumber: '+862100000000',
    trunk: 'main',
    createdAt: now,
  } as unknown as Attempt;
  try {
    await openSingleAttempt(database.db, attempt, newId<'node'>(now));
    const take = open(database.db);
    const inUse = async (): Promise<unknown> =>
      (await database.pool.query('SELECT second_calls FROM attempts')).rows[0]?.second_calls;
    // Too far away: nothing stays taken.
    expect(await take(attempt)).toBeUndefined();
    await expect.poll(inUse).toBe(0);
    slotMs = 700;
    let free: (() => void) | undefined;
    const waiting = take(attempt).then((result) => (free = result));
    await expect.poll(() => clock.running).toBe(1);
    expect(free).toBeUndefined();
    clock.advance(700);
    await waiting;
    expect(await inUse()).toBe(1);
    slotMs = 0;
    expect(await take(attempt)).toBeUndefined();
    free?.();
    await expect.poll(inUse).toBe(0);
    expect(await take(attempt)).toBeDefined();
  } finally {
    await database.close();
  }
  const uncounted = await open(database.db)(attempt);
  expect(uncounted).toBeDefined();
  uncounted?.();
});
