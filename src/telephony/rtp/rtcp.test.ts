import * as fc from 'fast-check';
import { ManualClock } from '#platform/clock.ts';
import { expect, test } from 'vitest';
import { Reception } from './reception.ts';
import { RtcpSession } from './rtcp-session.ts';
import { middleNtp, parseRtcp, toNtp, writeRtcp } from './rtcp.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });
const block = fc.record({
  ssrc: word,
  fractionLost: fc.integer({ min: 0, max: 255 }),
  cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
  highest: word,
  jitterUnits: word,
  lastReport: word,
  delay: word,
});
const sender = fc.record({ ntpSeconds: word, ntpFraction: word, timestamp: word, packets: word, octets: word });

test('a compound packet is read back as it was written', () => {
  fc.assert(
    fc.property(
      word,
      fc.stringMatching(/^[a-z0-9]{1,30}$/u),
      fc.option(sender, { nil: undefined }),
      fc.option(block, { nil: undefined }),
      fc.boolean(),
      (ssrc, cname, senderInfo, reportBlock, bye) => {
        const bytes = writeRtcp({ ssrc, cname, sender: senderInfo, block: reportBlock, bye });
        expect(bytes.length % 4).toBe(0);
        expect(parseRtcp(bytes)).toEqual({
          ssrc,
          sender: senderInfo,
          blocks: reportBlock === undefined ? [] : [reportBlock],
          byes: bye ? [ssrc] : [],
        });
      },
    ),
  );
});

