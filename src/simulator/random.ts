/** Repeatable chance: the same keys always give the same sequence. */
export interface Random {
  /** In [0, 1). */
  readonly next: () => number;
  /** Whole number in [min, max]. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  /** One key of `weights`, by its share of their sum. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key;
}

/** A generator keyed by anything printable (FNV-1a into mulberry32); keys in another order are other keys. */
export function randomFor(...keys: readonly (string | number)[]): Random {
  let state = 0x811c9dc5;
  for (const character of keys.join('\u001f')) {
    state = Math.imul(state ^ character.codePointAt(0)!, 0x01000193);
  }
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key {
      const entries = Object.entries<number>(weights) as [Key, number][];
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) {
        rest -= weight;
        if (rest < 0) return key;
      }
      return entries.at(-1)![0];
    },
  };
}
