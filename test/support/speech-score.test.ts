import { expect, test } from 'vitest';
import { scoreSpeech } from './speech-score.ts';

/** Syllables: harmonics of a gliding voice, 200 ms each with pauses, with an echo of nothing random. */
const voice = Int16Array.from({ length: 24_000 }, (_, i) => {
  const syllable = Math.floor(i / 2_400);
  const at = i % 2_400;
  if (at > 1_600) return 0;
  const hz = 110 + 10 * (syllable % 5) + at / 100;
  let sum = 0;
  for (let harmonic = 1; harmonic < 20; harmonic++)
    sum += Math.sin((2 * Math.PI * harmonic * hz * i) / 8_000) / (1 + ((harmonic + syllable * 3) % 7));
  return 1_500 * sum * Math.sin((Math.PI * at) / 1_600);
});

test('what comes late but whole is intact', () => {
  const late = new Int16Array(voice.length + 1_234);
  late.set(voice, 1_234);
  const score = scoreSpeech(voice, late);
  expect(score.intactRatio).toBe(1);
  expect(score.distanceDb).toBeLessThan(0.1);
});

test('a frame that is put in or left out on the way costs itself alone', () => {
  const moved = Int16Array.from([...voice.subarray(0, 10_000), ...new Int16Array(160), ...voice.subarray(10_000)]);
  expect(scoreSpeech(voice, moved).intactRatio).toBeGreaterThan(0.95);
});

test('every tenth frame lost in silence costs pieces, and more loss costs more', () => {
  const cut = (every: number) => voice.map((sample, i) => (Math.floor(i / 160) % every === 0 ? 0 : sample));
  const [tenth, fifth] = [scoreSpeech(voice, cut(10)), scoreSpeech(voice, cut(5))];
  expect(tenth.intactRatio).toBeLessThan(0.97);
  expect(fifth.intactRatio).toBeLessThan(tenth.intactRatio);
  expect(fifth.distanceDb).toBeGreaterThan(tenth.distanceDb);
});

test('silence, noise and another voice are nothing like it', () => {
  let state = 1;
  const noise = voice.map(() => ((state = (Math.imul(state, 1_664_525) + 1) >>> 0) >> 18) - 8_192);
  for (const other of [new Int16Array(voice.length), noise, voice.toReversed()])
    expect(scoreSpeech(voice, other).intactRatio).toBeLessThan(0.4);
});
