import { describe, expect, it } from 'vitest';
import { ringBackMelody } from './music.ts';
import { murmur } from './murmur.ts';
import { Playout, toClip } from './playout.ts';
import { SpeechEar } from './speech-ear.ts';
import { busyCycle, faxAnswerTone, ringbackCycle, silence, tone } from './tones.ts';

/** Power of one frequency in a piece of audio, against its whole power (Goertzel); 1 for a pure tone. */
function share(samples: Int16Array, frequencyHz: number): number {
  const turn = (2 * Math.PI * frequencyHz) / 8_000;
  let [real, imaginary, power] = [0, 0, 0];
  samples.forEach((sample, index) => {
    real += sample * Math.cos(turn * index);
    imaginary += sample * Math.sin(turn * index);
    power += sample * sample;
  });
  return (2 * (real * real + imaginary * imaginary)) / (samples.length * power);
}

describe('the sounds of the network', () => {
  it('ring with 450 Hz, 1 s on and 4 s off', () => {
    const cycle = ringbackCycle();
    expect(cycle.length).toBe(40_000);
    expect(share(cycle.subarray(0, 8_000), 450)).toBeGreaterThan(0.95);
    expect(cycle.subarray(8_000).every((sample) => sample === 0)).toBe(true);
  });

  it('are busy with 450 Hz, 0.35 s on and off, and answer a fax with 2100 Hz', () => {
    expect(busyCycle().length).toBe(5_600);
    expect(share(busyCycle().subarray(0, 2_800), 450)).toBeGreaterThan(0.95);
    expect(share(faxAnswerTone().subarray(1_600, 25_600), 2_100)).toBeGreaterThan(0.95);
  });

  it('play another melody for another tune', () => {
    expect(ringBackMelody(1)).toEqual(ringBackMelody(1));
    expect(ringBackMelody(1)).not.toEqual(ringBackMelody(2));
  });

  it('murmur as long as a text takes to say, without clipping', () => {
    const voice = murmur('您好请问是王先生吗');
    expect(voice.length / 8_000).toBeCloseTo(1.5, 1);
    expect(voice.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBeLessThan(32_000);
  });
});

describe('playout', () => {
  it('plays a clip over its background and tells when it has ended', () => {
    const playout = new Playout();
    playout.loop(toClip(tone(450, 40), 'PCMA'));
    const clip = toClip(tone(1_000, 50), 'PCMA');
    expect(clip.length).toBe(480);
    let ended = 0;
    playout.play(clip, () => ended++);
    const sent = Array.from({ length: 4 }, () => {
      const frame = new Uint8Array(160).fill(0xd5);
      playout.fill(frame);
      return frame;
    });
    expect(sent[0]).toEqual(clip.slice(0, 160));
    expect(sent[2]).toEqual(clip.slice(320));
    expect(ended).toBe(1);
    expect(sent[3]).toEqual(toClip(tone(450, 40), 'PCMA').slice(0, 160));
  });
});

describe('the ear', () => {
  it('hears speech begin and end, and no end in a short pause', () => {
    const ear = new SpeechEar();
    const heard: string[] = [];
    const push = (pcm: Int16Array): void => {
      for (let at = 0; at + 160 <= pcm.length; at += 160) {
        const change = ear.push(pcm.subarray(at, at + 160), 900);
        if (change !== undefined) heard.push(change);
      }
    };
    push(murmur('您好请问'));
    push(silence(500));
    push(murmur('是王先生吗'));
    push(silence(880));
    expect(heard).toEqual(['started']);
    push(silence(100));
    expect(heard).toEqual(['started', 'stopped']);
  });
});
