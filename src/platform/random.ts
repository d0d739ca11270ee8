import { randomFillSync } from 'node:crypto';

/** The system's generator costs microseconds a call, however little is asked for. */
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let taken = POOL_BYTES;

/**
 * Up to 4096 random bytes, each given out once; the view holds until the next call. For ids, tags and branches;
 * secrets that must not stay in memory ask the system themselves.
 */
export function takeRandom(bytes: number): Buffer {
  if (bytes > POOL_BYTES) throw new RangeError('more random bytes than the pool holds');
  if (taken + bytes > POOL_BYTES) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += bytes;
  return pool.subarray(taken - bytes, taken);
}
