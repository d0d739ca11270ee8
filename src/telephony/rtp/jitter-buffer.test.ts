import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { JitterBuffer, type Pulled } from './jitter-buffer.ts';

const SILENCE = 0xd5;
const BASE_TIMESTAMP = 0x100000000;
const BASE_SEQUENCE = 0x10000;

interface Sent {
  readonly index: number;
  readonly arrivalMs: number;
  /** Defaults to one packet after another. */
  readonly timestamp?: number;
  readonly bytes?: number;
}

interface Heard {
  readonly pulled: Pulled;
  readonly octets: Uint8Array;
}

/** Plays arrivals against ticks at 5, 25, 45 … ms; packet i holds octets of value i mod 200. */
function play(packets: readonly Sent[], untilMs: number, buffer = new JitterBuffer()): Heard[] {
  const arrivals = [...packets].sort((a, b) => a.arrivalMs - b.arrivalMs);
  const heard: Heard[] = [];
  for (let nowMs = 5; nowMs <= untilMs; nowMs += 20) {
    while (arrivals.length > 0 && arrivals[0]!.arrivalMs <= nowMs) {
      const { index, arrivalMs, timestamp, bytes = 160 } = arrivals.shift()!;
      buffer.push(
        BASE_SEQUENCE + index,
        BASE_TIMESTAMP + (timestamp ?? index * 160),
        index === 0,
        new Uint8Array(bytes).fill(index % 200),
        arrivalMs,
      );
    }
    const octets = new Uint8Array(160).fill(SILENCE);
    heard.push({ pulled: buffer.pull(nowMs, octets, false), octets });
  }
  return heard;
}

const stream = (count: number): Sent[] =>
  Array.from({ length: count }, (_, index) => ({ index, arrivalMs: index * 20 }));
const kinds = (heard: Heard[]): string =>
  heard.map(({ pulled }) => ({ audio: 'a', lost: 'L', silent: '.' })[pulled]).join('');
const order = (heard: Heard[]): number[] =>
  heard.filter(({ pulled }) => pulled === 'audio').map(({ octets }) => octets[0]!);

test('a steady stream comes out whole, in order, 40 ms later', () => {
  const heard = play(stream(50), 20 * 51);
  expect(order(heard)).toEqual(Array.from({ length: 49 }, (_, i) => i));
  expect(heard.findIndex(({ pulled }) => pulled === 'audio')).toBe(2);
});

test('packets that overtake each other are put right', () => {
  const packets = stream(50).map((packet) =>
    packet.index % 5 === 2 ? { ...packet, arrivalMs: packet.arrivalMs + 30 } : packet,
  );
  const heard = play(packets, 20 * 50);
  const indices = order(heard);
  expect(indices).toEqual(indices.toSorted((a, b) => a - b));
  expect(kinds(heard)).not.toContain('L');
});

test('a lost packet is one lost frame between its neighbours', () => {
  const heard = play(
    stream(30).filter(({ index }) => index !== 10),
    20 * 30,
  );
  expect(kinds(heard).slice(2)).toMatch(/^a{10}La+$/u);
});

test('a duplicate is told and played once', () => {
  const buffer = new JitterBuffer();
  const payload = new Uint8Array(160);
  expect(buffer.push(BASE_SEQUENCE, BASE_TIMESTAMP, true, payload, 0)).toBe('kept');
  expect(buffer.push(BASE_SEQUENCE, BASE_TIMESTAMP, true, payload, 1)).toBe('duplicate');
  buffer.pull(45, new Uint8Array(160), false);
  expect(buffer.push(BASE_SEQUENCE, BASE_TIMESTAMP, true, payload, 46)).toBe('duplicate');
  expect(buffer.depth).toBe(0);
});

test('a packet behind its time is late, and the delay grows so that the next one like it is not', () => {
  const packets = stream(200).map((packet) =>
    packet.index % 20 === 19 ? { ...packet, arrivalMs: packet.arrivalMs + 85 } : packet,
  );
  const buffer = new JitterBuffer();
  const heard = play(packets, 20 * 200, buffer);
  expect(buffer.targetMs).toBeGreaterThan(90);
  expect(kinds(heard).slice(2, 60)).toContain('L');
  expect(kinds(heard).slice(-80)).toMatch(/^a+$/u);
});

test('silence by the far end (timestamp jumps, sequence does not) is silence, not loss', () => {
  const packets = [
    ...stream(10),
    ...Array.from({ length: 10 }, (_, i) => ({
      index: 10 + i,
      arrivalMs: (i + 40) * 20,
      timestamp: (i + 40) * 160,
    })),
  ];
  const heard = play(packets, 20 * 50);
  const afterPause = heard.slice(42).filter(({ pulled }) => pulled === 'audio');
  expect(afterPause.length).toBeGreaterThanOrEqual(7);
  expect(order(heard)).toEqual(order(heard).toSorted((a, b) => a - b));
});

test.each([10, 30, 40, 60])('packets of %d ms are cut into frames of 20 ms without a gap', (ptimeMs) => {
  const bytes = ptimeMs * 8;
  const packets = Array.from({ length: 40 }, (_, index) => ({
    index,
    arrivalMs: index * ptimeMs,
    timestamp: index * bytes,
    bytes,
  }));
  const heard = play(packets, 39 * ptimeMs);
  const audio = heard.filter(({ pulled }) => pulled === 'audio');
  expect(kinds(heard)).toMatch(/^\.+a+$/u);
  const octets = audio.flatMap((frame) => [...frame.octets]);
  expect(octets.findIndex((octet, i) => octet !== Math.floor(i / bytes))).toBe(-1);
});

