/** The header of a received RTP packet and where its payload lies; reused from packet to packet. */
export interface RtpPacket {
  marker: boolean;
  payloadType: number;
  /** 16 bits. */
  sequence: number;
  /** 32 bits, unsigned. */
  timestamp: number;
  /** 32 bits, unsigned. */
  ssrc: number;
  payloadStart: number;
  payloadEnd: number;
}

export const RTP_HEADER_BYTES = 12;

/** An empty packet for `parseRtp` to fill. */
export function newRtpPacket(): RtpPacket {
  return { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0, payloadStart: 0, payloadEnd: 0 };
}

/** Reads a packet into `out`; false where it is not a well-formed RTP packet (RFC 3550 §5.1, appendix A.1). */
export function parseRtp(bytes: Uint8Array, out: RtpPacket): boolean {
  const length = bytes.length;
  if (length < RTP_HEADER_BYTES || bytes[0]! >> 6 !== 2) return false;
  const first = bytes[0]!;
  const second = bytes[1]!;
  let start = RTP_HEADER_BYTES + (first & 15) * 4;
  if ((first & 0x10) !== 0) {
    if (start + 4 > length) return false;
    start += 4 + ((bytes[start + 2]! << 8) | bytes[start + 3]!) * 4;
  }
  if (start > length) return false;
  let end = length;
  if ((first & 0x20) !== 0) {
    const padding = bytes[length - 1]!;
    if (padding === 0 || start + padding > length) return false;
    end = length - padding;
  }
  out.marker = (second & 0x80) !== 0;
  out.payloadType = second & 0x7f;
  out.sequence = (bytes[2]! << 8) | bytes[3]!;
  out.timestamp = readUint32(bytes, 4);
  out.ssrc = readUint32(bytes, 8);
  out.payloadStart = start;
  out.payloadEnd = end;
  return true;
}

/** Writes a header without CSRC, extension or padding at the start of `out`; only the low bits of each field count. */
export function writeRtpHeader(
  out: Uint8Array,
  marker: boolean,
  payloadType: number,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  out[0] = 0x80;
  out[1] = (marker ? 0x80 : 0) | (payloadType & 0x7f);
  out[2] = sequence >> 8;
  out[3] = sequence;
  writeUint32(out, 4, timestamp);
  writeUint32(out, 8, ssrc);
}

/** Big-endian, unsigned. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Big-endian; takes the value modulo 2^32. */
export function writeUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** The number nearest to `reference` whose low `bits` (16 or 32) equal `value`: undoes wrap-around. */
export function extendCounter(value: number, reference: number, bits: 16 | 32): number {
  const modulus = bits === 16 ? 0x10000 : 0x100000000;
  const base = Math.floor(reference / modulus) * modulus + value;
  if (base - reference > modulus / 2) return base - modulus;
  if (reference - base > modulus / 2) return base + modulus;
  return base;
}
