import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { extendCounter, newRtpPacket, parseRtp, readUint32, writeRtpHeader, writeUint32 } from './packet.ts';

const header = {
  marker: fc.boolean(),
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffffffff }),
  ssrc: fc.integer({ min: 0, max: 0xffffffff }),
};

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.record(header), fc.uint8Array({ maxLength: 300 }), (fields, payload) => {
      const bytes = new Uint8Array(12 + payload.length);
      writeRtpHeader(bytes, fields.marker, fields.payloadType, fields.sequence, fields.timestamp, fields.ssrc);
      bytes.set(payload, 12);
      const packet = newRtpPacket();
      expect(parseRtp(bytes, packet)).toBe(true);
      expect(packet).toMatchObject(fields);
      expect(bytes.subarray(packet.payloadStart, packet.payloadEnd)).toEqual(payload);
    }),
  );
});

test('contributing sources, extension and padding are passed over', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 15 }),
      fc.option(fc.integer({ min: 0, max: 8 })),
      fc.integer({ min: 0, max: 20 }),
      fc.uint8Array({ maxLength: 40 }),
      (sources, extensionWords, padding, payload) => {
        const start = 12 + sources * 4 + (extensionWords === null ? 0 : 4 + extensionWords * 4);
        const bytes = new Uint8Array(start + payload.length + padding);
        writeRtpHeader(bytes, false, 8, 1, 2, 3);
        bytes[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extensionWords === null ? 0 : 0x10) | sources;
        if (extensionWords !== null) bytes[12 + sources * 4 + 3] = extensionWords;
        bytes.set(payload, start);
        if (padding > 0) bytes[bytes.length - 1] = padding;
        const packet = newRtpPacket();
        expect(parseRtp(bytes, packet)).toBe(true);
        expect(bytes.subarray(packet.payloadStart, packet.payloadEnd)).toEqual(payload);
      },
    ),
  );
});

test('no input makes the payload lie outside the packet', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      if (bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
      const packet = newRtpPacket();
      if (!parseRtp(bytes, packet)) return;
      expect(packet.payloadStart).toBeGreaterThanOrEqual(12);
      expect(packet.payloadEnd).toBeGreaterThanOrEqual(packet.payloadStart);
      expect(packet.payloadEnd).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['shorter than a header', [0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
  ['version 1', [0x40, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['a source list beyond its end', [0x81, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['an extension beyond its end', [0x90, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1]],
  ['padding of zero', [0xa0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['padding beyond its start', [0xa0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2]],
])('a packet with %s is refused', (_what, bytes) => {
  expect(parseRtp(Uint8Array.from(bytes), newRtpPacket())).toBe(false);
});

test('counters are continued over their wrap in both directions', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(16 as const, 32 as const),
      fc.integer({ min: 0x10000, max: 2 ** 40 }),
      fc.integer({ min: -0x7fff, max: 0x7fff }),
      (bits, reference, step) => {
        const truth = reference + step;
        const modulus = 2 ** bits;
        if (truth < 0) return;
        expect(extendCounter(truth % modulus, reference, bits)).toBe(truth);
      },
    ),
  );
});

test('words are written modulo 2^32', () => {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, 0x1_8000_0001);
  expect(readUint32(bytes, 0)).toBe(0x8000_0001);
});
