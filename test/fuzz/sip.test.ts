import { expect, test } from 'vitest';
import { fuzzSip } from './sip.ts';

test('four thousand mutilated messages break no call and no reader', async () => {
  expect(await fuzzSip(4_000, 7)).toMatchObject({ runs: 4_000, failed: undefined });
});
