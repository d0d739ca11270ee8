import { expect, it } from 'vitest';
import { delayUnit } from './delay-unit.ts';

it('says a delay in the largest unit that fits', () => {
  expect([10, 90, 60, 3600, 5400, 86_400].map(delayUnit)).toEqual([
    { unit: 'seconds', value: 10 },
    { unit: 'seconds', value: 90 },
    { unit: 'minutes', value: 1 },
    { unit: 'hours', value: 1 },
    { unit: 'minutes', value: 90 },
    { unit: 'hours', value: 24 },
  ]);
});
