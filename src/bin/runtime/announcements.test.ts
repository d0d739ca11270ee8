import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Log } from '#platform/log.ts';
import { silentLog } from '#platform/log.ts';
import { recordedPrompt } from '#voice/tts/recorded-prompts.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { decodeAlaw } from '#telephony/codec/g711.ts';
import { loadAnnouncements } from './announcements.ts';
import { wavOf } from './wav.ts';

/** Three seconds of a sweep that no other shares; `from` sets it apart. */
function sweep(from: number, seconds = 3): Int16Array {
  return Int16Array.from({ length: seconds * 8000 }, (_, n) => {
    const t = n / 8000;
    return Math.round(9000 * Math.sin(2 * Math.PI * (from + 180 * t + 60 * Math.sin(5 * t)) * t));
  });
}

test('recordings named after an outcome are taught, and the others are left out with a warning', async () => {
  const directory = scratchDirectory();
  writeFileSync(path.join(directory, 'invalid-number.east.wav'), wavOf(sweep(400)));
  writeFileSync(path.join(directory, 'powered-off.wav'), wavOf(sweep(900)));
  writeFileSync(path.join(directory, 'busy.short.wav'), wavOf(sweep(700, 1)));
  writeFileSync(path.join(directory, 'no-outcome.wav'), wavOf(sweep(600)));
  writeFileSync(path.join(directory, 'suspended.wav'), 'no sound at all');
  writeFileSync(path.join(directory, 'notes.txt'), 'not a recording');
  const warned = new Set<string>();
  const log = { ...silentLog, warn: (fields: { file: string }) => warned.add(fields.file) } as unknown as Log;
  const library = await loadAnnouncements(directory, log);
  expect(warned).toEqual(new Set(['busy.short.wav', 'no-outcome.wav', 'suspended.wav']));
  const labels = JSON.stringify(library.toJson()).match(/invalid-number|powered-off|busy|suspended|no-outcome/g);
  expect(new Set(labels)).toEqual(new Set(['invalid-number', 'powered-off']));
});

test('a written WAV is read back as it was, but for level and law', () => {
  const pcm = sweep(500);
  const alaw = recordedPrompt(wavOf(pcm), 'PCMA');
  const back = new Int16Array(alaw.length);
  decodeAlaw(alaw, back);
  expect(back).toHaveLength(pcm.length);
  const product = (a: Int16Array, b: Int16Array): number => a.reduce((sum, sample, n) => sum + sample * (b[n] ?? 0), 0);
  expect(product(pcm, back) / Math.sqrt(product(pcm, pcm) * product(back, back))).toBeGreaterThan(0.99);
});
