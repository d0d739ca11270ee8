import { afterEach, describe, expect, it } from 'vitest';
import { encodeG711, FRAME_SAMPLES } from '../codec/g711.ts';
import { frameCodecOf, type AudioCodec, type AudioMedia } from '../sdp/media.ts';
import { AudioReceiver } from './audio-receiver.ts';
import { AudioSender } from './audio-sender.ts';
import type { DtmfEvent } from './dtmf.ts';
import { newRtpPacket, parseRtp, writeRtpHeader } from './packet.ts';

const PAYLOAD_TYPES: Readonly<Record<AudioCodec, number>> = { PCMU: 0, PCMA: 8, G722: 9, opus: 111 };
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function mediaOf(codec: AudioCodec, more: Partial<AudioMedia> = {}): AudioMedia {
  return {
    codec,
    payloadType: PAYLOAD_TYPES[codec],
    dtmfPayloadType: undefined,
    ptimeMs: 20,
    remoteAddress: '127.0.0.1',
    remotePort: 9,
    remoteRtcpPort: 10,
    direction: 'sendrecv',
    opus: codec === 'opus' ? { fec: true, cbr: false, maxBitsPerSecond: undefined } : undefined,
    ...more,
  };
}

/** A sender whose packets reach a receiver, unless `lose` says otherwise. */
class Line {
  readonly events: DtmfEvent[] = [];
  readonly receiver: AudioReceiver;
  readonly sender: AudioSender;
  readonly sent: { sequence: number; timestamp: number; payloadType: number; marker: boolean; bytes: number }[] = [];
  kinds = '';
  readonly heard: number[] = [];
  wires: (number | undefined)[] = [];
  lose: (sequence: number) => boolean = () => false;
  hz = 500;
  #samples = 0;
  #nowMs = 0;
  #codec: AudioCodec;
  readonly #packet = newRtpPacket();

