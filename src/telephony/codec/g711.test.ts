import { expect, test } from 'vitest';
import { ALAW_SILENCE, decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw, transcode, ULAW_SILENCE } from './g711.ts';

const ALL_SAMPLES = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
const ALL_OCTETS = Uint8Array.from({ length: 256 }, (_, i) => i);

/**
 * The decision values of ITU-T G.711 tables 1a and 2a, built by walking the segments: `edges[i]` is where positive
 * character i begins, on the table's own scale; `levels[i]` is its quantised value.
 */
function decisionTable(law: 'A' | 'mu'): { edges: number[]; levels: number[] } {
  const edges: number[] = [];
  const levels: number[] = [];
  let edge = 0;
  for (let segment = 0; segment < 8; segment++) {
    // A: the first two segments share the step 2 (of 4096). µ: every step doubles from 2 (of 8159).
    const step = law === 'A' ? 2 ** Math.max(1, segment) : 2 ** (segment + 1);
    for (let interval = 0; interval < 16; interval++) {
      const first = law === 'mu' && segment === 0 && interval === 0;
      const width = first ? 1 : step;
      edges.push(edge);
      levels.push(first ? 0 : edge + width / 2);
      edge += width;
    }
  }
  return { edges, levels };
}

/** The character of a magnitude: the last whose decision value does not exceed it. */
function character(edges: number[], magnitude: number): number {
  let index = 0;
  while (index + 1 < edges.length && edges[index + 1]! <= magnitude) index++;
  return index;
}

test('the decision tables end where G.711 says: 4096 and 8159', () => {
  const a = decisionTable('A');
  const mu = decisionTable('mu');
  expect([a.edges.length, a.edges.at(-1)! + 128]).toEqual([128, 4096]);
  expect([mu.edges.length, mu.edges.at(-1)! + 256]).toEqual([128, 8159]);
});

test('every 16-bit sample gets the A-law octet of its decision interval', () => {
  const { edges } = decisionTable('A');
  const out = new Uint8Array(65_536);
  encodeAlaw(ALL_SAMPLES, out);
  const expected = Uint8Array.from(ALL_SAMPLES, (sample) => {
    // 13 bits: sign and 12 bits, negative numbers in ones' complement as ITU-T G.191 reads them.
    const magnitude = Math.floor((sample < 0 ? -1 - sample : sample) / 8);
    const code = character(edges, magnitude) + (sample < 0 ? 0 : 128);
    return code ^ 0x55;
  });
  expect(out.findIndex((octet, i) => octet !== expected[i])).toBe(-1);
});

test('every 16-bit sample gets the µ-law octet of its decision interval', () => {
  const { edges } = decisionTable('mu');
  const out = new Uint8Array(65_536);
  encodeUlaw(ALL_SAMPLES, out);
  const expected = Uint8Array.from(ALL_SAMPLES, (sample) => {
    const magnitude = Math.floor((sample < 0 ? -1 - sample : sample) / 4);
    return 255 - character(edges, magnitude) - (sample < 0 ? 128 : 0);
  });
  expect(out.findIndex((octet, i) => octet !== expected[i])).toBe(-1);
});

test('every octet decodes to the quantised value of the tables', () => {
  const a = new Int16Array(256);
  const mu = new Int16Array(256);
  decodeAlaw(ALL_OCTETS, a);
  decodeUlaw(ALL_OCTETS, mu);
  const tables = { a: decisionTable('A').levels, mu: decisionTable('mu').levels };
  for (let octet = 0; octet < 256; octet++) {
    const code = octet ^ 0x55;
    expect(a[octet]).toBe(tables.a[code & 127]! * 8 * (code >= 128 ? 1 : -1));
    expect(mu[octet]! + 0).toBe(tables.mu[127 - (octet & 127)]! * 4 * (octet >= 128 ? 1 : -1) + 0);
  }
});

test('decoding and encoding again keeps every octet', () => {
  const pcm = new Int16Array(256);
  const again = new Uint8Array(256);
  decodeAlaw(ALL_OCTETS, pcm);
  encodeAlaw(pcm, again);
  expect(again).toEqual(ALL_OCTETS);
  decodeUlaw(ALL_OCTETS, pcm);
  encodeUlaw(pcm, again);
  // µ-law has a negative zero (0x7f), which linear samples cannot tell from zero.
  expect(again).toEqual(ALL_OCTETS.map((octet) => (octet === 0x7f ? 0xff : octet)));
});

test('transcoding equals decoding and encoding, and silence stays silent', () => {
  const pcm = new Int16Array(256);
  const expected = new Uint8Array(256);
  decodeAlaw(ALL_OCTETS, pcm);
  encodeUlaw(pcm, expected);
  const octets = ALL_OCTETS.slice();
  transcode('PCMA', 'PCMU', octets);
  expect(octets).toEqual(expected);
  const silence = Uint8Array.of(ULAW_SILENCE);
  transcode('PCMU', 'PCMA', silence);
  expect(silence[0]).toBe(ALAW_SILENCE);
  transcode('PCMA', 'PCMA', silence);
  expect(silence[0]).toBe(ALAW_SILENCE);
});
