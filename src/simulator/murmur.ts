import { randomFor } from './random.ts';
import { SAMPLE_RATE_HZ } from './tones.ts';

/** Characters that a voice says in a second: Chinese, briskly. */
const CHARACTERS_PER_SECOND = 6;

/**
 * Speech without a synthesiser: a voiced murmur as long as the text takes, one syllable a character, the same for the
 * same text. Voice activity detectors take it for speech; Int16 mono at 8 kHz.
 */
export function murmur(text: string): Int16Array {
  const random = randomFor('murmur', text);
  const syllables = Math.max(1, Array.from(text).length);
  const syllableSamples = Math.round(SAMPLE_RATE_HZ / CHARACTERS_PER_SECOND);
  const samples = new Int16Array(syllables * syllableSamples);
  const voiceHz = random.integer(110, 190);
  let phase = 0;
  for (let syllable = 0; syllable < syllables; syllable++) {
    const glideHz = random.integer(-25, 25);
    const formants = [random.integer(350, 800), random.integer(1_000, 2_200)] as const;
    for (let index = 0; index < syllableSamples; index++) {
      const part = index / syllableSamples;
      phase += (2 * Math.PI * (voiceHz + glideHz * part)) / SAMPLE_RATE_HZ;
      let sum = 0;
      for (let harmonic = 1; harmonic <= 18; harmonic++) {
        const hz = harmonic * voiceHz;
        const gain = Math.exp(-(((hz - formants[0]) / 180) ** 2)) + 0.5 * Math.exp(-(((hz - formants[1]) / 250) ** 2));
        if (gain > 0.02) sum += gain * Math.sin(harmonic * phase);
      }
      samples[syllable * syllableSamples + index] = Math.round(3_500 * Math.sin(Math.PI * part) ** 0.5 * sum);
    }
  }
  return samples;
}
