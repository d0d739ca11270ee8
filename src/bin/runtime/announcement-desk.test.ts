import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { ANNOUNCEMENTS } from '#simulator/announcements.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { join, silence, tone } from '../../../test/support/progress-audio.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { wavOf } from '#voice/wav-file.ts';
import { openAnnouncementDesk } from './announcement-desk.ts';

const synthesizer = new EspeakSynthesizer({ log: silentLog });
let empty: Int16Array;
let off: Int16Array;
let suspended: Int16Array;

beforeAll(async () => {
  const say = (text: string): Promise<Int16Array> =>
    synthesizer.synthesize(text, { voice: 'zh-female', language: 'zh' });
  empty = await say(ANNOUNCEMENTS['invalid-number'].zh);
  off = await say(ANNOUNCEMENTS['powered-off'].zh);
  suspended = await say(ANNOUNCEMENTS.suspended.zh);
});
afterAll(() => synthesizer.close());

async function openDesk(directory = scratchDirectory()) {
  const taught: FingerprintLibrary[] = [];
  const [announcements, earlyMedia] = [path.join(directory, 'announcements'), path.join(directory, 'early')];
  for (const each of [announcements, earlyMedia]) mkdirSync(each, { recursive: true });
  const desk = await openAnnouncementDesk({
    directory: announcements,
    earlyMediaDirectory: earlyMedia,
    clock: new ManualClock(),
    log: silentLog,
    teach: (json) => taught.push(FingerprintLibrary.fromJson(json)),
    findCalls: async (ids) =>
      new Map(ids.map((id) => [id, { phone: '+8613800000000', outcome: 'busy', sipStatus: 486 }])),
  });
  return { desk, taught, directory, announcements, earlyMedia };
}

test('an announcement is taught by another word for its outcome, told to the workers and kept without its sound', async () => {
  const { desk, taught, directory, announcements } = await openDesk();
  const bytes = wavOf(join(silence(900), tone([950], 330), silence(300), empty, silence(2000)));
  const learnt = await desk.learn({ bytes, label: '空号' });
  expect(learnt).toMatchObject({ announcement: { name: 'invalid-number-1', label: 'invalid-number' }, warnings: [] });
  expect(learnt.fromMs).toBeGreaterThan(1400);
  expect(taught.at(-1)?.entries.map(({ label }) => label)).toEqual(['invalid-number']);
  expect(readFileSync(path.join(announcements, 'invalid-number-1.json')).length).toBeLessThan(3000);
  const { desk: reopened } = await openDesk(directory);
  expect(reopened.list()).toMatchObject([{ name: 'invalid-number-1', label: 'invalid-number' }]);
  await reopened.forget('invalid-number-1');
  expect(readdirSync(announcements)).toEqual([]);
  await expect(reopened.forget('invalid-number-1')).rejects.toMatchObject({ code: 'not-found' });
});

test('a trial says what would be recognised and what is nearest', async () => {
  const { desk } = await openDesk();
  await desk.learn({ bytes: wavOf(empty), label: 'empty-number' });
  await desk.learn({ bytes: wavOf(off), label: 'powered-off', name: 'off.mobile' });
  expect(await desk.tryOut({ bytes: wavOf(join(empty, silence(300), empty)) })).toMatchObject({
    recognised: 'invalid-number',
    nearest: { name: 'off.mobile' },
  });
  expect((await desk.tryOut({ bytes: wavOf(suspended) })).recognised).toBeNull();
});

test('the same announcement under two labels is noticed', async () => {
  const { desk } = await openDesk();
  await desk.learn({ bytes: wavOf(empty), label: 'invalid-number' });
  const second = await desk.learn({ bytes: wavOf(empty), label: 'suspended' });
  expect(second.nearest?.sharedRatio).toBeGreaterThan(0.9);
  expect(second.warnings[0]?.en).toContain('invalid-number-1');
});

test('recordings that cannot be taught say why', async () => {
  const { desk } = await openDesk();
  const learn = async (pcm: Int16Array, label = 'busy') => desk.learn({ bytes: wavOf(pcm), label });
  await expect(learn(silence(5000))).rejects.toMatchObject({ code: 'invalid-input', text: { en: /silent/ } });
  await expect(learn(empty.subarray(0, 9000))).rejects.toMatchObject({ text: { en: /two seconds/ } });
  await expect(learn(tone([450], 4000))).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(learn(empty, 'nonsense')).rejects.toMatchObject({ text: { zh: /空号/ } });
  await expect(desk.learn({ bytes: Buffer.from('no sound'), label: 'busy' })).rejects.toMatchObject({
    text: { en: /not a WAV/ },
  });
});

test('the callee is heard in a stereo recording, and a silent left channel is noticed', async () => {
  const { desk } = await openDesk();
  const stereo = (left: Int16Array, right: Int16Array): Uint8Array => {
    const mixed = new Int16Array(left.length * 2).map((_, i) => (i % 2 === 0 ? left[i >> 1]! : (right[i >> 1] ?? 0)));
    const bytes = Buffer.from(wavOf(mixed));
    bytes.writeUInt16LE(2, 22);
    bytes.writeUInt16LE(4, 32);
    return bytes;
  };
  const first = await desk.learn({ bytes: stereo(empty, off), label: 'invalid-number' });
  expect(first.channel).toBe('left');
  const second = await desk.learn({ bytes: stereo(silence(off.length / 8), off), label: 'powered-off' });
  expect(second.channel).toBe('right');
  expect((await desk.tryOut({ bytes: wavOf(join(off, silence(200), off)) })).recognised).toBe('powered-off');
});

test('early media that nobody recognised is listed by how often it was heard, until it is taught', async () => {
  const { desk, earlyMedia } = await openDesk();
  const ids = ['a', 'b', 'c'].map((letter) => `019a0000-0000-7000-8000-00000000000${letter}`);
  mkdirSync(path.join(earlyMedia, '2026-11-25'));
  for (const [i, pcm] of [off, join(silence(430), off), suspended].entries())
    writeFileSync(path.join(earlyMedia, '2026-11-25', `${ids[i]!}.wav`), wavOf(pcm));
  expect(await desk.unknown()).toMatchObject([
    { callId: ids[1], calls: 2, sipStatus: 486, phone: expect.stringContaining('*') as string },
    { callId: ids[2], calls: 1 },
  ]);
  await desk.learn({ bytes: readFileSync((await desk.earlyMedia(ids[0]!))!), label: 'powered-off' });
  expect(await desk.unknown()).toMatchObject([{ callId: ids[2] }]);
});

test('a WAV file named by its outcome is taught as before, and set aside when it is forgotten', async () => {
  const { announcements, directory } = await openDesk();
  writeFileSync(path.join(announcements, 'powered-off.east.wav'), wavOf(off));
  writeFileSync(path.join(announcements, 'nonsense.wav'), wavOf(off));
  const { desk } = await openDesk(directory);
  expect(desk.list()).toMatchObject([{ name: 'powered-off.east', label: 'powered-off', taughtAt: null }]);
  await desk.forget('powered-off.east');
  expect(readdirSync(announcements)).toEqual(['nonsense.wav', 'powered-off.east.wav.forgotten']);
});
