import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#platform/log.ts';
import { decodeG711 } from '#telephony/codec/g711.ts';
import { ProgressDetector } from '#telephony/progress/detector.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { ANNOUNCEMENTS, type AnnouncedBehaviour } from './announcements.ts';
import { toClip } from './playout.ts';
import { releaseOf } from './release.ts';
import { announcementRecordings, NETWORK_VOICE, SoundBank, type ToneName } from './sound-bank.ts';

const synthesizer = new EspeakSynthesizer({ log: silentLog });
const library = new FingerprintLibrary();
const sounds = new SoundBank({ synthesize: (text, options) => synthesizer.synthesize(text, options), log: silentLog });

beforeAll(async () => {
  const recordings = await announcementRecordings((text, options) => synthesizer.synthesize(text, options));
  for (const { label, pcm } of recordings) library.add(label, pcm);
});
afterAll(() => synthesizer.close());

/** What a platform makes of a clip that starts off its own frame grid. */
function heard(clip: Uint8Array, repeat = 1): string[] {
  const detector = new ProgressDetector({ fingerprints: library, plan: 'cn' });
  const pcm = new Int16Array(57 + clip.length * repeat + 8_000);
  for (let turn = 0; turn < repeat; turn++) decodeG711('PCMA', clip, pcm.subarray(57 + turn * clip.length));
  const labels: string[] = [];
  for (let at = 0; at + 160 <= pcm.length; at += 160) {
    const found = detector.push(pcm.subarray(at, at + 160), at / 8);
    labels.push(...found.filter(({ kind }) => kind !== 'sound').map(({ label }) => label));
  }
  return labels;
}

describe('what the network plays', () => {
  it.each(Object.keys(ANNOUNCEMENTS) as AnnouncedBehaviour[])(
    'is recognised as %s and as nothing else, in Chinese and in English',
    async (behaviour) => {
      for (const text of Object.values(ANNOUNCEMENTS[behaviour])) {
        const clip = await sounds.phrase(text, NETWORK_VOICE, 'PCMA');
        expect(heard(clip)).toEqual([behaviour]);
      }
    },
  );

  it.each([
    ['ringback', 2],
    ['busy', 5],
    ['congestion', 3],
    ['sit', 1],
  ] as const satisfies readonly (readonly [ToneName, number])[])('is recognised as the tone %s', (name, repeat) => {
    expect(heard(sounds.tone(name, 'PCMA'), repeat)).toEqual([name]);
  });

  it('is no tone and no announcement when it is a melody', () => {
    expect(heard(sounds.melody(1, 'PCMA'), 2)).toEqual([]);
  });

  it('is the same sound every time, also when nothing can be synthesised', async () => {
    const failing = new SoundBank({ synthesize: () => Promise.reject(new Error('no voice')), log: silentLog });
    const clip = await failing.phrase('您好', NETWORK_VOICE, 'PCMA');
    expect(clip).toEqual(await new SoundBank({ synthesize: undefined, log: silentLog }).phrase('您好', 'x', 'PCMA'));
    expect(clip).not.toEqual(toClip(new Int16Array(clip.length), 'PCMA'));
  });
});

describe('releases', () => {
  it('give the right code and cause from an exact switch', () => {
    expect(releaseOf('invalid-number', 'exact')).toMatchObject({ status: 404, ringsFirst: false });
    expect(releaseOf('invalid-number', 'exact').reason).toMatch(/^Q\.850;cause=1;/);
    expect(releaseOf('no-answer', 'exact')).toMatchObject({ status: 480, ringsFirst: true });
  });

  it('give one code for all from a vague switch, and tell the cause only by announcement', () => {
    for (const behaviour of Object.keys(ANNOUNCEMENTS) as AnnouncedBehaviour[]) {
      expect(releaseOf(behaviour, 'vague-486')).toMatchObject({
        status: 486,
        reason: undefined,
        sounds: [{ kind: 'announcement', of: behaviour }],
      });
    }
  });

  it('keep the code of what no announcement tells', () => {
    expect(releaseOf('rejected', 'vague-480')).toMatchObject({ status: 603, sounds: [] });
    expect(releaseOf('congestion', 'vague-486').status).toBe(503);
  });
});