  constructor(sends: AudioMedia, receives = sends) {
    this.#codec = sends.codec;
    this.receiver = new AudioReceiver(receives, (event) => this.events.push(event));
    let counter = 0;
    this.sender = new AudioSender(sends, () => 0.5, {
      sendPacket: (bytes) => {
        const packet = this.#packet;
        if (!parseRtp(bytes, packet)) throw new Error('not RTP');
        const { sequence, timestamp, payloadType, marker } = packet;
        this.sent.push({ sequence, timestamp, payloadType, marker, bytes: packet.payloadEnd - packet.payloadStart });
        if (!this.lose(counter++)) this.receiver.accept(packet, bytes.slice(), this.#nowMs);
      },
    });
    open.push(this.receiver, this.sender);
  }

  renegotiate(media: AudioMedia, receiver = true): void {
    this.#codec = media.codec;
    this.sender.renegotiate(media);
    if (receiver) this.receiver.renegotiate(media);
  }

  /** A packet from elsewhere. */
  take(bytes: Uint8Array): void {
    const packet = newRtpPacket();
    if (parseRtp(bytes, packet)) this.receiver.accept(packet, bytes.slice(), this.#nowMs);
  }

  /** The tone of the next frame, for another sender. */
  prepare(sender: AudioSender): void {
    const pcm = Int16Array.from(
      { length: FRAME_SAMPLES },
      (_, i) => 8000 * Math.sin((2 * Math.PI * this.hz * (this.#samples + i)) / 8000),
    );
    encodeG711(frameCodecOf(this.#codec), pcm, sender.blank());
  }

  run(frames: number): void {
    for (let i = 0; i < frames; i++) {
      const pcm = Int16Array.from(
        { length: FRAME_SAMPLES },
        () => 8000 * Math.sin((2 * Math.PI * this.hz * this.#samples++) / 8000),
      );
      encodeG711(frameCodecOf(this.#codec), pcm, this.sender.blank());
      this.sender.next(true);
      this.#nowMs += 20;
      const frame = this.receiver.pull(this.#nowMs);
      this.kinds += frame.kind[0];
      this.heard.push(...frame.pcm);
      this.wires.push(frame.wire?.length);
    }
  }

  /** Share of the last frames' power that is the tone, and its amplitude. */
  tone(frames: number): { readonly share: number; readonly amplitude: number } {
    const pcm = this.heard.slice(-frames * FRAME_SAMPLES);
    let [real, imaginary, power] = [0, 0, 1e-9];
    for (const [i, sample] of pcm.entries()) {
      real += sample * Math.cos((2 * Math.PI * this.hz * i) / 8000);
      imaginary += sample * Math.sin((2 * Math.PI * this.hz * i) / 8000);
      power += sample * sample;
    }
    const amplitude = (2 * Math.hypot(real, imaginary)) / pcm.length;
    return { amplitude, share: (amplitude ** 2 * pcm.length) / 2 / power };
  }
}

describe.each(['PCMA', 'PCMU', 'G722', 'opus'] as const)('%s', (codec) => {
  it.each([10, 20, 30, 40, 60])('is heard in packets of %i ms', (ptimeMs) => {
    const line = new Line(mediaOf(codec, { ptimeMs }));
    line.run(100);
    expect(line.kinds).toMatch(/^n{1,6}a+$/u);
    const { share, amplitude } = line.tone(50);
    expect(share).toBeGreaterThan(0.97);
    expect(Math.abs(amplitude - 8000)).toBeLessThan(800);
    // Opus has no packets of 30 ms.
    const packetMs = codec === 'opus' && ptimeMs === 30 ? 20 : ptimeMs;
    const units = packetMs * (codec === 'opus' ? 48 : 8);
    const [first, second] = line.sent;
    expect((second!.timestamp - first!.timestamp) >>> 0).toBe(units);
    expect(line.sent.length).toBe(Math.floor(2000 / packetMs));
    const octets = codec === 'opus' ? first!.bytes : packetMs * 8;
    expect(first!.bytes).toBe(octets);
    expect(line.sent.map(({ marker }) => marker).lastIndexOf(true)).toBe(0);
    expect(line.receiver.reception.jitterMs).toBeLessThan(ptimeMs === 20 ? 0.01 : 10);
  });

  it('hides lost packets', () => {
    const line = new Line(mediaOf(codec));
    line.lose = (sequence) => sequence % 10 === 5;
    line.run(200);
    expect(line.kinds).toMatch(/^n{1,2}(a{1,9}c?)+$/u);
    expect(line.kinds.split('c').length - 1).toBeGreaterThan(15);
    // libopus keeps the pitch of what it makes up, not its phase.
    expect(line.tone(100).share).toBeGreaterThan(codec === 'opus' ? 0.5 : 0.85);
    expect(line.receiver.reception.lost).toBe(20);
  });

  it('is silent where the far end sends nothing for a while, and goes on afterwards', () => {
    const line = new Line(mediaOf(codec));
    line.run(30);
    line.kinds = '';
    for (let i = 0; i < 40; i++) {
      line.sender.skip(1);
      line.sender.blank();
    }
    line.run(40);
    expect(line.kinds).toMatch(/a{25,}$/u);
    expect(line.tone(20).share).toBeGreaterThan(0.97);
    expect(line.receiver.reception.lost).toBe(0);
  });

  it('hands out and takes the octets of the wire', () => {
    const line = new Line(mediaOf(codec));
    const onward = new Line(mediaOf(codec));
    for (let i = 0; i < 60; i++) {
      line.run(1);
      onward.sender.blank();
      const { wire } = line.receiver.frame;
      if (wire !== undefined) onward.sender.relay(wire);
      onward.sender.next(true);
    }
    const sizes = onward.sent.slice(-40).map(({ bytes }) => bytes);
    // The same packets, two or three frames later.
    expect(line.sent.map(({ bytes }) => bytes).join()).toContain(sizes.slice(0, 30).join());
    expect(line.wires.slice(3).every((bytes) => bytes !== undefined)).toBe(true);
  });
});

it.each(['G722', 'opus'] as const)(
  'another source of %s is followed, and a stray packet of a third is not',
  (codec) => {
    const line = new Line(mediaOf(codec));
    const other = new AudioSender(mediaOf(codec), () => 0.25, { sendPacket: (bytes) => line.take(bytes) });
    open.push(other);
    line.run(50);
    other.blank();
    other.next(true);
    line.run(20);
    expect(line.kinds.slice(50)).toMatch(/^a+$/u);
    expect(line.tone(15).share).toBeGreaterThan(0.97);
    line.lose = () => true;
    const next = new AudioSender(mediaOf(codec), () => 0.75, { sendPacket: (bytes) => line.take(bytes) });
    open.push(next);
    for (let i = 0; i < 60; i++) {
      line.prepare(next);
      next.next(true);
      line.run(1);
    }
    expect(line.kinds.slice(-40)).toMatch(/^a+$/u);
    expect(line.tone(30).share).toBeGreaterThan(0.9);
  },
);

it('what Opus lost is taken from the redundancy of the packet after it', () => {
  /** Distance from the same call without loss, over the frames that were made up. */
  const distance = (fec: boolean): number => {
    const opus = { fec, cbr: false, maxBitsPerSecond: 20_000 };
    const [whole, lossy] = [new Line(mediaOf('opus', { opus })), new Line(mediaOf('opus', { opus }))];
    lossy.lose = (sequence) => sequence % 10 === 5;
    for (let i = 0; i < 200; i++) {
      // A pitch that never stays: going on from what was heard is no help.
      for (const line of [whole, lossy]) {
        line.hz = 300 + ((i * 7) % 11) * 60;
        line.run(1);
      }
    }
    let sum = 0;
    for (const [frame, kind] of lossy.kinds.split('').entries())
      if (kind === 'c')
        for (let i = frame * FRAME_SAMPLES; i < (frame + 1) * FRAME_SAMPLES; i++)
          sum += (whole.heard[i]! - lossy.heard[i]!) ** 2;
    return sum;
  };
  expect(distance(true)).toBeLessThan(distance(false) * 0.7);
});

it('comfort noise next to G.722 is silence, so that nothing is made up', () => {
  const line = new Line(mediaOf('G722'));
  line.run(20);
  const noise = new Uint8Array(13);
  const last = line.sent.at(-1)!;
  writeRtpHeader(noise, false, 13, (last.sequence + 1) & 0xffff, (last.timestamp + 160) >>> 0, line.sender.ssrc);
  line.take(noise);
  line.lose = () => true;
  line.kinds = '';
  line.run(20);
  expect(line.kinds).toMatch(/^a{1,3}n+$/u);
});

it('frames of a wideband call are A-law of what was decoded', () => {
  const line = new Line(mediaOf('G722'));
  line.run(20);
  const { frame } = line.receiver;
  const expected = new Uint8Array(FRAME_SAMPLES);
  encodeG711('PCMA', frame.pcm, expected);
  expect(frame.payload).toEqual(expected);
});

it.each([
  ['PCMA', 'opus'],
  ['opus', 'PCMU'],
  ['G722', 'PCMA'],
  ['opus', 'G722'],
] as const)('from %s to %s by renegotiation is heard within 100 ms', (from, to) => {
  const line = new Line(mediaOf(from));
  line.run(50);
  line.renegotiate(mediaOf(to));
  line.run(5);
  line.run(50);
  expect(line.kinds.slice(55)).toMatch(/^a+$/u);
  const { share, amplitude } = line.tone(40);
  expect(share).toBeGreaterThan(0.97);
  expect(Math.abs(amplitude - 8000)).toBeLessThan(800);
});

it.each([
  ['PCMA', 'G722'],
  ['G722', 'PCMU'],
  ['PCMU', 'opus'],
  ['opus', 'PCMA'],
] as const)('from %s to %s without a word is understood where both were agreed', (from, to) => {
  const receives = {
    audio: [from, to].map((codec) => ({ codec, payloadType: PAYLOAD_TYPES[codec] })),
    events: [],
  };
  const line = new Line(mediaOf(from), mediaOf(from, { receives }));
  line.run(50);
  line.renegotiate(mediaOf(to), false);
  line.run(60);
  expect(line.kinds.slice(60)).toMatch(/^a+$/u);
  expect(line.tone(40).share).toBeGreaterThan(0.97);
  expect(line.receiver.unusable).toBe(0);
});

it('keys next to Opus count their duration at the rate of their format', () => {
  const line = new Line(mediaOf('opus', { dtmfPayloadType: 100, dtmfRateHz: 48_000 }));
  line.run(20);
  line.sender.enqueueDtmf('7');
  line.run(30);
  expect(line.events).toMatchObject([{ digit: '7', durationMs: 100 }]);
  const events = line.sent.filter(({ payloadType }) => payloadType === 100);
  expect(events).toHaveLength(7);
  expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
});

it.each(['PCMA', 'G722', 'opus'] as const)(
  'keys are sent as tones in %s where nothing else was agreed, and heard',
  (codec) => {
    const line = new Line(mediaOf(codec));
    line.run(10);
    line.sender.enqueueDtmf('1A#0');
    line.run(60);
    expect(line.events.map(({ digit }) => digit).join('')).toBe('1A#0');
    for (const { durationMs } of line.events) expect(Math.abs(durationMs - 100)).toBeLessThanOrEqual(20);
    line.run(20);
    expect(line.tone(10).share).toBeGreaterThan(0.97);
  },
);

it('another clock makes another source, another codec of the same clock does not (RFC 7160)', () => {
  const packets: { ssrc: number; bytes: Uint8Array }[] = [];
  let random = 0.1;
  const sender = new AudioSender(mediaOf('PCMA'), () => (random += 0.1), {
    sendPacket: (bytes) => {
      const packet = newRtpPacket();
      if (parseRtp(bytes, packet)) packets.push({ ssrc: packet.ssrc, bytes: bytes.slice() });
    },
  });
  open.push(sender);
  const run = (): void => {
    for (let i = 0; i < 5; i++) {
      sender.blank();
      sender.next(true);
    }
  };
  const sources = (): number => new Set(packets.map(({ ssrc }) => ssrc)).size;
  run();
  sender.renegotiate(mediaOf('G722'));
  run();
  expect([sources(), sender.packets]).toEqual([1, 10]);
  sender.renegotiate(mediaOf('opus'));
  run();
  expect(sources()).toBe(2);
  expect(sender.packets).toBeLessThanOrEqual(5);
  expect(sender.allPackets).toBe(packets.length);
});
