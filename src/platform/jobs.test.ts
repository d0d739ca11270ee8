import { once, EventEmitter } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { openJobs, type Jobs } from './jobs.ts';
import { silentLog } from './log.ts';

let database: TestDatabase;
let jobs: Jobs;
beforeAll(async () => {
  database = await testDatabase();
  jobs = await openJobs(database.url, silentLog);
});
afterAll(async () => {
  await jobs.close();
  await database.close();
});

test('a job is picked up by notification, not by the poll two seconds later', async () => {
  const done = new EventEmitter();
  await jobs.define<{ n: number }>('pick-up', async (data) => void done.emit('done', data.n));
  const first = once(done, 'done');
  await jobs.send('pick-up', { n: 1 });
  expect((await first)[0]).toBe(1);
  const second = once(done, 'done');
  const sentMs = performance.now();
  await jobs.send('pick-up', { n: 2 });
  await second;
  expect(performance.now() - sentMs).toBeLessThan(1500);
});

test('a backlog drains without waiting for polls, at most as many at once as allowed', async () => {
  const progress = new EventEmitter();
  const seen = new Set<number>();
  let running = 0;
  let most = 0;
  const drained = once(progress, 'drained');
  await jobs.define<{ n: number }>(
    'backlog',
    async ({ n }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (seen.add(n).size === 60) progress.emit('drained');
    },
    { concurrency: 3 },
  );
  for (let n = 0; n < 60; n++) await jobs.send('backlog', { n });
  await drained;
  expect(most).toBeLessThanOrEqual(3);
});

test('one job of a batch that fails is tried again by itself', async () => {
  const finished = new EventEmitter();
  const tries: string[] = [];
  await jobs.define<{ who: string }>(
    'fragile',
    async ({ who }) => {
      tries.push(who);
      if (who === 'bad' && tries.filter((one) => one === 'bad').length === 1) throw new Error('first try');
      if (who === 'bad') finished.emit('again');
    },
    { concurrency: 2, retries: 1, retryDelaySeconds: 0 },
  );
  const again = once(finished, 'again');
  await jobs.send('fragile', { who: 'good' });
  await jobs.send('fragile', { who: 'bad' });
  await again;
  expect(tries.filter((one) => one === 'good')).toHaveLength(1);
});

test('a job with a key waits once', async () => {
  await jobs.define('keyed', async () => undefined);
  const startAfter = new Date(Date.now() + 3_600_000);
  expect(await jobs.send('keyed', {}, { key: 'a', startAfter })).toBeTypeOf('string');
  expect(await jobs.send('keyed', {}, { key: 'a', startAfter })).toBeUndefined();
  expect(await jobs.send('keyed', {}, { key: 'b', startAfter })).toBeTypeOf('string');
  expect(await jobs.send('keyed', {})).toBeTypeOf('string');
  expect(await jobs.send('keyed', {})).toBeTypeOf('string');
});
