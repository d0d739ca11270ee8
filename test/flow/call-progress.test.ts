import { expect, test } from 'vitest';
import { musicCases, toneCases } from '../eval/progress/early-media.ts';
import { hear, LINES } from '../eval/progress/hear.ts';
import { band } from '../eval/progress/signals.ts';
import { ringBackMelody } from '#simulator/music.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';

// A small part of `npm run bench progress`, which docs/call-progress.md reports.
const nothing = new FingerprintLibrary();

test('tones of all plans are named over bad lines', () => {
  const lines = LINES.filter(({ name }) => /10 % loss|transcoded|15 dB$/.test(name));
  const wrong = toneCases()
    .flatMap((one, i) => lines.map((line, n) => hear(one, line, nothing, i * 10 + n)))
    .filter(({ expected, got }) => expected !== got);
  expect(wrong.map(({ name, line, got }) => `${name}, ${line}: ${got}`).slice(2)).toEqual([]);
});

test('music is told as music, and never as a tone', () => {
  const music = [1, 2, 3, 4].flatMap((seed) => [
    { name: `band ${seed}`, pcm: band(seed, 8000) },
    { name: `melody ${seed}`, pcm: ringBackMelody(seed) },
  ]);
  const heard = musicCases({ music }).map((one, i) => hear(one, LINES[i % LINES.length]!, nothing, i));
  expect(heard.filter(({ got }) => got === 'music').length).toBeGreaterThanOrEqual(heard.length - 1);
  expect(heard.flatMap(({ detections }) => detections.filter(({ kind }) => kind === 'tone'))).toEqual([]);
});
