import { expect, test } from 'vitest';
import { encodeG711 } from '../codec/g711.ts';
import type { AudioMedia } from '../sdp/media.ts';
import { AudioReceiver } from './audio-receiver.ts';
import type { DtmfEvent } from './dtmf.ts';
import { newRtpPacket, parseRtp, writeRtpHeader } from './packet.ts';

const MEDIA: AudioMedia = {
  codec: 'PCMA',
  payloadType: 8,
  dtmfPayloadType: 101,
  ptimeMs: 20,
  remoteAddress: '127.0.0.1',
  remotePort: 9,
  remoteRtcpPort: 10,
  direction: 'sendrecv',
};

/** A receiver fed packet by packet and pulled once after each 20 ms. */
class Line {
  readonly events: DtmfEvent[] = [];
  readonly receiver = new AudioReceiver(MEDIA, (event) => this.events.push(event));
  kinds = '';
  levels: number[] = [];
  nowMs = 0;

  packet(o: { sequence: number; timestamp: number; ssrc?: number; type?: number; payload: Uint8Array }): void {
    const bytes = new Uint8Array(12 + o.payload.length);
    writeRtpHeader(bytes, false, o.type ?? 8, o.sequence, o.timestamp, o.ssrc ?? 1);
    bytes.set(o.payload, 12);
    const packet = newRtpPacket();
    if (!parseRtp(bytes, packet)) throw new Error('not RTP');
    this.receiver.accept(packet, bytes, this.nowMs);
  }

  /** The next 20 ms. */
  pull(): void {
    this.nowMs += 20;
    const frame = this.receiver.pull(this.nowMs);
    this.kinds += frame.kind[0];
    this.levels.push(frame.pcm[80]!);
  }
}

function tone(codec: 'PCMA' | 'PCMU', level: number): Uint8Array {
  const payload = new Uint8Array(160);
  encodeG711(codec, new Int16Array(160).fill(level), payload);
  return payload;
}

test('a lost packet is concealed with what was heard, and the frame carries it in the codec too', () => {
  const line = new Line();
  const encoded = new Uint8Array(160);
  for (let i = 0; i < 20; i++) {
    if (i !== 10) line.packet({ sequence: i, timestamp: i * 160, payload: tone('PCMA', 4000) });
    line.pull();
    if (!line.kinds.endsWith('c')) continue;
    encodeG711('PCMA', line.receiver.frame.pcm, encoded);
    expect(line.receiver.frame.payload).toEqual(encoded);
  }
  expect(line.kinds).toMatch(/^n{1,2}a{10}ca+$/u);
  expect(Math.abs(line.levels[line.kinds.indexOf('c')]! - 4000)).toBeLessThan(300);
  expect(line.receiver.reception.lost).toBe(1);
});

test('a stream that dries up fades into nothing', () => {
  const line = new Line();
  for (let i = 0; i < 10; i++) {
    line.packet({ sequence: i, timestamp: i * 160, payload: tone('PCMA', 4000) });
    line.pull();
  }
  for (let i = 0; i < 20; i++) line.pull();
  expect(line.kinds).toMatch(/a{10}c{2,4}n+$/u);
});

test('the other static codec is understood in mid-stream and comes out in the negotiated one', () => {
  const line = new Line();
  for (let i = 0; i < 20; i++) {
    const codec = i < 10 ? 'PCMA' : 'PCMU';
    line.packet({ sequence: i, timestamp: i * 160, type: i < 10 ? 8 : 0, payload: tone(codec, 8000) });
    line.pull();
  }
  expect(line.kinds).toMatch(/^n{1,2}a+$/u);
  for (const level of line.levels.slice(4)) expect(Math.abs(level - 8000)).toBeLessThan(300);
});