test.each([150, 250, 450])('a way that becomes %d ms longer costs speech for a moment only', (moreMs) => {
  const packets = stream(400).map((packet) =>
    packet.index < 100 ? packet : { ...packet, arrivalMs: packet.arrivalMs + moreMs },
  );
  const heard = kinds(play(packets, 20 * 420));
  const before = heard.slice(0, 100).match(/a/g)?.length ?? 0;
  expect(before).toBeGreaterThan(95);
  // The gap itself, the packets until it is certain, and a delay that begins anew.
  expect(heard.slice(100, 160).match(/a/g)?.length ?? 0).toBeGreaterThan(60 - (moreMs + 150 + 150) / 20 - 3);
  expect(heard.slice(160)).toMatch(/^a{200,}/);
});

test('a burst behind a stall is caught up with and does not stay behind', () => {
  const packets = stream(300).map((packet) =>
    packet.index < 100 || packet.index > 120 ? packet : { ...packet, arrivalMs: 121 * 20 },
  );
  const heard = kinds(play(packets, 20 * 300));
  // A few frames are made up while the delay grows.
  expect(heard.slice(130).match(/a/g)?.length).toBeGreaterThan(160);
});

test('a sender that jumps its timestamps is followed after a few packets', () => {
  const packets = stream(80).map((packet) =>
    packet.index < 40 ? packet : { ...packet, timestamp: packet.index * 160 + 8_000_000 },
  );
  const heard = play(packets, 20 * 80);
  expect(kinds(heard).slice(-30)).toMatch(/^a+$/u);
});

test('what piled up while nobody pulled is cut, not carried along', () => {
  const buffer = new JitterBuffer();
  const heard: number[] = [];
  for (let index = 0; index < 100; index++) {
    const nowMs = index * 20;
    buffer.push(BASE_SEQUENCE + index, BASE_TIMESTAMP + index * 160, false, new Uint8Array(160).fill(index), nowMs);
    if (index >= 20 && index < 45) continue;
    const octets = new Uint8Array(160).fill(SILENCE);
    if (buffer.pull(nowMs + 5, octets, false) === 'audio') heard.push(octets[0]!);
  }
  // Packet 45 has just come when pulling resumes; at most 120 ms of delay and a frame of granularity may lie between.
  const afterStall = heard.find((index) => index > 20)!;
  expect(afterStall).toBeGreaterThanOrEqual(45 - 7);
  expect(heard.at(-1)).toBeGreaterThanOrEqual(99 - 7);
});

test('whatever arrives, frames are whole, nothing is played twice and time never runs back', () => {
  const packet = fc.record({
    index: fc.integer({ min: 0, max: 120 }),
    delayMs: fc.integer({ min: 0, max: 300 }),
    timestampError: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -4000, max: 4000 }) },
    ),
    bytes: fc.constantFrom(0, 80, 160, 160, 160, 480),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 200 }), (sent) => {
      const buffer = new JitterBuffer();
      const heard = play(
        sent.map(({ index, delayMs, timestampError, bytes }) => ({
          index,
          arrivalMs: index * 20 + delayMs,
          timestamp: Math.max(0, index * 160 + timestampError),
          bytes,
        })),
        3200,
        buffer,
      );
      expect(buffer.targetMs).toBeGreaterThanOrEqual(20);
      expect(buffer.targetMs).toBeLessThanOrEqual(120);
      expect(buffer.depth).toBe(0);
      for (const { pulled, octets } of heard) {
        expect(octets).toHaveLength(160);
        expect(pulled === 'audio' || octets.every((octet) => octet === SILENCE)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test('with jitter within its reach nothing is lost once it has adapted', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 400, maxLength: 400 }), (jitter) => {
      const packets = stream(400).map((packet) => ({ ...packet, arrivalMs: packet.arrivalMs + jitter[packet.index]! }));
      const heard = play(packets, 20 * 400);
      const indices = order(heard);
      expect(indices.filter((value, i) => i > 0 && value === indices[i - 1])).toEqual([]);
      const settled = kinds(heard).slice(-200);
      expect(settled.split('L').length - 1).toBeLessThanOrEqual(2);
    }),
    { numRuns: 30 },
  );
});

test('keys between the packets of speech are no loss, however high the timestamps are', () => {
  const buffer = new JitterBuffer();
  const base = 0x100000000 + 0xc0000000;
  const heard: Pulled[] = [];
  for (let i = 0; i < 60; i++) {
    // Every fifth sequence number carries an event; the speech beside it goes on.
    buffer.push(BASE_SEQUENCE + i + Math.floor(i / 4), base + i * 160, i === 0, new Uint8Array(160).fill(i), i * 20);
    if (i % 4 === 3) buffer.skip(BASE_SEQUENCE + i + Math.floor(i / 4) + 1);
    heard.push(buffer.pull(i * 20 + 5, new Uint8Array(160), false));
  }
  const first = heard.indexOf('audio');
  expect(first).toBeLessThan(4);
  expect(heard.slice(first).every((pulled) => pulled === 'audio')).toBe(true);
});
