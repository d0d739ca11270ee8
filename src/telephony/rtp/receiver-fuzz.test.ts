import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AudioMedia, TextMedia } from '../sdp/media.ts';
import { AudioReceiver } from './audio-receiver.ts';
import { newRtpPacket, parseRtp, writeRtpHeader } from './packet.ts';
import { TextReceiver } from './text-receiver.ts';

const ADDRESS = { remoteAddress: '127.0.0.1', remotePort: 9, direction: 'sendrecv' } as const;
const AUDIO: AudioMedia = {
  ...ADDRESS,
  codec: 'PCMU',
  payloadType: 0,
  dtmfPayloadType: 101,
  ptimeMs: 20,
  remoteRtcpPort: 10,
};
const TEXT: TextMedia = { ...ADDRESS, payloadType: 98, redPayloadType: 99, redundancy: 2 };

/** Packets that are RTP but otherwise anything; numbers are often near one another. */
const near = (top: number) =>
  fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: top - 40, max: top }), fc.integer({ min: 0, max: top }));
const arriving = fc.array(
  fc.record({
    marker: fc.boolean(),
    type: fc.constantFrom(0, 8, 9, 13, 98, 99, 101, 96, 111, 111),
    sequence: near(0xffff),
    timestamp: near(0xffffffff),
    ssrc: fc.integer({ min: 1, max: 3 }),
    payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 160, maxLength: 160 })),
    afterMs: fc.constantFrom(0, 0, 20, 20, 20, 500, 40_000),
  }),
  { maxLength: 80 },
);
type Arriving = typeof arriving extends fc.Arbitrary<(infer One)[]> ? One : never;

function bytesOf(one: Arriving): Uint8Array {
  const bytes = new Uint8Array(12 + one.payload.length);
  writeRtpHeader(bytes, one.marker, one.type, one.sequence, one.timestamp, one.ssrc);
  bytes.set(one.payload, 12);
  return bytes;
}

test.each([
  ['PCMU', 0, 0xff],
  ['G722', 9, 0xd5],
  ['opus', 111, 0xd5],
] as const)('whatever packets arrive of %s, audio comes out in whole frames', (codec, payloadType, silence) => {
  fc.assert(
    fc.property(arriving, (packets) => {
      const digits: string[] = [];
      const receiver = new AudioReceiver({ ...AUDIO, codec, payloadType }, ({ digit, durationMs }) => {
        expect(durationMs).toBeGreaterThanOrEqual(0);
        digits.push(digit);
      });
      const packet = newRtpPacket();
      let nowMs = 0;
      let pulledMs = 0;
      for (const one of packets) {
        nowMs += one.afterMs;
        for (; pulledMs <= nowMs && nowMs - pulledMs < 1000; pulledMs += 20) {
          const frame = receiver.pull(pulledMs);
          expect([frame.payload.length, frame.pcm.length]).toEqual([160, 160]);
          expect(frame.kind !== 'none' || frame.payload.every((octet) => octet === silence)).toBe(true);
        }
        pulledMs = Math.max(pulledMs, nowMs);
        const bytes = bytesOf(one);
        if (parseRtp(bytes, packet)) receiver.accept(packet, bytes, nowMs);
      }
      expect(receiver.reception.totalReceived).toBeLessThanOrEqual(packets.length);
      expect(receiver.reception.lost).toBeGreaterThanOrEqual(0);
      expect(digits.length).toBeLessThanOrEqual(packets.length);
      receiver.close();
    }),
    { numRuns: 200 },
  );
});

test('whatever packets arrive, text comes out without control characters and nothing piles up', () => {
  fc.assert(
    fc.property(arriving, (packets) => {
      let text = '';
      const receiver = new TextReceiver(TEXT, (received) => (text += received));
      const packet = newRtpPacket();
      let nowMs = 0;
      for (const one of packets) {
        nowMs += one.afterMs;
        const bytes = bytesOf(one);
        if (parseRtp(bytes, packet)) receiver.accept(packet, bytes, nowMs);
        receiver.poll(nowMs);
      }
      receiver.poll(nowMs + 1000);
      expect(text).not.toMatch(/[\u0080-\u009F\uFEFF]/u);
      const before = text;
      receiver.poll(nowMs + 100_000);
      expect(text).toBe(before);
    }),
    { numRuns: 300 },
  );
});