test('mutilated packets are refused or read, never a fault', () => {
  const whole = writeRtcp({ ssrc: 1, cname: 'abc', sender: undefined, block: undefined, bye: true });
  const readable = Array.from({ length: whole.length + 1 }, (_, length) => length).filter(
    (length) => parseRtcp(whole.subarray(0, length)) !== undefined,
  );
  // A cut between two packets leaves a shorter, whole compound.
  expect(readable).toEqual([8, whole.length - 8, whole.length]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, plausible) => {
      if (plausible && bytes.length > 3) bytes.set([0x81, 200 + (bytes[1]! % 4), 0, bytes[3]! % 12]);
      parseRtcp(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('NTP time counts from 1900 in seconds and 2^-32 of them', () => {
  expect(toNtp(500)).toEqual({ seconds: 2_208_988_800, fraction: 0x80000000 });
  expect(middleNtp(0x12345678, 0x9abcdef0)).toBe(0x56789abc);
});

function session(clock: ManualClock, random: number, sent = { ssrc: 7, packets: 0, octets: 0, timestamp: 0 }) {
  const reception = new Reception(8000);
  const out: Uint8Array[] = [];
  const rtcp = new RtcpSession({
    clock,
    cname: 'c',
    random: () => random,
    sent,
    reception,
    send: (bytes) => void out.push(bytes),
  });
  return { rtcp, reception, sent, out };
}

test.each([
  [0, 1.026, 2.052],
  [0.999, 3.076, 6.152],
])('reports come at the randomised interval (random %d)', (random, firstSeconds, thenSeconds) => {
  const clock = new ManualClock();
  const { rtcp, out } = session(clock, random);
  const times: number[] = [];
  for (let nowMs = 0; nowMs < 30_000; nowMs += 20) {
    clock.advance(20);
    const before = out.length;
    rtcp.poll(clock.monotonicMs());
    if (out.length > before) times.push(clock.monotonicMs() / 1000);
  }
  expect(times[0]).toBeCloseTo(firstSeconds, 1);
  expect(times[1]! - times[0]!).toBeCloseTo(thenSeconds, 1);
});

test('who sent gives a sender report, who did not a receiver report', () => {
  const clock = new ManualClock();
  const { rtcp, sent, out } = session(clock, 0.5);
  sent.packets = 3;
  rtcp.poll(10_000);
  rtcp.poll(20_000);
  expect(out.map((bytes) => bytes[1])).toEqual([200, 201]);
});

test('the round trip is the echoed report time without the delay at the far end', () => {
  const clock = new ManualClock();
  const near = session(clock, 0.5, { ssrc: 7, packets: 5, octets: 800, timestamp: 99 });
  const far = session(clock, 0.5, { ssrc: 8, packets: 5, octets: 800, timestamp: 99 });
  far.reception.restart(7, 1);
  far.reception.count(1, 160, 0);
  clock.advance(10_000);
  near.rtcp.poll(clock.monotonicMs());
  clock.advance(40);
  far.rtcp.accept(near.out[0]!, clock.monotonicMs());
  clock.advance(3000);
  far.rtcp.poll(clock.monotonicMs());
  clock.advance(30);
  near.rtcp.accept(far.out[0]!, clock.monotonicMs());
  expect(near.rtcp.roundTripMs).toBeCloseTo(70, 0);
  expect(near.rtcp.remoteFractionLost).toBe(0);
  expect(near.rtcp.meanRoundTripMs).toBeCloseTo(70, 0);
});

test('the far end’s loss is the share of all that was sent, and round trips are averaged', () => {
  const clock = new ManualClock();
  const { rtcp, sent } = session(clock, 0.5, { ssrc: 7, packets: 200, octets: 800, timestamp: 99 });
  expect([rtcp.remoteLossRatio, rtcp.meanRoundTripMs]).toEqual([undefined, undefined]);
  const report = (cumulativeLost: number, roundTripMs: number) => {
    clock.advance(5000);
    const nowMs = clock.monotonicMs();
    const ntp = toNtp(clock.now().getTime() - roundTripMs);
    const lastReport = middleNtp(ntp.seconds, ntp.fraction);
    const block = { ssrc: 7, fractionLost: 0, cumulativeLost, highest: 0, jitterUnits: 16, lastReport, delay: 0 };
    rtcp.accept(writeRtcp({ ssrc: 9, cname: 'x', sender: undefined, block, bye: false }), nowMs);
  };
  report(20, 40);
  expect(rtcp.remoteLossRatio).toBeCloseTo(0.1);
  sent.packets = 400;
  report(20, 60);
  expect(rtcp.remoteLossRatio).toBeCloseTo(0.05);
  expect(rtcp.meanRoundTripMs).toBeCloseTo(50, 0);
  report(-3, 60);
  expect(rtcp.remoteLossRatio).toBe(0);
});

test('loss is reported per interval and in total, and BYE follows only what was sent', () => {
  const clock = new ManualClock();
  const { rtcp, reception, sent, out } = session(clock, 0.5);
  rtcp.close();
  expect(out).toHaveLength(0);
  reception.restart(9, 65_530);
  for (let i = 0; i < 20; i++) if (i % 4 !== 1) reception.count((65_530 + i) & 0xffff, i * 160, i * 20);
  rtcp.poll(10_000);
  const [first] = parseRtcp(out[0]!)!.blocks;
  expect(first).toMatchObject({ ssrc: 9, fractionLost: 64, cumulativeLost: 5, jitterUnits: 0 });
  expect(first!.highest & 0xffff).toBe((65_530 + 19) & 0xffff);
  rtcp.poll(20_000);
  expect(parseRtcp(out[1]!)!.blocks[0]).toMatchObject({ fractionLost: 0, cumulativeLost: 5 });
  sent.packets = 1;
  rtcp.close();
  expect(parseRtcp(out[2]!)!.byes).toEqual([7]);
});

test('a restarted source is counted anew and its past loss is kept', () => {
  const reception = new Reception(8000);
  reception.restart(1, 100);
  reception.count(100, 0, 0);
  reception.count(103, 480, 60);
  expect(reception.lost).toBe(2);
  expect(reception.count(40_000, 640, 80)).toBe(-1);
  expect(reception.count(40_001, 800, 100)).toBeGreaterThan(0);
  expect(reception.lost).toBe(2);
  expect(reception.totalReceived).toBe(3);
});

test('jitter converges on the mean difference of spacing', () => {
  const reception = new Reception(8000);
  reception.restart(1, 0);
  for (let i = 0; i < 500; i++) reception.count(i, i * 160, i * 20 + (i % 2) * 10);
  expect(reception.jitterMs).toBeCloseTo(10, 0);
  const one = new Reception(8000);
  one.restart(1, 0);
  one.count(0, 0, 0);
  one.count(1, 160, 36);
  expect(one.jitterUnits).toBe((16 * 8) / 16);
});
