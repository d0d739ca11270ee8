import { LANGUAGES, type Language, type LocalText } from '#domain/text.ts';
import type { Log } from '#platform/log.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';
import { ANNOUNCEMENTS, ASSISTANT_LINES, VOICEMAIL_GREETINGS, type AnnouncedBehaviour } from './announcements.ts';
import { ringBackMelody } from './music.ts';
import { murmur } from './murmur.ts';
import { toClip, type Clip } from './playout.ts';
import { randomFor } from './random.ts';
import {
  busyCycle,
  congestionCycle,
  faxAnswerTone,
  lineNoise,
  recordBeep,
  ringbackCycle,
  specialInformationTone,
} from './tones.ts';

/** Speech from text: Int16 mono at 8 kHz. */
export type Synthesize = (
  text: string,
  options: { readonly voice: string; readonly language: Language },
) => Promise<Int16Array>;

/** Voice of the network's announcements, of mailboxes and of assistants. */
export const NETWORK_VOICE = 'zh-female';
/** Voices of people; each persona has one. */
export const CALLEE_VOICES: readonly string[] = [
  'zh-male',
  'zh-female-2',
  'zh-male-2',
  'zh-female-3',
  'zh-male-3',
  'zh-female',
];

const MEMORY_BYTES = 96 * 1024 * 1024;
/** Peak of the line noise under people's speech, about −58 dBFS. */
const SPEECH_NOISE_PEAK = 60;
const MELODIES = 4;

const TONES = {
  ringback: ringbackCycle,
  busy: busyCycle,
  congestion: congestionCycle,
  sit: specialInformationTone,
  beep: recordBeep,
  fax: faxAnswerTone,
} as const satisfies Readonly<Record<string, () => Int16Array>>;
export type ToneName = keyof typeof TONES;

/** Everything that the simulated lines play, ready to send; synthesised and made once, least recently used goes first. */
export class SoundBank {
  readonly #synthesize: Synthesize | undefined;
  readonly #log: Log;
  readonly #clips = new Map<string, Clip>();
  readonly #pending = new Map<string, Promise<Clip>>();
  #bytes = 0;

  constructor(options: { readonly synthesize: Synthesize | undefined; readonly log: Log }) {
    this.#synthesize = options.synthesize;
    this.#log = options.log;
  }

  tone(name: ToneName, codec: G711Codec): Clip {
    return this.#made(`tone:${name}:${codec}`, () => toClip(TONES[name](), codec));
  }

  /** One of a few ring-back melodies, by any number. */
  melody(draw: number, codec: G711Codec): Clip {
    const tune = Math.abs(Math.trunc(draw)) % MELODIES;
    return this.#made(`melody:${tune}:${codec}`, () => toClip(ringBackMelody(tune), codec));
  }

  /** Faint noise for the time in which a person says nothing. */
  noise(codec: G711Codec): Clip {
    return this.#made(`noise:${codec}`, () => toClip(lineNoise(randomFor('noise').next), codec));
  }

  /** Speech; with `noisy` the line's noise lies under it. Without a synthesiser, or when it fails, a murmur. */
  async phrase(text: string, voice: string, codec: G711Codec, options?: { readonly noisy?: boolean }): Promise<Clip> {
    const noisy = options?.noisy === true;
    const key = `phrase:${voice}:${codec}:${noisy}:${text}`;
    const known = this.#known(key);
    if (known !== undefined) return known;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const making = this.#speak(text, voice)
      .then((pcm) => this.#keep(key, toClip(noisy ? withNoise(pcm) : pcm, codec)))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, making);
    return making;
  }

  /** Makes all announcements and `lines` in advance, one after the other; `lines` in every voice that may say them. */
  async warm(options: {
    readonly lines: readonly string[];
    readonly codecs: readonly G711Codec[];
    readonly onProgress?: (done: number, total: number) => void;
    readonly signal?: AbortSignal;
  }): Promise<void> {
    const announced = Object.values(ANNOUNCEMENTS).flatMap((text) => [text.zh, text.en]);
    const machines = [
      ...VOICEMAIL_GREETINGS,
      ...ASSISTANT_LINES.openings,
      ...ASSISTANT_LINES.replies,
      ASSISTANT_LINES.farewell,
    ];
    const jobs = [
      ...[...announced, ...machines].map((text) => ({ text, voice: NETWORK_VOICE, noisy: false })),
      ...options.lines.flatMap((text) => CALLEE_VOICES.map((voice) => ({ text, voice, noisy: true }))),
    ].flatMap((job) => options.codecs.map((codec) => ({ ...job, codec })));
    let done = 0;
    for (const job of jobs) {
      if (options.signal?.aborted === true) return;
      await this.phrase(job.text, job.voice, job.codec, { noisy: job.noisy });
      options.onProgress?.(++done, jobs.length);
    }
  }

  async #speak(text: string, voice: string): Promise<Int16Array> {
    if (this.#synthesize === undefined) return murmur(text);
    try {
      const pcm = await this.#synthesize(text, { voice, language: languageOf(text) });
      if (pcm.length > 0) return pcm;
    } catch (cause) {
      this.#log.warn({ err: cause }, 'simulated speech could not be synthesised, murmuring instead');
    }
    return murmur(text);
  }

  #made(key: string, make: () => Clip): Clip {
    return this.#known(key) ?? this.#keep(key, make());
  }

  #known(key: string): Clip | undefined {
    const clip = this.#clips.get(key);
    if (clip === undefined) return undefined;
    this.#clips.delete(key);
    this.#clips.set(key, clip);
    return clip;
  }

  #keep(key: string, clip: Clip): Clip {
    this.#clips.set(key, clip);
    this.#bytes += clip.length;
    for (const [oldest, bytes] of this.#clips) {
      if (this.#bytes <= MEMORY_BYTES || oldest === key) break;
      this.#clips.delete(oldest);
      this.#bytes -= bytes.length;
    }
    return clip;
  }
}

/** The network's announcements as a platform may learn them, each sentence on its own: Int16 mono at 8 kHz. */
export async function announcementRecordings(
  synthesize: Synthesize,
): Promise<readonly { readonly label: AnnouncedBehaviour; readonly pcm: Int16Array }[]> {
  const recordings: { label: AnnouncedBehaviour; pcm: Int16Array }[] = [];
  for (const [label, text] of Object.entries(ANNOUNCEMENTS) as [AnnouncedBehaviour, LocalText][]) {
    for (const language of LANGUAGES) {
      const pcm = await synthesize(text[language], { voice: NETWORK_VOICE, language });
      recordings.push({ label, pcm });
    }
  }
  return recordings;
}

function languageOf(text: string): Language {
  return /\p{Script=Han}/u.test(text) ? 'zh' : 'en';
}

function withNoise(pcm: Int16Array): Int16Array {
  const { next } = randomFor('speech-noise', pcm.length);
  return pcm.map((sample) =>
    Math.max(-32_768, Math.min(32_767, sample + Math.round((next() + next() - 1) * SPEECH_NOISE_PEAK))),
  );
}
