/** Sample rate of everything that the simulator plays. */
export const SAMPLE_RATE_HZ = 8_000;

/** Tones are sent at this level, about −13 dBm0 on the line. */
const TONE_PEAK = 7_000;
const FADE_SAMPLES = 40;

/** One pure tone with 5 ms edges, Int16 mono at 8 kHz. */
export function tone(frequencyHz: number, durationMs: number, peak: number = TONE_PEAK): Int16Array {
  const samples = new Int16Array(Math.round((durationMs * SAMPLE_RATE_HZ) / 1000));
  const step = (2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ;
  for (let index = 0; index < samples.length; index++) {
    const edge = Math.min(1, (index + 1) / FADE_SAMPLES, (samples.length - index) / FADE_SAMPLES);
    samples[index] = Math.round(peak * edge * Math.sin(step * index));
  }
  return samples;
}

/** Digital silence, Int16 mono at 8 kHz. */
export function silence(durationMs: number): Int16Array {
  return new Int16Array(Math.round((durationMs * SAMPLE_RATE_HZ) / 1000));
}

/** Puts pieces of audio one after the other. */
export function joined(...pieces: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** One cycle of ringback: 450 Hz, 1 s on and 4 s off (GB/T 3380, YD/T). */
export const ringbackCycle = (): Int16Array => joined(tone(450, 1_000), silence(4_000));

/** One cycle of the busy tone: 450 Hz, 0.35 s on and off. */
export const busyCycle = (): Int16Array => joined(tone(450, 350), silence(350));

/** One cycle of the congestion tone: 450 Hz, 0.7 s on and off. */
export const congestionCycle = (): Int16Array => joined(tone(450, 700), silence(700));

/** A mailbox's record tone. */
export const recordBeep = (): Int16Array => joined(tone(1_000, 500), silence(100));

/** The answer tone of a fax machine: 2100 Hz for 3 s (ITU-T T.30 §4.1). */
export const faxAnswerTone = (): Int16Array => joined(silence(200), tone(2_100, 3_000), silence(80));

/** Special information tone: 950, 1400 and 1800 Hz, 330 ms each (ITU-T E.180). */
export const specialInformationTone = (): Int16Array =>
  joined(tone(950, 330), tone(1_400, 330), tone(1_800, 330), silence(400));

/** Faint noise as a line has it, about −60 dBFS, a loop of 1 s. */
export function lineNoise(next: () => number, peak = 40): Int16Array {
  return Int16Array.from({ length: SAMPLE_RATE_HZ }, () => Math.round((next() + next() - 1) * peak));
}
