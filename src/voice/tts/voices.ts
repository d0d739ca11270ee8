import type { Language } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';

/** What the espeak-ng engine is told for one voice. */
export interface EspeakVoice {
  /** espeak-ng voice and variant, for example `cmn+f3`. */
  readonly identifier: string;
  /** Words a minute in espeak-ng's count; 220 gives about 5 Mandarin syllables a second. */
  readonly rate: number;
  /** 0–100, the voice's base pitch. */
  readonly pitch: number;
  /** 0–100, liveliness of the pitch. */
  readonly range: number;
}

interface Timbre {
  readonly variant: string;
  readonly ratePercent: number;
  readonly pitch: number;
  readonly range: number;
}

const TIMBRES: Readonly<Record<string, Timbre>> = {
  female: { variant: 'f3', ratePercent: 100, pitch: 52, range: 55 },
  'female-2': { variant: 'f2', ratePercent: 108, pitch: 60, range: 50 },
  'female-3': { variant: 'f5', ratePercent: 94, pitch: 45, range: 55 },
  male: { variant: 'm3', ratePercent: 100, pitch: 42, range: 50 },
  'male-2': { variant: 'm1', ratePercent: 110, pitch: 35, range: 60 },
  'male-3': { variant: 'm7', ratePercent: 92, pitch: 50, range: 45 },
};

const LANGUAGE_VOICES: Readonly<Record<Language, { readonly identifier: string; readonly rate: number }>> = {
  zh: { identifier: 'cmn', rate: 220 },
  en: { identifier: 'en-us', rate: 170 },
};

/** Names accepted by `espeakVoice`, each also with `zh-` or `en-` before it. */
export const ESPEAK_VOICE_NAMES: readonly string[] = Object.keys(TIMBRES);

const DEFAULT_TIMBRE = TIMBRES['female']!;

/** `default`, a timbre such as `female` or `zh-male-2`, a bare language such as `cmn`, or an espeak-ng variant: `cmn+f4`. */
function timbreOf(name: string): Timbre | undefined {
  if (/^(?:default|zh|cmn|en|en-us)$/.test(name)) return DEFAULT_TIMBRE;
  const variant = /^(?:zh|cmn|en|en-us)\+([fm][1-5]|m[678])$/.exec(name)?.[1];
  if (variant !== undefined) return { variant, ratePercent: 100, pitch: 50, range: 50 };
  const known = name.replace(/^(?:zh|en)-/, '');
  return Object.hasOwn(TIMBRES, known) ? TIMBRES[known] : undefined;
}

/**
 * Finds a voice by name; the language decides what is spoken, so `zh-female` reads English with the same timbre.
 * @throws AppError `invalid-input`
 */
export function espeakVoice(name: string, language: Language): EspeakVoice {
  const timbre = timbreOf(name);
  if (timbre === undefined) {
    const names = ESPEAK_VOICE_NAMES.map((known) => `zh-${known}`).join(', ');
    throw new AppError('invalid-input', {
      zh: `没有名为“${name}”的语音。可用的语音：default, ${names}`,
      en: `There is no voice named "${name}". Available voices: default, ${names}`,
    });
  }
  const base = LANGUAGE_VOICES[language];
  return {
    identifier: `${base.identifier}+${timbre.variant}`,
    rate: Math.round((base.rate * timbre.ratePercent) / 100),
    pitch: timbre.pitch,
    range: timbre.range,
  };
}
