import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { decodeUlaw, encodeAlaw, decodeAlaw } from '../codec/g711.ts';
import type { DtmfEvent } from './dtmf.ts';
import { DtmfToneDetector } from './dtmf-tones.ts';

const KEYS = '123A456B789C*0#D';
const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const WORDS = fileURLToPath(new URL('../../../../shared/speech/voice-zh-8k/', import.meta.url));

interface Press {
  readonly key: string;
  readonly ms: number;
  readonly gapMs: number;
  /** Share by which both tones are off. */
  readonly off?: number;
  /** High above low. */
  readonly twistDb?: number;
  /** Of the low tone. */
  readonly levelDbm0?: number;
}

/** Amplitude of a sine of that level: full scale is +3.14 dBm0. */
const amplitude = (dbm0: number) => 32_256 * 10 ** ((dbm0 - 3.14) / 20);

function pressed(presses: readonly Press[], noiseDbm0 = -80, leadSamples = 0): Int16Array {
  const out: number[] = Array.from({ length: leadSamples }, () => 0);
  for (const press of presses) {
    const index = KEYS.indexOf(press.key);
    const off = 1 + (press.off ?? 0);
    const [low, high] = [LOW_HZ[index >> 2]! * off, HIGH_HZ[index & 3]! * off];
    const level = press.levelDbm0 ?? -10;
    for (let i = 0; i < press.ms * 8; i++)
      out.push(
        amplitude(level) * Math.sin((2 * Math.PI * low * i) / 8000) +
          amplitude(level + (press.twistDb ?? 0)) * Math.sin((2 * Math.PI * high * i) / 8000 + 1),
      );
    for (let i = 0; i < press.gapMs * 8; i++) out.push(0);
  }
  for (let i = 0; i < 800; i++) out.push(0);
  let seed = 1;
  const noise = amplitude(noiseDbm0) * Math.sqrt(1.5);
  return Int16Array.from(out, (sample) => {
    seed = (seed * 1_103_515_245 + 12_345) % 0x80000000;
    return Math.max(-32_768, Math.min(32_767, Math.round(sample + noise * (seed / 0x40000000 - 1))));
  });
}

/** What is heard after a G.711 line. */
function heard(pcm: Int16Array): DtmfEvent[] {
  const events: DtmfEvent[] = [];
  const detector = new DtmfToneDetector((event) => events.push(event));
  const octets = new Uint8Array(160);
  const frame = new Int16Array(160);
  for (let at = 0; at + 160 <= pcm.length; at += 160) {
    encodeAlaw(pcm.subarray(at, at + 160), octets);
    decodeAlaw(octets, frame);
    detector.push(frame, (at + 160) / 8);
  }
  return events;
}

const digits = (events: readonly DtmfEvent[]) => events.map((event) => event.digit).join('');

test('every key is heard once, with when and how long', () => {
  const events = heard(pressed(Array.from(KEYS, (key) => ({ key, ms: 100, gapMs: 60 }))));
  expect(digits(events)).toBe(KEYS);
  for (const [i, event] of events.entries()) {
    expect(Math.abs(event.durationMs - 100)).toBeLessThanOrEqual(15);
    expect(Math.abs(event.atMs - i * 160)).toBeLessThanOrEqual(15);
  }
});

test('presses and pauses of 40 ms are enough wherever they lie in the frames, and 15 dB above noise', () => {
  for (let lead = 0; lead < 160; lead += 7) {
    const presses = Array.from('159D*0#', (key) => ({ key, ms: 40, gapMs: 40 }));
    expect([lead, digits(heard(pressed(presses, -80, lead)))]).toEqual([lead, '159D*0#']);
    expect([lead, digits(heard(pressed(presses, -26, lead)))]).toEqual([lead, '159D*0#']);
  }
});

test('the same key twice is two presses, and 10 ms of interruption is one', () => {
  const twice = [40, 10].map((gapMs) =>
    digits(
      heard(
        pressed([
          { key: '5', ms: 80, gapMs },
          { key: '5', ms: 80, gapMs: 50 },
        ]),
      ),
    ),
  );
  expect(twice).toEqual(['55', '5']);
});

test('23 ms are no press', () => {
  for (let lead = 0; lead < 160; lead += 7)
    for (const key of '15D') expect(heard(pressed([{ key, ms: 23, gapMs: 60 }], -80, lead))).toEqual([]);
});

test.each([0.015, -0.015, 0.01, -0.01])('tones off by %d are a key', (off) => {
  for (const key of KEYS) expect(digits(heard(pressed([{ key, ms: 80, gapMs: 40, off }])))).toBe(key);
});

test.each([0.035, -0.035, 0.05, -0.05, 0.07])('tones off by %d are none', (off) => {
  for (const key of KEYS) expect(digits(heard(pressed([{ key, ms: 80, gapMs: 40, off }])))).toBe('');
});

test('twist is taken from −8 to +5 dB and refused beyond −12 and +9', () => {
  for (const key of KEYS) {
    for (const twistDb of [-8, -4, 0, 5])
      expect([twistDb, digits(heard(pressed([{ key, ms: 80, gapMs: 40, twistDb }])))]).toEqual([twistDb, key]);
    for (const twistDb of [-12, 9]) expect(digits(heard(pressed([{ key, ms: 80, gapMs: 40, twistDb }])))).toBe('');
  }
});

test('levels from 0 to −30 dBm0 are heard, −40 dBm0 is not', () => {
  for (const levelDbm0 of [0, -10, -20, -30])
    expect(digits(heard(pressed([{ key: '6', ms: 60, gapMs: 40, levelDbm0 }])))).toBe('6');
  expect(heard(pressed([{ key: '6', ms: 60, gapMs: 40, levelDbm0: -40 }]))).toEqual([]);
});

test('one tone alone, noise and the tones of an exchange are no key', () => {
  const tones = [[697], [1336], [450], [350, 440], [480, 620], [425]];
  for (const parts of tones) {
    const pcm = Int16Array.from({ length: 8000 }, (_, i) =>
      parts.reduce((sum, hz) => sum + 5000 * Math.sin((2 * Math.PI * hz * i) / 8000), 0),
    );
    expect([parts, heard(pcm)]).toEqual([parts, []]);
  }
  expect(heard(pressed([{ key: '1', ms: 0, gapMs: 20_000 }], -10))).toEqual([]);
});

/** The samples of a µ-law WAV file. */
function readWord(file: string): Int16Array {
  const bytes = readFileSync(WORDS + file);
  const data = bytes.indexOf('data', 12, 'latin1');
  const octets = bytes.subarray(data + 8, data + 8 + bytes.readUInt32LE(data + 4));
  const pcm = new Int16Array(octets.length);
  decodeUlaw(octets, pcm);
  return pcm;
}

test.skipIf(!existsSync(WORDS))(
  'a quarter of an hour of human words holds no key (skipped where ../shared/speech/voice-zh-8k is absent)',
  () => {
    let seconds = 0;
    const wrong: string[] = [];
    for (const file of readdirSync(WORDS).filter((name) => name.endsWith('.wav'))) {
      const pcm = readWord(file);
      seconds += pcm.length / 8000;
      for (const event of heard(pcm)) wrong.push(`${file} ${event.digit} ${event.durationMs} ms`);
    }
    expect(seconds).toBeGreaterThan(900);
    expect(wrong).toEqual([]);
  },
);
