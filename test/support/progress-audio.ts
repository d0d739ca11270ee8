/** Audio that the call-progress tests make: tones, noise and A-law, all Int16 mono at 8 kHz. */
import { decodeAlaw, encodeAlaw } from '#telephony/codec/g711.ts';

const RATE_HZ = 8000;

/** A sum of sines at −12 dBFS in all. */
export function tone(frequenciesHz: readonly number[], ms: number, phase = 0): Int16Array {
  const peak = 8000 / frequenciesHz.length;
  return Int16Array.from({ length: (ms * RATE_HZ) / 1000 }, (_, i) =>
    frequenciesHz.reduce((sum, hz) => sum + peak * Math.sin((2 * Math.PI * hz * i) / RATE_HZ + phase), 0),
  );
}

export function silence(ms: number): Int16Array {
  return new Int16Array((ms * RATE_HZ) / 1000);
}

export function join(...parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A seeded random source in 0–1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Voiced syllables with formants that wander: unrelated for different seeds, and so a stand-in for announcements where no recorded
 * speech is at hand.
 */
export function babble(seed: number, ms: number): Int16Array {
  const next = random(seed);
  const syllables: Int16Array[] = [];
  let length = 0;
  while (length < (ms * RATE_HZ) / 1000) {
    const samples = Math.round((0.12 + 0.16 * next()) * RATE_HZ);
    const pitchHz = 110 + 120 * next();
    const formants = [300 + 600 * next(), 900 + 1200 * next(), 2200 + 900 * next()];
    const glide = 0.8 + 0.4 * next();
    const syllable = Int16Array.from({ length: samples }, (_, i) => {
      const along = i / samples;
      let value = 0;
      for (let harmonic = 1; harmonic * pitchHz < 3400; harmonic++) {
        const hz = harmonic * pitchHz * (1 + (glide - 1) * along);
        const gain = formants.reduce(
          (sum, formant) => sum + 1 / (1 + ((hz - formant * (1 + (glide - 1) * along)) / 120) ** 2),
          0.02,
        );
        value += gain * Math.sin((2 * Math.PI * hz * i) / RATE_HZ);
      }
      return 2500 * value * Math.sin(Math.PI * along) ** 0.5;
    });
    syllables.push(syllable, new Int16Array(Math.round(0.03 * next() * RATE_HZ)));
    length = syllables.reduce((sum, part) => sum + part.length, 0);
  }
  return join(...syllables);
}

/** What a line does to audio: gain, noise at a ratio to the signal, A-law, lost packets as silence. */
export function degrade(
  pcm: Int16Array,
  o: { readonly gain: number; readonly snrDb: number; readonly lossRatio: number; readonly seed: number },
): Int16Array {
  const next = random(o.seed);
  const power = Math.sqrt(pcm.reduce((sum, v) => sum + v * v, 0) / pcm.length) * o.gain;
  const noise = power * 10 ** (-o.snrDb / 20);
  const noisy = pcm.map((v) => {
    const gauss = (next() + next() + next() - 1.5) * 2;
    return Math.max(-32_768, Math.min(32_767, Math.round(v * o.gain + gauss * noise)));
  });
  const bytes = new Uint8Array(noisy.length);
  encodeAlaw(noisy, bytes);
  decodeAlaw(bytes, noisy);
  for (let at = 0; at + 160 <= noisy.length; at += 160) if (next() < o.lossRatio) noisy.fill(0, at, at + 160);
  return noisy;
}

/** 20 ms frames with their times. */
export function* frames(pcm: Int16Array): Generator<{ readonly pcm: Int16Array; readonly atMs: number }> {
  for (let at = 0; at + 160 <= pcm.length; at += 160) yield { pcm: pcm.subarray(at, at + 160), atMs: at / 8 };
}
