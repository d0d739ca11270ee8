import { readFile } from 'node:fs/promises';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import type { Log } from '#platform/log.ts';
import { encodeG711, LINE_RATE_HZ } from '#voice/g711.ts';
import { resample } from '#voice/resample.ts';
import { parseWav } from '#voice/tts/wav.ts';
import { limit } from './limiter.ts';

/** What is heard while somebody waits, in each law, ready to send and played in a loop. */
export interface HoldMusic {
  readonly PCMA: Uint8Array;
  readonly PCMU: Uint8Array;
}

/** A quarter of an hour of a loop is long enough, and 14 MB a worker. */
const MAX_SECONDS = 900;

/** A WAV file as hold music. @throws AppError `invalid-input` */
export function holdMusicOf(wav: Uint8Array): HoldMusic {
  const { rateHz, samples } = parseWav(wav);
  return musicOf(resample(samples, rateHz, LINE_RATE_HZ).subarray(0, MAX_SECONDS * LINE_RATE_HZ));
}

/** The operator's own file where there is a usable one, else the built-in melody. */
export async function loadHoldMusic(file: string | undefined, log: Log): Promise<HoldMusic> {
  if (file !== undefined) {
    try {
      return holdMusicOf(await readFile(file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warn({ file, err: error }, 'hold music could not be read; the built-in one plays');
    }
  }
  return builtInHoldMusic();
}

/** Steps of the built-in melody in semitones above A3: two soft broken chords and their way back. */
const MELODY = [0, 7, 12, 16, 12, 7, 5, 9, 12, 17, 12, 9, 7, 11, 14, 19, 14, 11, 0, 7, 12, 16, 12, 7] as const;
const NOTE_S = 0.5;
/** −20 dBFS a note: below a voice, above the noise of a line. */
const AMPLITUDE = 3000;

/** Twelve seconds of plucked notes that fade into each other; the same octets every time. */
export function builtInHoldMusic(): HoldMusic {
  const note = NOTE_S * LINE_RATE_HZ;
  const samples = new Float32Array(MELODY.length * note);
  MELODY.forEach((semitone, index) => {
    const step = (2 * Math.PI * 220 * 2 ** (semitone / 12)) / LINE_RATE_HZ;
    // A note rings on into the next two, and the last ones into the beginning of the loop.
    for (let i = 0; i < 3 * note; i++) {
      const t = i / LINE_RATE_HZ;
      const envelope = Math.min(1, t / 0.01) * Math.exp(-3 * t) * (1 - i / (3 * note));
      const at = (index * note + i) % samples.length;
      samples[at]! += AMPLITUDE * envelope * (Math.sin(step * i) + 0.25 * Math.sin(2 * step * i));
    }
  });
  return musicOf(samples);
}

/** One call's place in the music: it goes on where it stopped the last time. */
export class HoldPlayer {
  readonly #music: HoldMusic;
  #at = 0;

  constructor(music: HoldMusic) {
    this.#music = music;
  }

  /** Fills `tx` with the next 20 ms. */
  play(codec: G711Codec, tx: Uint8Array): void {
    const octets = this.#music[codec];
    if (octets.length === 0) return;
    for (let filled = 0; filled < FRAME_SAMPLES;) {
      const part = octets.subarray(this.#at, this.#at + FRAME_SAMPLES - filled);
      tx.set(part, filled);
      filled += part.length;
      this.#at = (this.#at + part.length) % octets.length;
    }
  }
}

function musicOf(samples: Float32Array): HoldMusic {
  const pcm = Int16Array.from(samples, (sample) => limit(Math.round(sample)));
  return { PCMA: encodeG711('PCMA', pcm), PCMU: encodeG711('PCMU', pcm) };
}
