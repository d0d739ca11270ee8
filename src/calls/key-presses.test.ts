import { expect, test } from 'vitest';
import { KeyPresses } from './key-presses.ts';
import type { KeyWay } from './key-presses.ts';

/** The keys that count, of `key way ms` each. */
function counted(told: readonly string[]): string {
  const presses = new KeyPresses();
  return told
    .filter((one) => {
      const [digit, way, ms] = one.split(' ') as [string, KeyWay, string];
      return presses.isNew(digit, way, Number(ms));
    })
    .map((one) => one[0])
    .join('');
}

test.each([
  ['as event and by INFO', ['5 event 0', '5 info 80'], '5'],
  ['by INFO and as a tone that ends later', ['5 info 0', '5 tone 300'], '5'],
  ['in three ways', ['5 event 0', '5 info 80', '5 tone 100'], '5'],
  ['twice, each in both ways', ['5 event 0', '5 event 160', '5 info 200', '5 info 360'], '55'],
  ['twice, in turn', ['5 event 0', '5 info 90', '5 event 400', '5 info 490'], '55'],
  ['between others', ['1 event 0', '2 event 160', '1 info 170', '2 info 330'], '12'],
  ['in one way alone', ['7 tone 0', '7 tone 120', '7 tone 240'], '777'],
  ['again by another way, a second later', ['7 event 0', '7 info 1000'], '77'],
])('a press that is told %s counts once', (_, told, keys) => {
  expect(counted(told)).toBe(keys);
});
