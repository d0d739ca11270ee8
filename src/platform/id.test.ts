import { describe, expect, it } from 'vitest';
import { idFloor, newId } from './id.ts';
import { takeRandom } from './random.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('newId', () => {
  it('makes UUIDv7 without repetition, over many fillings of the pool of random bytes', () => {
    const now = new Date('2026-03-01T08:00:00Z');
    const ids = Array.from({ length: 50_000 }, () => newId(now));
    expect(new Set(ids).size).toBe(50_000);
    expect(ids.filter((id) => !UUID_V7.test(id))).toEqual([]);
    // Not even the random part alone, which a pool that is read twice would repeat.
    expect(new Set(ids.map((id) => id.slice(24))).size).toBe(50_000);
  });

  it('sorts by the moment, between the floors of its millisecond and the next', () => {
    const start = Date.parse('2026-03-01T08:00:00Z');
    const ids = Array.from({ length: 1000 }, (_, ms) => newId(new Date(start + ms)));
    expect(ids.toSorted()).toEqual(ids);
    for (const [ms, id] of ids.entries()) {
      expect(id >= idFloor(new Date(start + ms))).toBe(true);
      expect(id < idFloor(new Date(start + ms + 1))).toBe(true);
    }
  });
});

describe('takeRandom', () => {
  it('gives no byte out twice, whatever the sizes', () => {
    const seen = new Set<string>();
    let count = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = takeRandom(8 + (round % 57));
      for (let from = 0; from + 8 <= bytes.length; from += 8, count++) seen.add(bytes.toString('hex', from, from + 8));
    }
    expect(seen.size).toBe(count);
  });

  it('refuses more than it holds', () => {
    expect(() => takeRandom(4097)).toThrow(RangeError);
  });
});
