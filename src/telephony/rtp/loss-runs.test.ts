import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LossRuns } from './loss-runs.ts';

function summaryOf(sequences: readonly number[]) {
  const runs = new LossRuns();
  for (const sequence of sequences) runs.mark(sequence);
  return runs.summary();
}

test('losses apart from one another are random, losses in a row are a burst', () => {
  const all = Array.from({ length: 200 }, (_, i) => 70_000 + i);
  const single = summaryOf(all.filter((_, i) => i % 10 !== 5));
  expect(single).toMatchObject({ expected: 200, lossRatio: 0.1, burstRatio: 1, longestRun: 1 });
  const burst = summaryOf(all.filter((_, i) => i % 100 < 40 || i % 100 >= 50));
  expect(burst).toMatchObject({ expected: 200, lossRatio: 0.1, longestRun: 10 });
  expect(burst.burstRatio).toBeCloseTo(9);
});

test('reordering and duplicates are no loss', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 29 }), { minLength: 300, maxLength: 300 }), (delays) => {
      const order = delays.map((delay, i) => ({ i, at: i + delay })).toSorted((a, b) => a.at - b.at || a.i - b.i);
      // The first to arrive is where the stream begins: what came before it was never expected.
      const first = order[0]!.i;
      const summary = summaryOf(order.flatMap(({ i }) => (i % 7 === 0 ? [1000 + i, 1000 + i] : [1000 + i])));
      expect(summary).toEqual({ expected: 300 - first, lossRatio: 0, burstRatio: 1, longestRun: 0 });
    }),
    { numRuns: 50 },
  );
});

test('a sender that begins anew, and another source, lose nothing between', () => {
  const runs = new LossRuns();
  for (const sequence of [100, 101, 102, 60_000, 60_001, 5, 6]) runs.mark(sequence);
  runs.restart();
  for (const sequence of [40, 42]) runs.mark(sequence);
  expect(runs.summary()).toMatchObject({ expected: 10, lossRatio: 0.1, longestRun: 1 });
});

test('asking twice gives the same', () => {
  const runs = new LossRuns();
  for (const sequence of [1, 2, 5]) runs.mark(sequence);
  expect(runs.summary()).toEqual(runs.summary());
  runs.mark(7);
  expect(runs.summary()).toMatchObject({ expected: 7, longestRun: 2 });
});
