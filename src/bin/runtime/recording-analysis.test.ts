import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { ManualClock, systemClock } from '#platform/clock.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { wavOf } from '#voice/wav-file.ts';
import { RecordingAnalyst } from './recording-analysis.ts';

const fingerprints = new FingerprintLibrary().toJson();
/** A thread that answers nothing and does not end. */
const DEAF = new URL(`data:text/javascript,${encodeURIComponent('setInterval(() => undefined, 1000);')}`);

/** `seconds` of noise in syllables, the same each time. */
function noise(seconds: number): Uint8Array {
  let seed = 1;
  return wavOf(
    Int16Array.from({ length: seconds * 8000 }, (_, i) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.round((seed / 2 ** 32 - 0.5) * 16_000 * Math.abs(Math.sin(i / 1500)));
    }),
  );
}

test('a recording is analysed without holding the thread up that signals calls', async () => {
  const analyst = new RecordingAnalyst(systemClock);
  const before = performance.eventLoopUtilization();
  const analysis = await analyst.analyse({ bytes: noise(120), fingerprints, listens: true });
  expect(analysis).toMatchObject({ channel: 'mono', lesson: { faults: expect.arrayContaining(['long']) as unknown } });
  expect(analysis.print?.bits.length).toBeGreaterThan(100);
  // Done here, the work is all that the loop does until it is over: nine tenths and more.
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.6);
  await analyst.close();
});

test('what cannot be read says why, and the next one is read all the same', async () => {
  const analyst = new RecordingAnalyst(systemClock);
  const broken = analyst.analyse({ bytes: Buffer.from('no sound'), fingerprints, listens: false });
  const good = analyst.analyse({ bytes: noise(3), fingerprints, listens: false });
  await expect(broken).rejects.toMatchObject({ code: 'invalid-input', text: { en: /not a WAV/, zh: /WAV/ } });
  expect(await good).toMatchObject({ channel: 'mono', heard: [] });
  await analyst.close();
});

test('an analysis ends in time, and no more than eight wait', async () => {
  const clock = new ManualClock();
  const analyst = new RecordingAnalyst(clock, DEAF);
  const bytes = noise(3);
  const all = Array.from({ length: 8 }, () => analyst.analyse({ bytes, fingerprints, listens: false }));
  const ends = Promise.allSettled(all);
  await expect(analyst.analyse({ bytes, fingerprints, listens: false })).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
  });
  await new Promise(setImmediate);
  clock.advance(180_000);
  await expect(all[0]).rejects.toMatchObject({ code: 'timeout' });
  await analyst.close();
  for (const end of (await ends).slice(1)) expect(end).toMatchObject({ reason: { code: 'unavailable' } });
});
