import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TextMedia } from '../sdp/media.ts';
import { newRtpPacket, parseRtp } from './packet.ts';
import { parseRed, writeRed } from './redundancy.ts';
import { appendT140, cleanT140 } from './t140.ts';
import { TextReceiver } from './text-receiver.ts';
import { TextSender } from './text-sender.ts';

const RED: TextMedia = {
  payloadType: 98,
  redPayloadType: 99,
  redundancy: 2,
  remoteAddress: '127.0.0.1',
  remotePort: 9,
  direction: 'sendrecv',
};
const PLAIN: TextMedia = { ...RED, redPayloadType: undefined, redundancy: 0 };

interface Wire {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** What goes over the wire for texts typed at given times. */
function type(media: TextMedia, typed: readonly (readonly [number, string])[], untilMs: number): Wire[] {
  const wire: Wire[] = [];
  let nowMs = 0;
  const sender = new TextSender(
    media,
    () => 0.999,
    (bytes) => wire.push({ bytes, atMs: nowMs }),
  );
  for (; nowMs <= untilMs; nowMs += 20) {
    for (const [atMs, text] of typed) if (atMs === nowMs) sender.enqueue(text);
    sender.poll(nowMs);
  }
  return wire;
}

function read(media: TextMedia, wire: readonly Wire[]): string {
  let text = '';
  const receiver = new TextReceiver(media, (received) => (text += received));
  const packet = newRtpPacket();
  for (const { bytes, atMs } of wire) {
    expect(parseRtp(bytes, packet)).toBe(true);
    receiver.accept(packet, bytes, atMs);
    receiver.poll(atMs);
  }
  receiver.poll(1e9);
  return text;
}

const TYPED = [
  [0, '您好，'],
  [400, '我是😀'],
  [1000, '陈女士\n'],
  [9000, '再见'],
] as const;

test('typed text arrives as it was typed', () => {
  expect(read(RED, type(RED, TYPED, 12_000))).toBe('您好，我是😀陈女士\n再见');
  expect(read(PLAIN, type(PLAIN, TYPED, 12_000))).toBe('您好，我是😀陈女士\n再见');
});

test('packets are 300 ms apart, repeated twice, marked after a pause, and begin with the byte order mark', () => {
  const wire = type(RED, [[3000, 'abc']], 6000);
  expect(wire.map(({ atMs }) => atMs)).toEqual([0, 300, 600, 3300, 3600, 3900]);
  const packets = wire.map(({ bytes }) => {
    const packet = newRtpPacket();
    parseRtp(bytes, packet);
    return { marker: packet.marker, blocks: parseRed(bytes.subarray(packet.payloadStart))! };
  });
  expect(packets.map(({ marker }) => marker)).toEqual([true, false, false, true, false, false]);
  expect([...packets[0]!.blocks.at(-1)!.data]).toEqual([0xef, 0xbb, 0xbf]);
  const carried = packets.slice(3).map(({ blocks }) => blocks.map(({ data }) => Buffer.from(data).toString()));
  expect(carried).toEqual([
    ['', '', 'abc'],
    ['', 'abc', ''],
    ['abc', '', ''],
  ]);
  expect(packets[5]!.blocks.map(({ offset }) => offset)).toEqual([600, 300, 0]);
});

test('an idle stream is kept alive', () => {
  const wire = type(RED, [], 40_000);
  expect(wire.length).toBeGreaterThanOrEqual(9);
  expect(read(RED, wire)).toBe('');
});

test('no two losses in a row cost a character', () => {
  const typed = Array.from({ length: 30 }, (_, i) => [i * 300, String.fromCodePoint(0x4e00 + i)] as const);
  const wire = type(RED, typed, 12_000);
  const whole = typed.map(([, text]) => text).join('');
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: wire.length, maxLength: wire.length }), (lost) => {
      let run = 0;
      const arriving = wire.filter((_, i) => {
        run = lost[i] === true && run < 2 && i < wire.length - 2 ? run + 1 : 0;
        return run === 0;
      });
      expect(read(RED, arriving)).toBe(whole);
    }),
  );
});

