import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { G722Decoder, G722Encoder } from './g722.ts';
import { BandDecoder, BandEncoder } from './g722-bands.ts';

/** The band-splitting filter of the Recommendation, in 8192ths. */
const HALF = [3, -11, -11, 53, 12, -156, 32, 362, -210, -805, 951, 3876];
const QMF = [...HALF, ...HALF.toReversed()];
/** SHA-256 of what spandsp 0.0.6 made of the same input, a second implementation. */
const SPANDSP = {
  coded: 'f9083b8281a66c8ec97bc059ca0371b522cde779e495f15ef3345a2febafe5db',
  decoded: '8e58bda9fe2198e9f742adaca9321110aacc785a747a796832273a6088bfe785',
  lowerOfNoise: '5deb01c5f5410f599a4359555230e61d94718c20d07cd8218def69267985fb78',
};

/** A whole coder and decoder at 16 kHz, such as phones have. */
function codeAt16kHz(pcm: Int16Array): Uint8Array {
  const bands = new BandEncoder();
  return Uint8Array.from({ length: pcm.length / 2 }, (_, n) => {
    let even = 0;
    let odd = 0;
    for (let k = 0; k < QMF.length; k += 2) {
      even += (pcm[2 * n + 1 - k] ?? 0) * QMF[k]!;
      odd += (pcm[2 * n - k] ?? 0) * QMF[k + 1]!;
    }
    return bands.encode((even + odd) >> 14, (even - odd) >> 14);
  });
}

function decodeAt16kHz(octets: Uint8Array): Int16Array {
  const bands = new BandDecoder();
  const sums: number[] = [];
  const differences: number[] = [];
  const pcm = new Float64Array(octets.length * 2);
  for (const [n, octet] of octets.entries()) {
    bands.decode(octet);
    sums.push(bands.lower + bands.upper);
    differences.push(bands.lower - bands.upper);
    for (let j = 0; j < QMF.length / 2 && j <= n; j++) {
      pcm[2 * n]! += differences[n - j]! * QMF[2 * j]!;
      pcm[2 * n + 1]! += sums[n - j]! * QMF[2 * j + 1]!;
    }
  }
  return Int16Array.from(pcm, (sum) => Math.floor(sum / 2048));
}

function code(pcm: Int16Array): Uint8Array {
  const encoder = new G722Encoder();
  const octets = new Uint8Array(pcm.length);
  for (let at = 0; at < pcm.length; at += 160) encoder.encode(pcm.subarray(at, at + 160), octets.subarray(at));
  return octets;
}

function decode(octets: Uint8Array): Int16Array {
  const decoder = new G722Decoder();
  const pcm = new Int16Array(octets.length);
  for (let at = 0; at < octets.length; at += 160) decoder.decode(octets, at, at + 160, pcm, at);
  return pcm;
}

function sine(hz: number, rateHz: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: rateHz * 2 }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/** Amplitude of a tone in the second half, and of everything else there, in dB above 1. */
function measure(
  pcm: ArrayLike<number>,
  hz: number,
  rateHz: number,
): { readonly toneDb: number; readonly restDb: number } {
  let [real, imaginary, power] = [0, 0, 0];
  const half = pcm.length / 2;
  for (let i = half; i < pcm.length; i++) {
    real += pcm[i]! * Math.cos((2 * Math.PI * hz * i) / rateHz);
    imaginary += pcm[i]! * Math.sin((2 * Math.PI * hz * i) / rateHz);
    power += pcm[i]! ** 2;
  }
  const amplitude = (2 * Math.hypot(real, imaginary)) / half;
  return { toneDb: 20 * Math.log10(amplitude), restDb: 10 * Math.log10((2 * power) / half - amplitude ** 2) };
}

/** The same numbers in every language. */
function noise(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}

function digest(samples: Int16Array | Uint8Array): string {
  return createHash('sha256')
    .update(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
    .digest('hex');
}

test('both bands are coded and decoded bit for bit as by a second implementation', () => {
  const next = noise();
  const pcm = Int16Array.from({ length: 32_000 }, (_, i) => {
    const shift = i % 3200 < 800 ? 2 : i % 3200 < 1600 ? 4 : 8;
    return (next() - 32_768) >> shift;
  });
  const octets = codeAt16kHz(pcm);
  expect(digest(octets)).toBe(SPANDSP.coded);
  expect(digest(decodeAt16kHz(octets))).toBe(SPANDSP.decoded);
  const bands = new BandDecoder();
  const lower = Int16Array.from({ length: 16_000 }, () => {
    bands.decode(next() & 255);
    return bands.lower << 1;
  });
  expect(digest(lower)).toBe(SPANDSP.lowerOfNoise);
});

test.each([200, 1000, 2000, 3000, 3300])('%i Hz come through at their level, 44 dB above what is added', (hz) => {
  const { toneDb, restDb } = measure(decode(code(sine(hz, 8000))), hz, 8000);
  expect(Math.abs(toneDb - 20 * Math.log10(8000))).toBeLessThan(0.05);
  expect(toneDb - restDb).toBeGreaterThan(44);
});

test.each([4700, 5000, 6000])('%i Hz of a far end are not mirrored into what we hear', (hz) => {
  const heard = measure(decode(codeAt16kHz(sine(hz, 16_000))), 8000 - hz, 8000);
  expect(heard.toneDb - 20 * Math.log10(8000)).toBeLessThan(-50);
});

test.each([300, 1000, 3000, 3300])('%i Hz of ours have no mirror image for a far end that hears 8 kHz', (hz) => {
  const heard = decodeAt16kHz(code(sine(hz, 8000)));
  expect(measure(heard, hz, 16_000).toneDb - measure(heard, 8000 - hz, 16_000).toneDb).toBeGreaterThan(45);
});

test('silence stays silence', () => {
  const pcm = decode(code(new Int16Array(8000)));
  expect(Math.max(...pcm.map(Math.abs))).toBeLessThan(16);
});

test('parts of packets may be decoded one by one', () => {
  const octets = code(sine(700, 8000));
  const whole = decode(octets);
  const decoder = new G722Decoder();
  const parts = new Int16Array(octets.length);
  for (let at = 0, step = 1; at < octets.length; at += step, step = 1 + ((at * 7) % 160))
    decoder.decode(octets, at, Math.min(octets.length, at + step), parts, at);
  expect(parts).toEqual(whole);
});
