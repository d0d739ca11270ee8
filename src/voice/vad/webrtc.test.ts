import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeG711, encodeG711, FRAME_SAMPLES } from '../g711.ts';
import { resample } from '../resample.ts';
import { parseWav } from '../tts/wav.ts';
import type { VoiceActivity } from './activity.ts';
import { SpeechTracker } from './speech-tracker.ts';
import { loadWebRtcVad } from './webrtc.ts';

const SPEECH = fileURLToPath(new URL('../../../../shared/speech/', import.meta.url));
const clips = existsSync(`${SPEECH}clips`);
const words = existsSync(`${SPEECH}voice-zh-8k`);

let open: () => VoiceActivity;
beforeAll(async () => {
  open = await loadWebRtcVad();
});

/** One verdict for each frame. */
function judge(pcm: Int16Array): boolean[] {
  const activity = open();
  const verdicts: boolean[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES)
    verdicts.push(activity.push(pcm.subarray(at, at + FRAME_SAMPLES)));
  activity.close();
  return verdicts;
}

function share(verdicts: readonly boolean[]): number {
  return verdicts.filter(Boolean).length / verdicts.length;
}

/** Uniform noise that is the same in every run. */
function noise(seconds: number, peak: number): Int16Array {
  let seed = 20_260_105;
  return Int16Array.from({ length: seconds * 8000 }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed / 0x3fffffff - 1) * peak;
  });
}

/** Speech at 8 kHz as a line carries it. */
function speech(file: string): Int16Array {
  const { samples, rateHz } = parseWav(readFileSync(SPEECH + file));
  return decodeG711('PCMA', encodeG711('PCMA', Int16Array.from(resample(samples, rateHz, 8000))));
}

function mixed(one: Int16Array, other: Int16Array): Int16Array {
  return one.map((sample, index) => sample + (other[index] ?? 0));
}

describe('voice activity without speech', () => {
  it.each([2, 8, 30, 100, 300, 1000, 3000, 10_000, 25_000])('hears none in white noise with peaks of %i', (peak) => {
    expect(share(judge(noise(20, peak)))).toBeLessThan(0.01);
  });

  it.each([350, 440, 450, 1004, 2100])('hears none in a steady tone of %i Hz', (hz) => {
    const tone = Int16Array.from({ length: 80_000 }, (_, index) => 8000 * Math.sin((2 * Math.PI * hz * index) / 8000));
    expect(share(judge(tone))).toBeLessThan(0.01);
  });

  it('hears none in digital and in A-law silence', () => {
    expect(share(judge(new Int16Array(80_000)))).toBe(0);
    expect(share(judge(decodeG711('PCMA', new Uint8Array(80_000).fill(0xd5))))).toBe(0);
  });

  it('gets used within half a second to noise that begins in the middle of a call', () => {
    const pcm = new Int16Array(80_000);
    pcm.set(noise(8, 5000), 16_000);
    const verdicts = judge(pcm);
    expect(verdicts.slice(100, 125).some(Boolean)).toBe(true);
    expect(share(verdicts.slice(125))).toBeLessThan(0.01);
  });

  it('says no once it is closed, and closes twice', () => {
    const activity = open();
    activity.close();
    activity.close();
    expect(activity.push(noise(1, 20_000).subarray(0, FRAME_SAMPLES))).toBe(false);
  });

  it('keeps the calls apart and gives their memory back', () => {
    const [quiet, other] = [open(), open()];
    for (let frame = 0; frame < 200; frame += 1) other.push(noise(1, 9000).subarray(0, FRAME_SAMPLES));
    expect(quiet.push(new Int16Array(FRAME_SAMPLES))).toBe(false);
    quiet.close();
    other.close();
    for (let call = 0; call < 20_000; call += 1) open().close();
  });
});

describe.skipIf(!clips)('voice activity in human sentences (skipped where ../shared/speech/clips is absent)', () => {
  const files = clips ? readdirSync(`${SPEECH}clips`).filter((name) => name.endsWith('.wav')) : [];

  it.each(files)('hears most of %s, and its pauses', (file) => {
    const verdicts = judge(speech(`clips/${file}`));
    expect(share(verdicts)).toBeGreaterThan(0.5);
    expect(share(verdicts)).toBeLessThan(0.85);
    expect(verdicts.slice(0, 7).some(Boolean)).toBe(false);
  });

  it.each(files)('hears %s over line noise', (file) => {
    const clean = speech(`clips/${file}`);
    const verdicts = judge(mixed(clean, noise(10, 200)));
    expect(share(verdicts)).toBeGreaterThan(0.4);
    expect(share(verdicts)).toBeLessThan(0.85);
  });
});

describe.skipIf(!words)('voice activity in short words (skipped where ../shared/speech/voice-zh-8k is absent)', () => {
  it.each(['喂', '是', '不', '好', '可以', '对', '没有', '什么', '谢谢', '再见'])('starts speech for %s', (word) => {
    const file = `voice-zh-8k/${word}.wav`;
    if (!existsSync(SPEECH + file)) return;
    const pcm = new Int16Array(24_000);
    const voice = speech(file);
    pcm.set(voice.subarray(0, 12_000), 8000);
    const tracker = new SpeechTracker({ onsetMs: 96, silenceMs: 200 });
    const edges = judge(pcm).map((voiced, index) => ({
      edge: tracker.push(voiced, (index + 1) * 20),
      atMs: index * 20,
    }));
    const starts = edges.filter(({ edge }) => edge === 'start');
    expect(starts.length).toBeGreaterThanOrEqual(1);
    expect(starts[0]!.atMs).toBeGreaterThan(1000);
    expect(starts[0]!.atMs).toBeLessThan(1000 + (voice.length / 8) * 0.8);
    expect(edges.filter(({ edge }) => edge === 'stop')).toHaveLength(starts.length);
  });
});
