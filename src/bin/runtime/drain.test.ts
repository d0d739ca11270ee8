import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { waitForCalls } from './drain.ts';

/** A drain with `calls` live and what it told. */
function draining(calls: number, limitMs = 60_000) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const state = { calls };
  const told: number[] = [];
  const over = waitForCalls(clock, () => state.calls, {
    limitMs,
    stop: stop.signal,
    onLeft: (left) => told.push(left),
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await setImmediate();
    }
  };
  return { stop, state, told, over, pass };
}

test('ends at once where no call goes on', async () => {
  expect(await draining(0).over).toBe('done');
});

test('waits for the last call and tells how many are left', async () => {
  const { state, told, over, pass } = draining(3);
  await pass(5000);
  state.calls = 1;
  await pass(1000);
  state.calls = 0;
  await pass(500);
  expect([await over, told]).toEqual(['done', [3, 1, 0]]);
});

test('waits no longer than the limit', async () => {
  const { over, pass } = draining(1, 2000);
  await pass(2250);
  expect(await over).toBe('limit');
});

test('ends when somebody is impatient', async () => {
  const { stop, over } = draining(1);
  stop.abort();
  expect(await over).toBe('stopped');
});
