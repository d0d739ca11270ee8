/** Counts durations in fixed buckets: percentiles without allocation on the media path. */
export class Histogram {
  readonly #bucketMs: number;
  readonly #counts: Uint32Array;
  count = 0;

  /** Values at or beyond `bucketMs * buckets` fall into the last bucket. */
  constructor(bucketMs: number, buckets: number) {
    this.#bucketMs = bucketMs;
    this.#counts = new Uint32Array(buckets);
  }

  add(valueMs: number): void {
    const last = this.#counts.length - 1;
    const index = Math.min(last, Math.max(0, Math.floor(valueMs / this.#bucketMs)));
    this.#counts[index]!++;
    this.count++;
  }

  /** The upper edge of the bucket that holds the given share (0–1) of all values; 0 when empty. */
  percentileMs(share: number): number {
    if (this.count === 0) return 0;
    let left = Math.max(1, Math.ceil(this.count * share));
    for (let i = 0; i < this.#counts.length; i++) {
      left -= this.#counts[i]!;
      if (left <= 0) return (i + 1) * this.#bucketMs;
    }
    return this.#counts.length * this.#bucketMs;
  }

  /** Adds what another histogram with the same buckets, or its `counts`, has counted. */
  merge(counts: ArrayLike<number>): void {
    for (let i = 0; i < this.#counts.length; i++) {
      this.#counts[i]! += counts[i] ?? 0;
      this.count += counts[i] ?? 0;
    }
  }

  /** A copy of the buckets. */
  get counts(): number[] {
    return Array.from(this.#counts);
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
  }
}