/** The wire with another source number from its `from`-th packet on. */
function renumbered(wire: readonly Wire[], from: number): Wire[] {
  return wire.map(({ bytes, atMs }, i) => {
    const copy = bytes.slice();
    if (i >= from) copy[11]! ^= 1;
    return { bytes: copy, atMs };
  });
}

test('text that was typed before the stream began is no part of its first packet', () => {
  const [first] = type(RED, [[0, '您好']], 1000);
  expect(read(RED, [first!])).toBe('');
});

test('what another source repeats is read where it was lost, and only there', () => {
  const typed = Array.from({ length: 6 }, (_, i) => [i * 300, String(i)] as const);
  const wire = type(RED, typed, 6000);
  const without = (packets: readonly Wire[], lost: number): Wire[] => packets.filter((_, i) => i !== lost);
  for (let from = 1; from < wire.length - 2; from++) {
    const other = renumbered(wire, from);
    // All arrives; its first packet is lost; the last one of the source before is.
    for (const arriving of [other, without(other, from), without(other, from - 1)])
      expect(read(RED, arriving)).toBe('012345');
  }
});

test('a stream that closes sends what is typed and its opening mark before it', () => {
  const packets: Uint8Array[] = [];
  const sender = new TextSender(
    RED,
    () => 0.5,
    (bytes) => packets.push(bytes),
  );
  sender.enqueue('再见');
  sender.flush(0);
  expect(packets).toHaveLength(2);
  expect(
    read(
      RED,
      packets.map((bytes) => ({ bytes, atMs: 0 })),
    ),
  ).toBe('再见');
});

test('three losses in a row are marked once, where they were', () => {
  const typed = Array.from({ length: 10 }, (_, i) => [i * 300, String(i)] as const);
  const wire = type(RED, typed, 6000);
  const at = (digit: string): number => wire.findIndex(({ bytes }) => bytes.at(-1) === digit.charCodeAt(0));
  const lost = [at('3'), at('3') + 1, at('3') + 2];
  expect(
    read(
      RED,
      wire.filter((_, i) => !lost.includes(i)),
    ),
  ).toBe('012\uFFFD456789');
});

test('packets that overtake each other are put right even without redundancy', () => {
  const typed = Array.from({ length: 6 }, (_, i) => [i * 300, String(i)] as const);
  const wire = type(PLAIN, typed, 4000);
  const [moved] = wire.splice(3, 1);
  wire.splice(4, 0, moved!);
  expect(read(PLAIN, wire)).toBe('012345');
});

test('a character that a sender splits over packets is put together', () => {
  const bytes = new TextEncoder().encode('好');
  const halves = [bytes.subarray(0, 1), bytes.subarray(1)];
  const wire = halves.map((half, i) => ({
    bytes: Uint8Array.from([0x80, 98, 0, i, 0, 0, 0, i, 0, 0, 0, 1, ...half]),
    atMs: i * 300,
  }));
  expect(read(PLAIN, wire)).toBe('好');
});

test('a long text is cut between characters', () => {
  const text = '😀'.repeat(200);
  const wire = type(PLAIN, [[0, text]], 4000);
  for (const { bytes } of wire) expect(Buffer.from(bytes.subarray(12)).toString()).not.toContain('\uFFFD');
  expect(read(PLAIN, wire)).toBe(text);
});

test('redundant payloads are read back and never read beyond their end', () => {
  const block = fc.record({
    payloadType: fc.integer({ min: 0, max: 127 }),
    offset: fc.integer({ min: 0, max: 0x3fff }),
    data: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 4 }), fc.uint8Array({ maxLength: 60 }), (older, primary) => {
      const read = parseRed(writeRed(older, 98, primary));
      expect(read).toEqual([...older, { payloadType: 98, offset: 0, data: primary }]);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void parseRed(bytes)),
    { numRuns: 1000 },
  );
});

test('readers get new lines and erasures, and no other control characters', () => {
  expect(cleanT140('\uFEFFa\r\nb\u2028c\u0007\u0098secret\u009C\b')).toBe('a\nb\nc\b');
  expect(appendT140('你号', '\b好')).toBe('你好');
  expect(appendT140('😀', '\b')).toBe('');
  expect(appendT140('', '\bx')).toBe('x');
});