test('comfort noise announces silence, so that nothing is concealed', () => {
  const line = new Line();
  for (let i = 0; i < 10; i++) {
    line.packet({ sequence: i, timestamp: i * 160, payload: tone('PCMA', 4000) });
    line.pull();
  }
  line.packet({ sequence: 10, timestamp: 1600, type: 13, payload: Uint8Array.of(60) });
  for (let i = 0; i < 20; i++) line.pull();
  expect(line.kinds).toMatch(/^n{1,2}a{10}n+$/u);
});

test('key presses take the place of audio without being taken for loss', () => {
  const line = new Line();
  for (let i = 0; i < 30; i++) {
    if (i < 10 || i >= 15) line.packet({ sequence: i, timestamp: i * 160, payload: tone('PCMA', 4000) });
    else {
      const duration = (i - 9) * 160;
      const end = i === 14 ? 0x80 : 0;
      line.packet({
        sequence: i,
        timestamp: 1600,
        type: 101,
        payload: Uint8Array.of(7, end | 10, duration >> 8, duration & 255),
      });
    }
    line.pull();
  }
  expect(line.kinds).toMatch(/^n{1,2}a{10}n{5}a+$/u);
  expect(line.events).toEqual([{ digit: '7', durationMs: 100, atMs: 200 }]);
  expect(line.receiver.reception.lost).toBe(0);
});

test('a new source is followed from its second packet on; a single stray packet changes nothing', () => {
  const line = new Line();
  for (let i = 0; i < 40; i++) {
    if (i === 10) line.packet({ sequence: 999, timestamp: 5, ssrc: 77, payload: tone('PCMA', -9000) });
    if (i < 20) line.packet({ sequence: i, timestamp: i * 160, payload: tone('PCMA', 4000) });
    else line.packet({ sequence: 500 + i, timestamp: 90_000 + i * 160, ssrc: 2, payload: tone('PCMA', 12_000) });
    line.pull();
  }
  expect(line.levels.every((level) => level > -500)).toBe(true);
  expect(Math.abs(line.levels.at(-1)! - 12_000)).toBeLessThan(500);
  expect(line.receiver.reception.totalReceived).toBe(39);
});

test('packets of a payload type nobody negotiated are counted and not played', () => {
  const line = new Line();
  line.packet({ sequence: 1, timestamp: 0, type: 96, payload: tone('PCMA', 4000) });
  for (let i = 0; i < 5; i++) line.pull();
  expect(line.kinds).toBe('nnnnn');
  expect(line.receiver.unusable).toBe(1);
});

test('sequence and timestamp wrap without being heard', () => {
  const line = new Line();
  for (let i = 0; i < 40; i++) {
    line.packet({
      sequence: (65_520 + i) & 0xffff,
      timestamp: (0xffffffff - 1000 + i * 160) >>> 0,
      payload: tone('PCMA', 4000),
    });
    line.pull();
  }
  expect(line.kinds).toMatch(/^n{1,2}a+$/u);
});

test('keys are heard as tones only where they were not agreed to come as telephone-events', () => {
  const line = new Line();
  let sequence = 0;
  const press = () => {
    for (let i = 0; i < 10; i++, sequence++) {
      const pcm = Int16Array.from({ length: 160 }, (_, sample) => {
        const seconds = (i * 160 + sample) / 8000;
        return i < 5 ? 6000 * (Math.sin(2 * Math.PI * 770 * seconds) + Math.sin(2 * Math.PI * 1336 * seconds)) : 0;
      });
      const payload = new Uint8Array(160);
      encodeG711('PCMA', pcm, payload);
      line.packet({ sequence, timestamp: sequence * 160, payload });
      line.pull();
    }
  };
  press();
  expect(line.events).toEqual([]);
  line.receiver.renegotiate({ ...MEDIA, dtmfPayloadType: undefined });
  press();
  line.receiver.renegotiate(MEDIA);
  press();
  expect(line.events).toMatchObject([{ digit: '5' }]);
  expect(Math.abs(line.events[0]!.durationMs - 100)).toBeLessThanOrEqual(15);
});
