import { expect, test } from 'vitest';
import { LossRuns } from './loss-runs.ts';
import { estimateMos, mosOfRating } from './quality.ts';

test.each([
  // The pairs that ITU-T G.107 annex B names.
  [90, 4.34],
  [80, 4.02],
  [70, 3.6],
  [60, 3.1],
  [50, 2.58],
  [0, 1],
  [-5, 1],
  [100, 4.5],
])('rating %d is a score of %d', (rating, mos) => {
  expect(mosOfRating(rating)).toBeCloseTo(mos, 1);
});

test('a clean line scores what the E-model gives G.711 at best, and loss in bursts is worse than random loss', () => {
  const clean = estimateMos({ lossRatio: 0, burstRatio: 1, delayMs: 0 });
  expect(clean).toBeCloseTo(4.41, 2);
  const random = estimateMos({ lossRatio: 0.05, burstRatio: 1, delayMs: 0 });
  // R = 93.2 − 95 · 5 / (5 + 25.1) = 77.42.
  expect(random).toBeCloseTo(mosOfRating(77.42), 2);
  expect(estimateMos({ lossRatio: 0.05, burstRatio: 4, delayMs: 0 })).toBeLessThan(random);
});

test('delay counts little up to 177 ms and much beyond', () => {
  const at = (delayMs: number) => estimateMos({ lossRatio: 0, burstRatio: 1, delayMs });
  expect(at(0) - at(150)).toBeLessThan(0.15);
  expect(at(250) - at(400)).toBeGreaterThan(0.6);
});

test('the score never leaves its scale and falls with loss', () => {
  let previous = 5;
  for (let lost = 0; lost <= 100; lost++) {
    const mos = estimateMos({ lossRatio: lost / 100, burstRatio: 3, delayMs: lost * 20 });
    expect(mos).toBeGreaterThanOrEqual(1);
    expect(mos).toBeLessThanOrEqual(previous);
    previous = mos;
  }
  expect(estimateMos({ ...new LossRuns().summary(), delayMs: 60 })).toBeCloseTo(4.38, 1);
});

test('a codec counts by what it does itself and how it bears loss', () => {
  const heard = { burstRatio: 1, delayMs: 60 };
  const score = (codec: 'PCMA' | 'G722' | 'opus', lossRatio: number) => estimateMos({ ...heard, codec, lossRatio });
  expect(score('G722', 0.05)).toBe(score('PCMA', 0.05));
  expect(score('opus', 0)).toBeGreaterThan(4.2);
  expect(score('opus', 0)).toBeLessThan(score('PCMA', 0));
  expect(score('opus', 0.05)).toBeLessThan(score('PCMA', 0.05) - 0.3);
});
