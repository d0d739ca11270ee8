import { expect, test } from 'vitest';
import { fuzzSip } from './sip.ts';

test('four thousand mutilated messages break no call and no reader, and leave nothing behind', async () => {
  expect(await fuzzSip(4_000, 7)).toMatchObject({ inputs: 4_000, failed: undefined, grown: false });
});
