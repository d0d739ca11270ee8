import type { G711Codec } from '../sdp/media.ts';

/** A-law octet of digital silence (RFC 3551 §4.5.14). */
export const ALAW_SILENCE = 0xd5;
/** µ-law octet of digital silence. */
export const ULAW_SILENCE = 0xff;

/** Samples of one 20 ms frame at 8 kHz; also its octets in G.711. */
export const FRAME_SAMPLES = 160;

const decodeAlawTable = buildDecodeTable(alawToLinear);
const decodeUlawTable = buildDecodeTable(ulawToLinear);
const encodeAlawTable = buildEncodeTable(linearToAlaw);
const encodeUlawTable = buildEncodeTable(linearToUlaw);
const alawToUlawTable = buildTranscodeTable(decodeAlawTable, encodeUlawTable);
const ulawToAlawTable = buildTranscodeTable(decodeUlawTable, encodeAlawTable);

/** The silence octet of a codec. */
export function silenceOctet(codec: G711Codec): number {
  return codec === 'PCMA' ? ALAW_SILENCE : ULAW_SILENCE;
}

const silentFrames = {
  PCMA: new Uint8Array(FRAME_SAMPLES).fill(ALAW_SILENCE),
  PCMU: new Uint8Array(FRAME_SAMPLES).fill(ULAW_SILENCE),
};

/** 160 octets of a codec's silence, to be copied from: a copy costs a third of what filling does. */
export function silentFrame(codec: G711Codec): Uint8Array {
  return silentFrames[codec];
}

/** Encodes 16-bit linear samples; `out` holds at least as many octets (ITU-T G.711 table 1). */
export function encodeAlaw(pcm: Int16Array, out: Uint8Array): void {
  for (let i = 0; i < pcm.length; i++) out[i] = encodeAlawTable[pcm[i]! + 32768]!;
}

/** Decodes A-law octets to 16-bit linear samples; `out` holds at least as many. */
export function decodeAlaw(bytes: Uint8Array, out: Int16Array): void {
  for (let i = 0; i < bytes.length; i++) out[i] = decodeAlawTable[bytes[i]!]!;
}

/** Encodes 16-bit linear samples; `out` holds at least as many octets (ITU-T G.711 table 2). */
export function encodeUlaw(pcm: Int16Array, out: Uint8Array): void {
  for (let i = 0; i < pcm.length; i++) out[i] = encodeUlawTable[pcm[i]! + 32768]!;
}

/** Decodes µ-law octets to 16-bit linear samples; `out` holds at least as many. */
export function decodeUlaw(bytes: Uint8Array, out: Int16Array): void {
  for (let i = 0; i < bytes.length; i++) out[i] = decodeUlawTable[bytes[i]!]!;
}

/** The 256 linear values of a codec's octets. */
export function linearTable(codec: G711Codec): Int16Array {
  return codec === 'PCMA' ? decodeAlawTable : decodeUlawTable;
}

/** Encodes in the named codec. */
export function encodeG711(codec: G711Codec, pcm: Int16Array, out: Uint8Array): void {
  if (codec === 'PCMA') encodeAlaw(pcm, out);
  else encodeUlaw(pcm, out);
}

/** Decodes from the named codec. */
export function decodeG711(codec: G711Codec, bytes: Uint8Array, out: Int16Array): void {
  if (codec === 'PCMA') decodeAlaw(bytes, out);
  else decodeUlaw(bytes, out);
}

/** Turns octets of one codec into the other, in place. */
export function transcode(from: G711Codec, to: G711Codec, bytes: Uint8Array): void {
  if (from === to) return;
  const table = from === 'PCMA' ? alawToUlawTable : ulawToAlawTable;
  for (let i = 0; i < bytes.length; i++) bytes[i] = table[bytes[i]!]!;
}

function alawToLinear(octet: number): number {
  const code = octet ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = code & 15;
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 264) << (exponent - 1);
  return (code & 0x80) !== 0 ? magnitude : -magnitude;
}

function ulawToLinear(octet: number): number {
  const code = ~octet & 0xff;
  const magnitude = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
  return (code & 0x80) !== 0 ? -magnitude : magnitude;
}

/** G.711 A-law works on 13 bits: sign and 12 bits of magnitude, negative values in ones' complement. */
function linearToAlaw(sample: number): number {
  const positive = sample >= 0;
  const magnitude = (positive ? sample : -sample - 1) >> 4;
  let exponent = 0;
  for (let rest = magnitude >> 5; rest > 0; rest >>= 1) exponent++;
  const mantissa = (magnitude >> exponent) & 15;
  const segment = magnitude < 16 ? 0 : exponent + 1;
  return ((positive ? 0x80 : 0) | (segment << 4) | mantissa) ^ 0x55;
}

/** G.711 µ-law works on 14 bits: a bias of 33 on the magnitude, clipped at 8158; negatives as in A-law (ITU-T G.191). */
function linearToUlaw(sample: number): number {
  const magnitude = Math.min(sample < 0 ? -sample - 1 : sample, 32635) + 0x84;
  let exponent = 7;
  while (exponent > 0 && (magnitude & (1 << (exponent + 7))) === 0) exponent--;
  const code = (sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15);
  return ~code & 0xff;
}

function buildDecodeTable(decode: (octet: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, octet) => decode(octet));
}

function buildEncodeTable(encode: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: 65536 }, (_, index) => encode(index - 32768));
}

function buildTranscodeTable(decode: Int16Array, encode: Uint8Array): Uint8Array {
  return Uint8Array.from(decode, (sample) => encode[sample + 32768]!);
}
