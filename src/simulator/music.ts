import { randomFor } from './random.ts';
import { joined, SAMPLE_RATE_HZ } from './tones.ts';

/** Steps of the pentatonic scale, in semitones. */
const PENTATONIC = [0, 2, 4, 7, 9, 12, 14, 16] as const;
const NOTE_MS = 300;

/** A plucked note with three overtones that dies away, Int16 mono at 8 kHz. */
function note(frequencyHz: number, durationMs: number): Int16Array {
  const samples = new Int16Array(Math.round((durationMs * SAMPLE_RATE_HZ) / 1000));
  for (let index = 0; index < samples.length; index++) {
    const seconds = index / SAMPLE_RATE_HZ;
    const attack = Math.min(1, seconds / 0.01);
    const release = Math.min(1, (samples.length - index) / 80);
    let sum = 0;
    for (let overtone = 1; overtone <= 4; overtone++) {
      sum += Math.sin(2 * Math.PI * frequencyHz * overtone * seconds) / (overtone * overtone);
    }
    samples[index] = Math.round(5_000 * attack * release * Math.exp(-3 * seconds) * sum);
  }
  return samples;
}

/** A ring-back melody (彩铃) of 24 notes, about 9 s, to be looped; another tune for every `tune`. */
export function ringBackMelody(tune: number): Int16Array {
  const random = randomFor('melody', tune);
  const baseHz = 262 * 2 ** (random.integer(0, 7) / 12);
  let step = random.integer(0, 4);
  const notes: Int16Array[] = [];
  for (let index = 0; index < 24; index++) {
    step = Math.max(0, Math.min(PENTATONIC.length - 1, step + random.integer(-2, 2)));
    const longer = index % 8 === 7 ? 3 : 1;
    notes.push(note(baseHz * 2 ** ((PENTATONIC[step] ?? 0) / 12), NOTE_MS * longer));
  }
  return joined(...notes);
}
