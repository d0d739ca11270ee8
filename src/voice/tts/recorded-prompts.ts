import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#platform/error.ts';
import { encodeG711, type G711Codec, LINE_RATE_HZ } from '../g711.ts';
import { resample } from '../resample.ts';
import { levelSpeech } from './loudness.ts';
import { parseWav } from './wav.ts';

/**
 * A recorded WAV prompt as ready-to-send G.711. A recording that is already 8 kHz G.711 of this codec is sent as it is;
 * any other is brought to 8 kHz, trimmed and levelled like synthesised speech, so that the two can be spliced.
 * @throws AppError `invalid-input`
 */
export function recordedPrompt(wav: Uint8Array, codec: G711Codec): Uint8Array {
  const { rateHz, samples, g711 } = parseWav(wav);
  if (g711?.codec === codec) return g711.bytes.slice();
  return encodeG711(codec, levelSpeech(resample(samples, rateHz, LINE_RATE_HZ)));
}

/** The recorded prompts of a directory, read once each. */
export class RecordedPrompts {
  readonly #directory: string;
  readonly #prompts = new Map<string, Promise<Uint8Array>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The prompt that a script names, for example `greeting.wav` or `bank/greeting.wav`.
   * @throws AppError `not-found`, `invalid-input`
   */
  async get(name: string, codec: G711Codec): Promise<Uint8Array> {
    const key = `${codec}:${name}`;
    const known = this.#prompts.get(key);
    if (known !== undefined) return known;
    const work = this.#load(name, codec);
    this.#prompts.set(key, work);
    try {
      return await work;
    } catch (cause) {
      this.#prompts.delete(key);
      throw cause;
    }
  }

  /** Reads the named prompts again when they are next asked for. */
  forget(): void {
    this.#prompts.clear();
  }

  async #load(name: string, codec: G711Codec): Promise<Uint8Array> {
    const parts = name.split('/');
    if (parts.some((part) => part === '' || part.startsWith('.') || /[\\\0]/.test(part)))
      throw new AppError('invalid-input', {
        zh: `录音名“${name}”无效`,
        en: `"${name}" is not a valid name of a recording`,
      });
    let wav: Uint8Array;
    try {
      wav = await readFile(join(this.#directory, ...parts));
    } catch (cause) {
      throw new AppError('not-found', { zh: `找不到录音“${name}”`, en: `There is no recording "${name}"` }, { cause });
    }
    return recordedPrompt(wav, codec);
  }
}
