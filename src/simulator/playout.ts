import { encodeG711, FRAME_SAMPLES, silenceOctet } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';

/** G.711 ready to send, a whole number of 20 ms frames. */
export type Clip = Uint8Array;

/** Milliseconds of one frame. */
export const FRAME_MS = 20;

/** Encodes 8 kHz samples and fills the last frame with silence. */
export function toClip(pcm: Int16Array, codec: G711Codec): Clip {
  const clip = new Uint8Array(Math.ceil(pcm.length / FRAME_SAMPLES) * FRAME_SAMPLES).fill(silenceOctet(codec));
  encodeG711(codec, pcm, clip);
  return clip;
}

/** How long a clip plays. */
export function clipMs(clip: Clip): number {
  return (clip.length / FRAME_SAMPLES) * FRAME_MS;
}

/** What one call sends, frame by frame: one clip at a time over an endless background. */
export class Playout {
  #background: Clip | undefined;
  #backgroundAt = 0;
  #clip: Clip | undefined;
  #clipAt = 0;
  #ended: (() => void) | undefined;

  /** Loops under everything else until replaced; undefined is silence. */
  loop(background: Clip | undefined): void {
    this.#background = background;
    this.#backgroundAt = 0;
  }

  /** Replaces what plays; `ended` is called after its last frame, and not at all when it was replaced or stopped. */
  play(clip: Clip, ended?: () => void): void {
    this.#clip = clip;
    this.#clipAt = 0;
    this.#ended = ended;
  }

  stop(): void {
    this.#clip = undefined;
    this.#ended = undefined;
  }

  get playing(): boolean {
    return this.#clip !== undefined;
  }

  /** Share of the clip that has been sent, 0–1; 1 when nothing plays. */
  get progress(): number {
    return this.#clip === undefined || this.#clip.length === 0 ? 1 : this.#clipAt / this.#clip.length;
  }

  /** Fills one frame, already preset to silence. */
  fill(tx: Uint8Array): void {
    if (this.#clip !== undefined) {
      tx.set(this.#clip.subarray(this.#clipAt, this.#clipAt + FRAME_SAMPLES));
      this.#clipAt += FRAME_SAMPLES;
      if (this.#clipAt < this.#clip.length) return;
      const ended = this.#ended;
      this.stop();
      ended?.();
      return;
    }
    if (this.#background === undefined || this.#background.length === 0) return;
    tx.set(this.#background.subarray(this.#backgroundAt, this.#backgroundAt + FRAME_SAMPLES));
    this.#backgroundAt = (this.#backgroundAt + FRAME_SAMPLES) % this.#background.length;
  }
}
