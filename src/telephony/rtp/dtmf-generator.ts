import { FRAME_SAMPLES } from '../codec/g711.ts';

const SAMPLE_HZ = 8000;
const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const KEYS = '123A456B789C*0#D';
/** 100 ms of tone and 60 ms between tones, in 20 ms frames: Q.24 asks for 40 ms of each. */
const TONE_FRAMES = 5;
const GAP_FRAMES = 3;
/** −9 dBm0 for the low group and −7 dBm0 for the high one, that lines weaken more (ITU-T Q.23, RFC 4733 §3.2). */
const LOW_AMPLITUDE = 8100;
const HIGH_AMPLITUDE = 10_200;
/** Tones begin and end within 2 ms, so that they do not click. */
const RAMP_SAMPLES = 16;

/** Plays queued digits as tones in place of audio, for a far end that takes neither telephone-events nor INFO. */
export class DtmfGenerator {
  #queue = '';
  #frame = -1;
  #lowHz = 0;
  #highHz = 0;

  /** Appends digits; characters that are no keys are left out. */
  enqueue(digits: string): void {
    for (const digit of digits.toUpperCase()) if (KEYS.includes(digit)) this.#queue += digit;
  }

  /** Writes the next 160 samples, tone or the pause after one; false where nothing is to be played and `pcm` is as it was. */
  next(pcm: Int16Array): boolean {
    if (this.#frame < 0) {
      const key = this.#queue[0];
      if (key === undefined) return false;
      this.#queue = this.#queue.slice(1);
      const index = KEYS.indexOf(key);
      this.#lowHz = LOW_HZ[index >> 2]!;
      this.#highHz = HIGH_HZ[index & 3]!;
      this.#frame = 0;
    }
    if (this.#frame < TONE_FRAMES) this.#tone(pcm);
    else pcm.fill(0);
    if (++this.#frame >= TONE_FRAMES + GAP_FRAMES) this.#frame = -1;
    return true;
  }

  #tone(pcm: Int16Array): void {
    const first = this.#frame * FRAME_SAMPLES;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = first + i;
      const ramp = Math.min(1, (at + 1) / RAMP_SAMPLES, (TONE_FRAMES * FRAME_SAMPLES - at) / RAMP_SAMPLES);
      const angle = (2 * Math.PI * at) / SAMPLE_HZ;
      pcm[i] = Math.round(
        ramp * (LOW_AMPLITUDE * Math.sin(this.#lowHz * angle) + HIGH_AMPLITUDE * Math.sin(this.#highHz * angle)),
      );
    }
  }
}
