import { expect, test } from 'vitest';
import { fuzzRtp } from './rtp.ts';

test('twenty thousand mutilated packets and keys break nothing and leave nothing behind', () => {
  expect(fuzzRtp(20_000, 7)).toMatchObject({ failed: undefined, grown: false });
});
