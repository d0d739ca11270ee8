import { afterEach, describe, expect, it } from 'vitest';
import { OPUS_MAX_SAMPLES, OpusDecoder, OpusEncoder, opusSamples } from './opus.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function encoder(fec = false, maxBitsPerSecond?: number): OpusEncoder {
  const made = new OpusEncoder({ fec, cbr: false, maxBitsPerSecond });
  open.push(made);
  return made;
}

function decoder(): OpusDecoder {
  const made = new OpusDecoder();
  open.push(made);
  return made;
}

/** Something like a vowel: a pitch of 125 Hz with its harmonics, swelling. */
function vowel(samples: number, from = 0): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => {
    const t = (from + i) / 8000;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 10; harmonic++) sum += Math.sin(2 * Math.PI * 125 * harmonic * t) / harmonic;
    return 4000 * (1 + 0.5 * Math.sin(2 * Math.PI * 3 * t)) * sum;
  });
}

function packets(count: number, coder: OpusEncoder, samples = 160): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const room = new Uint8Array(1276);
    return room.slice(0, coder.encode(vowel(samples, i * samples), samples, room, 0));
  });
}

function level(pcm: Int16Array): number {
  return Math.sqrt(pcm.reduce((sum, one) => sum + one * one, 0) / pcm.length);
}

/** The most that two signals are alike at any lag up to `lags`, −1 to 1. */
function likeness(one: Int16Array, other: Int16Array, lags: number): number {
  let best = -1;
  for (let lag = 0; lag <= lags; lag++) {
    let [product, a, b] = [0, 1, 1];
    for (let i = 0; i + lag < one.length; i++) {
      product += one[i + lag]! * other[i]!;
      a += one[i + lag]! ** 2;
      b += other[i]! ** 2;
    }
    best = Math.max(best, product / Math.sqrt(a * b));
  }
  return best;
}

describe('Opus', () => {
  it.each([80, 160, 320, 480])('brings speech across in packets of %i samples', (samples) => {
    const coder = encoder();
    const heard = decoder();
    const out = new Int16Array(OPUS_MAX_SAMPLES);
    const all: number[] = [];
    let octets = 0;
    for (const packet of packets(9600 / samples, coder, samples)) {
      octets += packet.length;
      expect(opusSamples(packet)).toBe(samples);
      expect(heard.decode(packet, packet.length, out)).toBe(samples);
      all.push(...out.subarray(0, samples));
    }
    // Its high pass turns the phase of the pitch, and the waveform is not what it aims at.
    expect(likeness(Int16Array.from(all), vowel(9600), 160)).toBeGreaterThan(0.75);
    expect(Math.abs(20 * Math.log10(level(Int16Array.from(all)) / level(vowel(9600))))).toBeLessThan(1.5);
    // 16 kbit/s of 1.2 s.
    expect(octets).toBeLessThan(3200);
  });

  it('recovers a lost packet from the redundancy of the next one better than by guessing', () => {
    const sent = packets(60, encoder(true));
    const [recovered, guessed, whole] = [decoder(), decoder(), decoder()];
    const out = new Int16Array(OPUS_MAX_SAMPLES);
    const [fec, plc, full] = [new Int16Array(160), new Int16Array(160), new Int16Array(160)];
    let [likeFec, likePlc, made] = [0, 0, 0];
    for (const [i, packet] of sent.entries()) {
      whole.decode(packet, packet.length, out);
      if (i % 10 === 9) {
        full.set(out.subarray(0, 160));
        const next = sent[i + 1] ?? packet;
        made += Number(recovered.recover(next, next.length, 160, fec, 0));
        made += Number(guessed.conceal(160, plc, 0));
        likeFec += likeness(fec, full, 0);
        likePlc += likeness(plc, full, 0);
      } else {
        recovered.decode(packet, packet.length, out);
        guessed.decode(packet, packet.length, out);
      }
    }
    expect(made).toBe(12);
    expect(likeFec / 6).toBeGreaterThan(0.8);
    expect(likeFec).toBeGreaterThan(likePlc);
  });

  it('fades where nothing comes any more', () => {
    const heard = decoder();
    const out = new Int16Array(OPUS_MAX_SAMPLES);
    for (const packet of packets(20, encoder())) heard.decode(packet, packet.length, out);
    const before = level(out.subarray(0, 160));
    const made = new Int16Array(160);
    heard.conceal(160, made, 0);
    expect(level(made)).toBeGreaterThan(before / 4);
    for (let i = 0; i < 20; i++) heard.conceal(160, made, 0);
    expect(level(made)).toBeLessThan(before / 10);
  });

  it('keeps many coders of one thread apart', () => {
    const wanted = packets(5, encoder());
    const coders = Array.from({ length: 80 }, () => encoder());
    const results = coders.map((coder) => packets(5, coder));
    expect(results.every((one) => one.every((packet, i) => Buffer.compare(packet, wanted[i]!) === 0))).toBe(true);
  });

  it('keeps to a limit of the far end', () => {
    const octets = packets(100, encoder(true, 8000))
      .slice(10)
      .reduce((sum, packet) => sum + packet.length, 0);
    expect((octets * 8) / (90 * 0.02)).toBeLessThan(9000);
  });

  it('reads how long a packet lasts, and refuses what is none', () => {
    const toc = (config: number, code: number, ...rest: number[]) =>
      opusSamples(Uint8Array.of((config << 3) | code, ...rest));
    expect([0, 1, 2, 3].map((config) => toc(config, 0))).toEqual([80, 160, 320, 480]);
    expect([12, 13].map((config) => toc(config, 0))).toEqual([80, 160]);
    expect([16, 17, 18, 19].map((config) => toc(config, 0))).toEqual([20, 40, 80, 160]);
    expect([toc(1, 1), toc(1, 2), toc(1, 3, 6), toc(1, 3, 7), toc(1, 3, 0), toc(1, 3)]).toEqual([
      320, 320, 960, -1, -1, -1,
    ]);
    expect(opusSamples(new Uint8Array())).toBe(-1);
    const out = new Int16Array(OPUS_MAX_SAMPLES);
    expect(decoder().decode(Uint8Array.of(3), 1, out)).toBe(-1);
  });

  it('does nothing once closed', () => {
    const coder = encoder();
    const heard = decoder();
    for (const one of [coder, heard, coder, heard]) one.close();
    expect(coder.encode(new Int16Array(160), 160, new Uint8Array(1276), 0)).toBe(0);
    expect(heard.conceal(160, new Int16Array(160), 0)).toBe(false);
  });
});
