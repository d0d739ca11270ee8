/** RMS above which a frame of the other side counts as voice, about −48 dBFS: platforms send clean audio. */
const VOICE_RMS = 130;
const ONSET_FRAMES = 3;

/** Tells when the other side begins and stops to speak, by energy; pure but for its counters. */
export class SpeechEar {
  #voicedFrames = 0;
  #quietFrames = 0;
  #speaking = false;

  get speaking(): boolean {
    return this.#speaking;
  }

  /** One 20 ms frame, undefined where nothing was received; `hangoverMs` is the pause that ends what is said. */
  push(pcm: Int16Array | undefined, hangoverMs: number): 'started' | 'stopped' | undefined {
    if (pcm !== undefined && rms(pcm) >= VOICE_RMS) {
      this.#voicedFrames++;
      this.#quietFrames = 0;
      if (this.#speaking || this.#voicedFrames < ONSET_FRAMES) return undefined;
      this.#speaking = true;
      return 'started';
    }
    this.#voicedFrames = 0;
    if (!this.#speaking || ++this.#quietFrames * 20 < hangoverMs) return undefined;
    this.#speaking = false;
    this.#quietFrames = 0;
    return 'stopped';
  }
}

function rms(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, pcm.length));
}
