import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { Waker } from './waker.ts';

async function pass(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await setImmediate();
}

it('never looks twice at once, however long a look takes, and then looks again at once', async () => {
  const clock = new ManualClock();
  let looking = 0;
  let most = 0;
  let looks = 0;
  let end: () => void = () => undefined;
  const waker = new Waker(
    clock,
    async () => {
      waker.at(clock.monotonicMs() + 100);
      looks += 1;
      looking += 1;
      most = Math.max(most, looking);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      looking -= 1;
    },
    () => undefined,
  );
  waker.at(0);
  await pass(clock, 0);
  await pass(clock, 5000);
  expect([looks, most]).toEqual([1, 1]);
  end();
  await setImmediate();
  await pass(clock, 0);
  expect([looks, most]).toEqual([2, 1]);
  end();
  await waker.stop();
});

it('takes the earliest of the moments asked for', async () => {
  const clock = new ManualClock();
  const looksAt: number[] = [];
  const waker = new Waker(
    clock,
    () => Promise.resolve(void looksAt.push(clock.monotonicMs())),
    () => undefined,
  );
  for (const atMs of [500, 100, 300]) waker.at(atMs);
  for (let n = 0; n < 10; n += 1) await pass(clock, 100);
  expect(looksAt).toEqual([100]);
  await waker.stop();
});

it('looks again a second after a look that failed, and never after it was stopped', async () => {
  const clock = new ManualClock();
  const faults: unknown[] = [];
  let looks = 0;
  const waker = new Waker(
    clock,
    () => {
      looks += 1;
      return Promise.reject(new Error('away'));
    },
    (error) => void faults.push(error),
  );
  waker.at(0);
  await pass(clock, 0);
  await pass(clock, 999);
  expect(looks).toBe(1);
  await pass(clock, 1);
  expect([looks, faults.length]).toEqual([2, 2]);
  await waker.stop();
  await pass(clock, 10_000);
  waker.at(0);
  await pass(clock, 10_000);
  expect(looks).toBe(2);
});
