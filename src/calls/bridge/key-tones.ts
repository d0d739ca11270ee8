import { encodeG711, FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';

const SAMPLE_HZ = 8000;
const LOW_HZ = [697, 770, 852, 941] as const;
const HIGH_HZ = [1209, 1336, 1477, 1633] as const;
const KEYS = '123A456B789C*0#D';
/** Half a second of keys at a time; whoever types faster than a person is cut off. */
const MAX_QUEUED = 16;
/** 120 ms of tone, 60 ms of pause: well above the 40 ms of ITU-T Q.24. */
const TONE_FRAMES = 6;
const KEY_FRAMES = 9;
/** −9 dBFS a tone. */
const AMPLITUDE = 8000;

/** Keys as tones (ITU-T Q.23) on a leg whose far end takes no telephone-events. */
export class KeyTones {
  #keys = '';
  #frame = 0;

  press(digit: string): void {
    if (KEYS.includes(digit) && this.#keys.length < MAX_QUEUED) this.#keys += digit;
  }

  /** Fills `tx` with the next 20 ms while keys wait; false leaves it as it is. */
  play(codec: G711Codec, tx: Uint8Array): boolean {
    const key = KEYS.indexOf(this.#keys[0] ?? ' ');
    if (key < 0) return false;
    const pcm = new Int16Array(FRAME_SAMPLES);
    if (this.#frame < TONE_FRAMES) {
      const low = (2 * Math.PI * LOW_HZ[key >> 2]!) / SAMPLE_HZ;
      const high = (2 * Math.PI * HIGH_HZ[key & 3]!) / SAMPLE_HZ;
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        const t = this.#frame * FRAME_SAMPLES + i;
        pcm[i] = Math.round(AMPLITUDE * (Math.sin(low * t) + Math.sin(high * t)));
      }
    }
    encodeG711(codec, pcm, tx);
    this.#frame++;
    if (this.#frame === KEY_FRAMES) {
      this.#frame = 0;
      this.#keys = this.#keys.slice(1);
    }
    return true;
  }
}
