import type { Id } from '#domain/ids.ts';
import { takeRandom } from './random.ts';

/** A new UUIDv7 (RFC 9562 §5.7) for the given wall time: sorts by creation, so tables can be partitioned by it. */
export function newId<Kind extends string>(now: Date = new Date()): Id<Kind> {
  const bytes = takeRandom(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Id<Kind>;
}

/** The smallest UUIDv7 of a moment: the bound of a partition or of a time filter. */
export function idFloor(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

/** Whether a text has the form of an id, in the lower case in which all of ours are written. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
