import type { PhoneNumber } from '#domain/phone.ts';

/**
 * The numbers seen in a file with the row of the first, in open-addressed typed arrays: 18 to 36 bytes a number, where
 * a Map of strings takes above 100. An E.164 number has at most 15 digits, so a double holds it exactly.
 */
export class NumberSet {
  #keys = new Float64Array(1 << 12);
  #rows = new Uint32Array(1 << 12);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The row in which the number stood before, or undefined after adding it with `row`, which is at least 1. */
  add(phone: PhoneNumber, row: number): number | undefined {
    const key = Number(phone.slice(1));
    if (this.#size * 3 > this.#keys.length * 2) this.#grow();
    const slot = this.#slotOf(key);
    if (this.#rows[slot] !== 0) return this.#rows[slot];
    this.#keys[slot] = key;
    this.#rows[slot] = row;
    this.#size++;
    return undefined;
  }

  #slotOf(key: number): number {
    const mask = this.#keys.length - 1;
    // Both halves are mixed: the numbers of a list differ mostly in their last digits.
    let hash = Math.imul((key % 4294967296) | 0, 0x9e3779b1) ^ Math.imul((key / 4294967296) | 0, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (this.#rows[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const rows = this.#rows;
    this.#keys = new Float64Array(keys.length * 2);
    this.#rows = new Uint32Array(keys.length * 2);
    for (let index = 0; index < keys.length; index++) {
      if (rows[index] === 0) continue;
      const slot = this.#slotOf(keys[index]!);
      this.#keys[slot] = keys[index]!;
      this.#rows[slot] = rows[index]!;
    }
  }
}
