/** Tones, noise and music that the evaluation makes: Int16 mono at 8 kHz, seeded. */
import { join, random, silence } from '../../support/progress-audio.ts';

const RATE_HZ = 8000;
/** Peak of a sine at 0 dBm0 in G.711 (ITU-T G.711 table 5: 3.14 dB below the overload of A-law). */
const PEAK_0_DBM0 = 32_768 * 10 ** (-3.14 / 20);

/** Sines together at a level in dBm0, with edges of 2 ms as exchanges have them. */
export function toneAt(frequenciesHz: readonly number[], ms: number, dbm0: number): Int16Array {
  const peak = (PEAK_0_DBM0 * 10 ** (dbm0 / 20)) / Math.sqrt(frequenciesHz.length);
  const length = Math.round((ms * RATE_HZ) / 1000);
  return Int16Array.from({ length }, (_, i) => {
    const edge = Math.min(1, (i + 1) / 16, (length - i) / 16);
    const sum = frequenciesHz.reduce((all, hz, n) => all + Math.sin((2 * Math.PI * hz * i) / RATE_HZ + n), 0);
    return clamp(edge * peak * sum);
  });
}

/** A cadence repeated until it fills the time. */
export function cadence(
  frequenciesHz: readonly number[],
  onOffMs: readonly number[],
  totalMs: number,
  dbm0: number,
): Int16Array {
  const parts: Int16Array[] = [];
  let ms = 0;
  for (let turn = 0; ms < totalMs; turn++) {
    const length = onOffMs[turn % onOffMs.length]!;
    parts.push(turn % 2 === 0 ? toneAt(frequenciesHz, length, dbm0) : silence(length));
    ms += length;
  }
  return join(...parts).subarray(0, (totalMs * RATE_HZ) / 1000);
}

/** Popular music in outline: melody, chords, bass and drums at 90–150 beats a minute. */
export function band(seed: number, ms: number): Int16Array {
  const next = random(seed * 977 + 5);
  const length = (ms * RATE_HZ) / 1000;
  const mix = new Float64Array(length);
  const beat = Math.round((RATE_HZ * 60) / (90 + 60 * next()));
  const root = 110 * 2 ** (Math.floor(12 * next()) / 12);
  const scale = [0, 2, 4, 5, 7, 9, 11, 12, 14, 16];
  const withDrums = next() < 0.6;
  const vibrato = next() < 0.5 ? 0.006 : 0;
  const voice = (at: number, samples: number, hz: number, gain: number, overtones: number): void => {
    const decay = 1 + 4 * next();
    for (let i = 0; i < samples && at + i < length; i++) {
      const t = i / RATE_HZ;
      const envelope = Math.min(1, i / 60, (samples - i) / 200) * Math.exp(-decay * t);
      const phase = 2 * Math.PI * hz * (t + (vibrato / 30) * Math.sin(2 * Math.PI * 5 * t));
      let sum = 0;
      for (let k = 1; k <= overtones && k * hz < 3600; k++) sum += Math.sin(k * phase) / k;
      mix[at + i]! += gain * envelope * sum;
    }
  };
  let step = 3;
  for (let at = 0, count = 0; at < length; at += beat, count++) {
    const chord = [0, 3, 4, 5][Math.floor(count / 4) % 4]!;
    for (const interval of [0, 2, 4])
      if (count % 2 === 0) voice(at, beat * 2, root * 2 ** (1 + scale[(chord + interval) % 10]! / 12), 0.35, 5);
    voice(at, beat, root * 2 ** (scale[chord % 7]! / 12), 0.5, 4);
    for (let half = 0; half < 2; half++) {
      step = Math.max(0, Math.min(9, step + Math.floor(5 * next()) - 2));
      voice(at + (half * beat) / 2, beat / 2, root * 2 ** (2 + scale[step]! / 12), 0.7, 6);
    }
    if (withDrums)
      for (let i = 0; i < 500 && at + i < length; i++) mix[at + i]! += 0.8 * (next() - 0.5) * Math.exp(-i / 120);
  }
  return scaled(mix);
}

function scaled(mix: Float64Array): Int16Array {
  let power = 0;
  for (const sample of mix) power += sample * sample;
  const gain = 2500 / Math.sqrt(power / mix.length || 1);
  return Int16Array.from(mix, (sample) => clamp(sample * gain));
}

/** Standard normal, Box and Muller. */
export function gaussian(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export function clamp(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}
