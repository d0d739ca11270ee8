import { readUint32, writeUint32 } from './packet.ts';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
const CNAME = 1;
const BLOCK_BYTES = 24;
/** Seconds from 1900, where NTP starts, to 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800;

/** What one side says about a stream it receives (RFC 3550 §6.4.1); `lastReport` and `delay` in 1/65536 s. */
export interface ReportBlock {
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly cumulativeLost: number;
  readonly highest: number;
  readonly jitterUnits: number;
  readonly lastReport: number;
  readonly delay: number;
}

/** What one side says about a stream it sends. */
export interface SenderInfo {
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** One compound packet: a report, the CNAME and, at the end, BYE. */
export interface RtcpReport {
  readonly ssrc: number;
  readonly cname: string;
  readonly sender: SenderInfo | undefined;
  readonly block: ReportBlock | undefined;
  readonly bye: boolean;
}

/** What a received compound packet holds. */
export interface ReceivedRtcp {
  readonly ssrc: number;
  readonly sender: SenderInfo | undefined;
  readonly blocks: readonly ReportBlock[];
  readonly byes: readonly number[];
}

/** Wall time in milliseconds as NTP's two words. */
export function toNtp(unixMs: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(unixMs / 1000);
  const fraction = Math.floor(((unixMs - seconds * 1000) / 1000) * 0x100000000);
  return { seconds: (seconds + NTP_EPOCH_SECONDS) >>> 0, fraction: fraction >>> 0 };
}

/** The middle 32 bits of an NTP time. */
export function middleNtp(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/** A compound packet as bytes (RFC 3550 §6.1). `cname` is ASCII of at most 255 octets. */
export function writeRtcp(report: RtcpReport): Uint8Array {
  const blocks = report.block === undefined ? 0 : 1;
  const reportBytes = (report.sender === undefined ? 8 : 28) + blocks * BLOCK_BYTES;
  // Header, SSRC, item, at least one null octet, padded to a word.
  const descriptionBytes = 8 + (Math.floor((2 + report.cname.length) / 4) + 1) * 4;
  const out = new Uint8Array(reportBytes + descriptionBytes + (report.bye ? 8 : 0));
  writeHeader(out, 0, blocks, report.sender === undefined ? RECEIVER_REPORT : SENDER_REPORT, reportBytes);
  writeUint32(out, 4, report.ssrc);
  let at = 8;
  if (report.sender !== undefined) {
    const { ntpSeconds, ntpFraction, timestamp, packets, octets } = report.sender;
    for (const word of [ntpSeconds, ntpFraction, timestamp, packets, octets]) {
      writeUint32(out, at, word);
      at += 4;
    }
  }
  if (report.block !== undefined) writeBlock(out, at, report.block);
  at = reportBytes;
  writeHeader(out, at, 1, SOURCE_DESCRIPTION, descriptionBytes);
  writeUint32(out, at + 4, report.ssrc);
  out[at + 8] = CNAME;
  out[at + 9] = report.cname.length;
  for (let i = 0; i < report.cname.length; i++) out[at + 10 + i] = report.cname.charCodeAt(i);
  at += descriptionBytes;
  if (report.bye) {
    writeHeader(out, at, 1, BYE, 8);
    writeUint32(out, at + 4, report.ssrc);
  }
  return out;
}

/** Reads a compound packet; undefined where any part of it is malformed (RFC 3550 appendix A.2). */
export function parseRtcp(bytes: Uint8Array): ReceivedRtcp | undefined {
  let ssrc: number | undefined;
  let sender: SenderInfo | undefined;
  const blocks: ReportBlock[] = [];
  const byes: number[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length || bytes[at]! >> 6 !== 2) return undefined;
    const count = bytes[at]! & 31;
    const type = bytes[at + 1]!;
    const end = at + (((bytes[at + 2]! << 8) | bytes[at + 3]!) + 1) * 4;
    const padded = (bytes[at]! & 0x20) !== 0;
    if (end > bytes.length || (padded && end !== bytes.length)) return undefined;
    if (at === 0 && ((type !== SENDER_REPORT && type !== RECEIVER_REPORT) || padded)) return undefined;
    if (type === SENDER_REPORT || type === RECEIVER_REPORT) {
      const start = at + (type === SENDER_REPORT ? 28 : 8);
      if (start + count * BLOCK_BYTES > end) return undefined;
      ssrc ??= readUint32(bytes, at + 4);
      if (type === SENDER_REPORT) sender ??= readSender(bytes, at + 8);
      for (let i = 0; i < count; i++) blocks.push(readBlock(bytes, start + i * BLOCK_BYTES));
    } else if (type === BYE) {
      if (at + 4 + count * 4 > end) return undefined;
      for (let i = 0; i < count; i++) byes.push(readUint32(bytes, at + 4 + i * 4));
    }
    at = end;
  }
  return ssrc === undefined ? undefined : { ssrc, sender, blocks, byes };
}

function writeHeader(out: Uint8Array, at: number, count: number, type: number, bytes: number): void {
  out[at] = 0x80 | count;
  out[at + 1] = type;
  out[at + 2] = (bytes / 4 - 1) >> 8;
  out[at + 3] = bytes / 4 - 1;
}

function writeBlock(out: Uint8Array, at: number, block: ReportBlock): void {
  writeUint32(out, at, block.ssrc);
  writeUint32(out, at + 4, (block.fractionLost << 24) | (block.cumulativeLost & 0xffffff));
  writeUint32(out, at + 8, block.highest);
  writeUint32(out, at + 12, block.jitterUnits);
  writeUint32(out, at + 16, block.lastReport);
  writeUint32(out, at + 20, block.delay);
}

function readSender(bytes: Uint8Array, at: number): SenderInfo {
  return {
    ntpSeconds: readUint32(bytes, at),
    ntpFraction: readUint32(bytes, at + 4),
    timestamp: readUint32(bytes, at + 8),
    packets: readUint32(bytes, at + 12),
    octets: readUint32(bytes, at + 16),
  };
}

function readBlock(bytes: Uint8Array, at: number): ReportBlock {
  const lost = readUint32(bytes, at + 4);
  return {
    ssrc: readUint32(bytes, at),
    fractionLost: lost >>> 24,
    cumulativeLost: (lost << 8) >> 8,
    highest: readUint32(bytes, at + 8),
    jitterUnits: readUint32(bytes, at + 12),
    lastReport: readUint32(bytes, at + 16),
    delay: readUint32(bytes, at + 20),
  };
}
