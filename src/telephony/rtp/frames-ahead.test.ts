import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { ManualClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { expect, onTestFinished, test } from 'vitest';
import { ALAW_SILENCE, FRAME_SAMPLES } from '../codec/g711.ts';
import { MediaEngine } from './engine.ts';
import { FramesAhead } from './frames-ahead.ts';
import { newRtpPacket, parseRtp } from './packet.ts';

const HOST = '127.0.0.1';

function frame(octet: number): Uint8Array {
  return new Uint8Array(FRAME_SAMPLES).fill(octet);
}

test('a frame that waits for its tick makes those after it wait', () => {
  const ahead = new FramesAhead();
  expect(ahead.mayLeave(100)).toBe(true);
  ahead.keep(frame(1));
  expect([ahead.sent(100), ahead.sent(120)]).toEqual([true, false]);
  // The handler of 120 did not know yet what to send.
  expect(ahead.mayLeave(120)).toBe(true);
  expect(ahead.mayLeave(140)).toBe(false);
  expect(ahead.due(140)).toBe(100);
  expect(ahead.take()?.[0]).toBe(1);
  expect(ahead.due(140)).toBe(120);
  expect(ahead.take()).toBeUndefined();
  expect(ahead.due(140)).toBe(140);
  expect(ahead.take()).toBeUndefined();
  expect(ahead.due(140)).toBe(-1);
  expect(ahead.mayLeave(160)).toBe(true);
  ahead.keep(frame(4));
  expect(ahead.due(160)).toBe(160);
  expect(ahead.take()?.[159]).toBe(4);
});

test('of ticks that are given up only the frames that were not sent are missing', () => {
  const ahead = new FramesAhead();
  for (const [index, octet] of [1, 2].entries()) {
    expect(ahead.mayLeave(index * 20)).toBe(true);
    ahead.keep(frame(octet));
  }
  expect(ahead.skip(100)).toEqual({ ticks: 5, unsent: 3 });
  expect(ahead.skip(100)).toEqual({ ticks: 0, unsent: 0 });
  expect(ahead.mayLeave(100)).toBe(true);
  ahead.keep(frame(3));
  expect(ahead.due(100)).toBe(100);
  expect(ahead.take()?.[0]).toBe(3);
});

test('what was sent in another codec is silence in this one', () => {
  const ahead = new FramesAhead();
  ahead.mayLeave(0);
  ahead.keep(frame(1));
  ahead.changeCodec('PCMA');
  ahead.due(0);
  expect(ahead.take()?.[0]).toBe(ALAW_SILENCE);
});

/** A clock whose timers fire late, as those of a busy loop do. */
class BusyClock extends ManualClock {
  lateMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.lateMs;
  }
}

test('whether the loop is late or not, every frame leaves once, in order, and is known to who records it', async () => {
  const clock = new BusyClock();
  const engine = await MediaEngine.open({
    clock,
    log: silentLog,
    address: HOST,
    ports: { first: 13_400, last: 13_440 },
    sockets: 'events',
  });
  onTestFinished(() => engine.close());
  const peer = createSocket('udp4');
  onTestFinished(() => void peer.close());
  peer.bind(0, HOST);
  await once(peer, 'listening');
  const remotePort = peer.address().port;
  let next = 0;
  const recorded: number[] = [];
  const early: boolean[] = [];
  const leg = await engine.openLeg({
    onSend(tx, atMs) {
      tx.fill(next++);
      expect(atMs % 20).toBe(0);
      return true;
    },
    onFrame(_rx, tx, sent) {
      if (!sent) tx.fill(next++);
      recorded.push(tx[0]!);
      early.push(sent);
    },
    onText: () => undefined,
    onDtmf: () => undefined,
  });
  const arrived: { octet: number; sequence: number; timestamp: number }[] = [];
  const all = Promise.withResolvers<void>();
  const packet = newRtpPacket();
  peer.on('message', (bytes) => {
    if (!parseRtp(bytes, packet)) return;
    arrived.push({ octet: bytes[packet.payloadStart]!, sequence: packet.sequence, timestamp: packet.timestamp });
    if (arrived.length === recorded.length) all.resolve();
  });
  leg.start({
    audio: {
      codec: 'PCMA',
      payloadType: 8,
      dtmfPayloadType: undefined,
      ptimeMs: 20,
      remoteAddress: HOST,
      remotePort,
      remoteRtcpPort: remotePort + 1,
      direction: 'sendrecv',
    },
    text: undefined,
  });
  for (const lateMs of [0, 30, 0, 90, 15, 190, 0]) {
    clock.lateMs = lateMs;
    clock.advance(60);
  }
  await all.promise;
  const numbers = Array.from(recorded, (_, index) => index);
  expect(recorded).toEqual(numbers);
  expect(early).toContain(true);
  expect(early).toContain(false);
  expect(arrived.map(({ octet }) => octet)).toEqual(numbers);
  const first = arrived[0]!;
  expect(arrived.map(({ sequence }) => (sequence - first.sequence) & 0xffff)).toEqual(numbers);
  expect(arrived.map(({ timestamp }) => (timestamp - first.timestamp) >>> 0)).toEqual(numbers.map((n) => n * 160));
});
