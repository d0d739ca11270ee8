import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptId } from '#domain/ids.ts';
import type { Log } from '#platform/log.ts';
import { FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { wavHeader } from './wav-header.ts';

/** An announcement with its repetition; more teaches nothing. */
const LONGEST_FRAMES = 1250;
/** Grown by five seconds at a time: most early media is short. */
const GROWTH_FRAMES = 250;

/** What one call's network played before the answer: its first 25 s, in memory until somebody wants to keep it. */
export class EarlyMedia {
  #octets = new Uint8Array(0);
  #frames = 0;

  /** Takes 20 ms of G.711. */
  push(payload: Uint8Array): void {
    if (this.#frames >= LONGEST_FRAMES) return;
    const at = this.#frames++ * FRAME_SAMPLES;
    if (at >= this.#octets.length) {
      const grown = new Uint8Array(at + GROWTH_FRAMES * FRAME_SAMPLES);
      grown.set(this.#octets);
      this.#octets = grown;
    }
    this.#octets.set(payload, at);
  }

  /** Mono WAV of what was taken. */
  wav(codec: G711Codec): Uint8Array {
    const data = this.#octets.subarray(0, this.#frames * FRAME_SAMPLES);
    return Buffer.concat([wavHeader(codec, 1, data.length), data]);
  }
}

/**
 * Keeps early media that nobody recognised as `<directory>/<day>/<call>.wav`, so that it can be taught. A carrier plays
 * the same few announcements all day: a limited number of files a day is enough.
 */
export class EarlyMediaShelf {
  readonly #directory: string;
  readonly #perDay: number;
  readonly #log: Log;
  #day = '';
  #kept = 0;

  constructor(options: { readonly directory: string; readonly perDay: number; readonly log: Log }) {
    this.#directory = options.directory;
    this.#perDay = options.perDay;
    this.#log = options.log;
  }

  /** Writes the file unless today's are enough; a fault is logged, for the call is over and has its outcome. */
  async keep(call: AttemptId, dialedAt: Date, media: EarlyMedia, codec: G711Codec): Promise<void> {
    const day = dialedAt.toISOString().slice(0, 10);
    const folder = join(this.#directory, day);
    try {
      await mkdir(folder, { recursive: true, mode: 0o750 });
      if (this.#day !== day) {
        this.#day = day;
        this.#kept = (await readdir(folder)).length;
      }
      if (this.#kept >= this.#perDay) return;
      this.#kept++;
      const file = join(folder, `${call}.wav`);
      await writeFile(`${file}.part`, media.wav(codec), { mode: 0o640 });
      await rename(`${file}.part`, file);
    } catch (error) {
      this.#log.warn({ call, err: error }, 'early media could not be kept');
    }
  }
}
