/** The sounds of the evaluation: synthetic voices always; human speech, prompts and music where this machine has them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '#platform/log.ts';
import { ringBackMelody } from '#simulator/music.ts';
import { resample } from '#voice/resample.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { parseWav } from '#voice/tts/wav.ts';
import { join, random, silence } from '../../support/progress-audio.ts';
import { band, clamp } from './signals.ts';

/** A sound with its name. */
export interface Sound {
  readonly name: string;
  readonly pcm: Int16Array;
}

/** Everything that cases are made from; whoever opens it closes it. */
export interface Material {
  readonly clips: ReadonlyMap<string, Int16Array>;
  /** Human Mandarin words by what they say; empty where the machine has none. */
  readonly words: ReadonlyMap<string, Int16Array>;
  /** One announcer's recorded English prompts by file name; empty where the machine has none. */
  readonly prompts: ReadonlyMap<string, Int16Array>;
  readonly music: readonly Sound[];
  readonly say: (text: string, voice: string, language: 'zh' | 'en') => Promise<Int16Array>;
  /** What this machine had, for the report. */
  readonly sources: readonly string[];
  close(): void;
}

const SPEECH = fileURLToPath(new URL('../../../../shared/speech', import.meta.url));
const MUSIC_SAMPLES = 12 * 8000;

/** `asterisk`: where Debian's asterisk-core-sounds-en-wav and asterisk-moh-opsound-wav lie. */
export function openMaterial(options: { readonly seed: number; readonly asterisk: string }): Material {
  const clips = readAll(joinPath(SPEECH, 'clips'));
  const words = readAll(joinPath(SPEECH, 'voice-zh-8k'));
  const prompts = readAll(joinPath(options.asterisk, 'sounds', 'en_US_f_Allison'), /beep|tone|monkeys|(join|leave)\./);
  const songs = readAll(joinPath(options.asterisk, 'moh'));
  const music: Sound[] = Array.from({ length: 20 }, (_, i) => ({
    name: `band ${i}`,
    pcm: band(options.seed * 100 + i, 12_000),
  }));
  for (let i = 0; i < 8; i++) music.push({ name: `melody ${i}`, pcm: ringBackMelody(i) });
  for (const [name, pcm] of songs)
    for (let at = 0; at + MUSIC_SAMPLES <= pcm.length; at += 3 * MUSIC_SAMPLES)
      music.push({ name: `song ${name} ${at / 8000} s`, pcm: pcm.slice(at, at + MUSIC_SAMPLES) });
  const synthesizer = new EspeakSynthesizer({ log: silentLog });
  return {
    clips,
    words,
    prompts,
    music,
    say: (text, voice, language) => synthesizer.synthesize(text, { voice, language }),
    sources: [
      'espeak-ng voices, synthetic bands and melodies',
      ...(clips.size > 0 ? [`${clips.size} human sentences`] : []),
      ...(words.size > 0 ? [`${words.size} human Mandarin words`] : []),
      ...(prompts.size > 0 ? [`${prompts.size} prompts of one announcer (asterisk-core-sounds-en-wav)`] : []),
      ...(songs.size > 0 ? [`${songs.size} recorded pieces of music (asterisk-moh-opsound-wav)`] : []),
    ],
    close: () => synthesizer.close(),
  };
}

/** A sentence of random words with the pauses of slow speech. */
export function sentence(words: readonly Int16Array[], count: number, next: () => number): Int16Array {
  const parts: Int16Array[] = [];
  for (let i = 0; i < count; i++) {
    parts.push(words[Math.floor(next() * words.length)]!);
    if (next() < 0.3) parts.push(silence(20 * Math.floor(next() * 15)));
  }
  return join(...parts);
}

/** A seeded source whose first draws differ between neighbouring seeds. */
export function seeded(seed: number): () => number {
  const next = random(Math.imul(seed + 1, 2_654_435_761));
  for (let i = 0; i < 4; i++) next();
  return next;
}

function readAll(directory: string, except?: RegExp): Map<string, Int16Array> {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  return new Map(
    files
      .filter((name) => name.endsWith('.wav') && except?.test(name) !== true)
      .toSorted()
      .map((name) => [name.slice(0, -4), readPcm(joinPath(directory, name))]),
  );
}

function readPcm(file: string): Int16Array {
  const { samples, rateHz } = parseWav(readFileSync(file));
  return Int16Array.from(resample(samples, rateHz, 8000), clamp);
}
