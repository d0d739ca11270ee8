import { mkdtemp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#platform/log.ts';
import { ALAW_SILENCE, encodeAlaw, linearTable, ULAW_SILENCE } from '#telephony/codec/g711.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deleteUnfinishedRecordings, openRecorder } from './recording.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recording-'));
});
afterEach(() => rm(directory, { recursive: true }));

const newRecorder = () => openRecorder({ directory, path: '2026/call.wav', codec: 'PCMA', log: silentLog });

test('both sides come back octet by octet under a header that says what they are', async () => {
  const recorder = newRecorder();
  const frames = 120;
  for (let f = 0; f < frames; f++)
    recorder.push(new Uint8Array(160).fill(f), new Uint8Array(160).fill(255 - f), 1000 + f * 20);
  const recording = await recorder.close();
  expect(await readdir(join(directory, '2026'))).toEqual(['call.wav']);
  const bytes = await readFile(join(directory, '2026/call.wav'));
  expect(recording).toMatchObject({ path: '2026/call.wav', durationMs: 2400, bytes: bytes.length });
  expect(bytes.length).toBe(58 + frames * 320);
  expect(bytes.toString('latin1', 0, 4) + bytes.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
  // Format, channels, rate.
  expect([bytes.readUInt16LE(20), bytes.readUInt16LE(22), bytes.readUInt32LE(24)]).toEqual([6, 2, 8000]);
  expect(bytes.readUInt32LE(46)).toBe(frames * 160);
  expect(bytes.readUInt32LE(54)).toBe(frames * 320);
  for (let f = 0; f < frames; f++)
    for (const i of [0, 159])
      expect([bytes[58 + f * 320 + i * 2], bytes[58 + f * 320 + i * 2 + 1]]).toEqual([f, 255 - f]);
});

test('frames that were given up become silence, so that time stays true', async () => {
  const recorder = newRecorder();
  const loud = new Uint8Array(160).fill(0x2a);
  recorder.push(loud, loud, 0);
  recorder.push(loud, loud, 100);
  const { durationMs, peaks } = await recorder.close();
  expect(durationMs).toBe(120);
  const bytes = await readFile(join(directory, '2026/call.wav'));
  expect(new Set(bytes.subarray(58 + 320, 58 + 5 * 320))).toEqual(new Set([ALAW_SILENCE]));
  expect(peaks.callee).toHaveLength(3);
  expect(peaks.callee[0]).toBeGreaterThan(200);
  expect(peaks.callee[1]).toBe(0);
});

test.each(['PCMA', 'PCMU'] as const)(
  'any octets of %s come back, and the highest of each side is its peak',
  async (codec) => {
    const recorder = openRecorder({ directory, path: '2026/call.wav', codec, log: silentLog });
    const levels = linearTable(codec);
    // Each octet somewhere, in another company each time.
    const frame = (f: number, step: number) => Uint8Array.from({ length: 160 }, (_, i) => (f * 160 + i) * step + f);
    const peakOf = (...frames: Uint8Array[]) =>
      Math.min(
        255,
        Math.max(...frames.flatMap((octets) => Array.from(octets, (octet) => Math.abs(levels[octet]!) >> 7))),
      );
    for (let f = 0; f < 200; f++) recorder.push(frame(f, 0), frame(f, 37));
    for (let f = 0; f < 200; f++) recorder.push(frame(f, 91), frame(f, 1));
    const { peaks } = await recorder.close();
    const data = (await readFile(join(directory, '2026/call.wav'))).subarray(58);
    const side = (offset: number) => data.filter((_, i) => i % 2 === offset);
    expect(side(0)).toEqual(
      Buffer.concat([0, 91].flatMap((step) => Array.from({ length: 200 }, (_, f) => frame(f, step)))),
    );
    expect(side(1)).toEqual(
      Buffer.concat([37, 1].flatMap((step) => Array.from({ length: 200 }, (_, f) => frame(f, step)))),
    );
    for (let f = 0; f < 200; f += 2) {
      expect(peaks.callee[f / 2]).toBe(peakOf(frame(f, 0), frame(f + 1, 0)));
      expect(peaks.platform[100 + f / 2]).toBe(peakOf(frame(f, 1), frame(f + 1, 1)));
    }
  },
);

test('recordings that begin together write at times of their own', async () => {
  const frame = new Uint8Array(160);
  const recorders = Array.from({ length: 5 }, (_, call) =>
    openRecorder({ directory, path: `2026/${call}.wav`, codec: 'PCMA', log: silentLog }),
  );
  for (let f = 0; f < 100; f++) for (const recorder of recorders) recorder.push(frame, frame);
  const sizes = () =>
    Promise.all(recorders.map(async (_, call) => (await stat(join(directory, `2026/${call}.wav.part`))).size));
  await expect.poll(sizes).not.toContain(0);
  expect(new Set(await sizes()).size).toBe(5);
  for (const recorder of recorders) await recorder.abort();
});

test('peaks follow the level of each side alone', async () => {
  const recorder = newRecorder();
  const quiet = new Uint8Array(160);
  const loud = new Uint8Array(160);
  encodeAlaw(new Int16Array(160).fill(-3200), quiet);
  encodeAlaw(new Int16Array(160).fill(25_600), loud);
  for (let f = 0; f < 10; f++) recorder.push(quiet, loud, f * 20);
  const { peaks } = await recorder.close();
  expect(peaks.perSecond).toBeLessThanOrEqual(50);
  expect(peaks.callee).toHaveLength(peaks.perSecond / 5);
  for (const peak of peaks.callee) expect(Math.abs(peak - 25)).toBeLessThanOrEqual(1);
  for (const peak of peaks.platform) expect(Math.abs(peak - 200)).toBeLessThanOrEqual(4);
});

test('a codec that changes in mid-call is turned into that of the file', async () => {
  const recorder = newRecorder();
  recorder.push(new Uint8Array(160).fill(ALAW_SILENCE), new Uint8Array(160).fill(ALAW_SILENCE));
  recorder.renegotiated('PCMU');
  recorder.push(new Uint8Array(160).fill(ULAW_SILENCE), new Uint8Array(160).fill(ULAW_SILENCE));
  await recorder.close();
  const bytes = await readFile(join(directory, '2026/call.wav'));
  expect(new Set(bytes.subarray(58))).toEqual(new Set([ALAW_SILENCE]));
});

test('an aborted recording leaves nothing', async () => {
  const recorder = newRecorder();
  recorder.push(new Uint8Array(160), new Uint8Array(160), 0);
  await recorder.abort();
  expect(await readdir(join(directory, '2026'))).toEqual([]);
});

test('a file that cannot be made fails the close and nothing before it', async () => {
  await writeFile(join(directory, '2026'), 'in the way');
  const recorder = newRecorder();
  recorder.push(new Uint8Array(160), new Uint8Array(160));
  await expect(recorder.close()).rejects.toThrow('cannot be written');
});

test('what a crash left half is deleted and what was finished stays', async () => {
  await mkdir(join(directory, '2026/11'), { recursive: true });
  await writeFile(join(directory, '2026/11/a.wav.part'), 'x');
  await writeFile(join(directory, '2026/11/b.wav'), 'x');
  expect(await deleteUnfinishedRecordings(directory)).toBe(1);
  expect(await readdir(join(directory, '2026/11'))).toEqual(['b.wav']);
  expect(await deleteUnfinishedRecordings(join(directory, 'absent'))).toBe(0);
});
