/** One block of an RFC 2198 payload: `offset` is how much older than the packet it is, in timestamp units. */
export interface RedBlock {
  readonly payloadType: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

const MAX_OFFSET = 0x3fff;
const MAX_BLOCK_BYTES = 0x3ff;

/** True where a block fits the fields of a redundant block's header. */
export function fitsRed(offset: number, bytes: number): boolean {
  return offset <= MAX_OFFSET && bytes <= MAX_BLOCK_BYTES;
}

/** Writes older blocks, oldest first, and the primary one (RFC 2198 §3). */
export function writeRed(older: readonly RedBlock[], payloadType: number, primary: Uint8Array): Uint8Array {
  const bytes = older.reduce((sum, block) => sum + 4 + block.data.length, 1 + primary.length);
  const out = new Uint8Array(bytes);
  let at = 0;
  for (const { payloadType: type, offset, data } of older) {
    out[at++] = 0x80 | type;
    out[at++] = offset >> 6;
    out[at++] = ((offset & 63) << 2) | (data.length >> 8);
    out[at++] = data.length;
  }
  out[at++] = payloadType;
  for (const { data } of older) {
    out.set(data, at);
    at += data.length;
  }
  out.set(primary, at);
  return out;
}

/** Reads all blocks, the primary last with offset 0; undefined where the payload is malformed. */
export function parseRed(payload: Uint8Array): RedBlock[] | undefined {
  const headers: { payloadType: number; offset: number; bytes: number }[] = [];
  let at = 0;
  for (;;) {
    if (at >= payload.length) return undefined;
    const first = payload[at]!;
    if ((first & 0x80) === 0) {
      headers.push({ payloadType: first, offset: 0, bytes: -1 });
      at++;
      break;
    }
    if (at + 4 > payload.length) return undefined;
    headers.push({
      payloadType: first & 0x7f,
      offset: (payload[at + 1]! << 6) | (payload[at + 2]! >> 2),
      bytes: ((payload[at + 2]! & 3) << 8) | payload[at + 3]!,
    });
    at += 4;
  }
  const blocks: RedBlock[] = [];
  for (const { payloadType, offset, bytes } of headers) {
    const end = bytes < 0 ? payload.length : at + bytes;
    if (end > payload.length) return undefined;
    blocks.push({ payloadType, offset, data: payload.subarray(at, end) });
    at = end;
  }
  return blocks;
}
