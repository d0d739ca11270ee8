import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

const AF_INET = 2;
const AF_INET6 = 10;
const IPV4_BYTES = 16;
const IPV6_BYTES = 28;

/** The address family of a numeric address, as Linux numbers it. */
export function familyOf(address: string): number {
  return isIPv6(address) ? AF_INET6 : AF_INET;
}

/** Octets of a socket address of that family. */
export function addressBytes(family: number): number {
  return family === AF_INET6 ? IPV6_BYTES : IPV4_BYTES;
}

/** Whether a socket of that family reaches an address; a name, or IPv6 from an IPv4 socket, it does not. */
export function reaches(family: number, address: string): boolean {
  return isIPv4(address) || (family === AF_INET6 && isIPv6(address));
}

/**
 * Writes Linux's `sockaddr_in` or `sockaddr_in6`; `out` holds 28 octets. An IPv4 address in an IPv6 socket is mapped. Only
 * for addresses that the family reaches: others come out as some other address.
 */
export function writeSocketAddress(out: Uint8Array, family: number, address: string, port: number): void {
  out.fill(0, 0, IPV6_BYTES);
  out[0] = family;
  out[2] = port >> 8;
  out[3] = port;
  if (family === AF_INET) {
    writeIpv4(out, 4, address);
  } else if (isIPv6(address)) {
    const [plain, zone] = address.split('%');
    writeIpv6(out.subarray(8, 24), plain!);
    const scope = zone === undefined ? 0 : scopeOf(zone);
    // Little-endian, as all machines this runs on are.
    for (let i = 0; i < 4; i++) out[24 + i] = scope >> (8 * i);
  } else {
    out[18] = out[19] = 0xff;
    writeIpv4(out, 20, address);
  }
}

/** The port of a socket address. */
export function readPort(address: Uint8Array): number {
  return (address[2]! << 8) | address[3]!;
}

/** The numeric address in a socket address, as Node writes it. */
export function readAddress(bytes: Uint8Array): string {
  if (bytes[0] === AF_INET) return bytes.subarray(4, 8).join('.');
  if (isMapped(bytes)) return `::ffff:${bytes.subarray(20, 24).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[8 + 2 * i]! << 8) | bytes[9 + 2 * i]!);
  const scope = bytes[24]! | (bytes[25]! << 8) | (bytes[26]! << 16) | (bytes[27]! << 24);
  return compressed(groups) + (scope === 0 ? '' : `%${scope}`);
}

/** Whether two socket addresses name the same host, whatever the port. */
export function sameHost(a: Uint8Array, b: Uint8Array): boolean {
  const bytes = a[0] === AF_INET ? 8 : IPV6_BYTES;
  if (a[0] !== b[0]) return false;
  for (let i = 4; i < bytes; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The number of an interface that is named or numbered behind `%`; 0 where there is none. */
function scopeOf(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  return networkInterfaces()[zone]?.find((each) => each.family === 'IPv6')?.scopeid ?? 0;
}

function writeIpv4(out: Uint8Array, at: number, address: string): void {
  for (const [index, part] of address.split('.').entries()) out[at + index] = Number(part);
}

function writeIpv6(out: Uint8Array, address: string): void {
  const [head = '', tail] = address.split('::');
  const before = octets(head);
  out.set(before);
  if (tail !== undefined) {
    const after = octets(tail);
    out.set(after, 16 - after.length);
  }
}

function octets(part: string): number[] {
  return part
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (group.includes('.')) return group.split('.').map(Number);
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    });
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(8, 18).every((octet) => octet === 0) && bytes[18] === 0xff && bytes[19] === 0xff;
}

/** The longest run of zeroes, of two groups at least, becomes `::` (RFC 5952 §4.2). */
function compressed(groups: readonly number[]): string {
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) [best, bestLength] = [start, end - start];
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best < 0) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}
