/** What an utterance looks like after normalising: lower case, half width, no punctuation, fillers gone. */
export interface Normalized {
  readonly raw: string;
  /** Letters and Han characters only as compared by exact and keyword layers. */
  readonly text: string;
  /** `text` with fillers kept, for utterances that consist of nothing else (`嗯`). */
  readonly full: string;
}

/** Longer utterances are cut: nothing that matters comes after this many characters. */
const MAX_CHARACTERS = 400;
const PUNCTUATION = /[\p{P}\p{S}\p{Z}\p{C}]+/gu;
const KEPT_IN_NUMBERS = /(?<=\d)[,，](?=\d{3})/gu;
const FILLERS_ZH = /嗯+|呃+|额+|唔+|哦+|噢+|喔+|啊+|呀|诶+|欸+|哎+|那个|这个嘛|就是说|怎么说呢/gu;
const FILLERS_EN = /\b(?:uh+|um+|er+|erm|hmm+|well|you know|i mean)\b/gu;
const HAN = /\p{Script=Han}/u;

/** Full width to half width, lower case, thousands separators out. */
export function foldWidth(text: string): string {
  return text.slice(0, MAX_CHARACTERS).normalize('NFKC').toLowerCase().replace(KEPT_IN_NUMBERS, '').trim();
}

/** Normalises an utterance or a phrase of a script for comparison. */
export function normalize(raw: string): Normalized {
  const folded = foldWidth(raw).replace(/’/gu, "'");
  const full = squeeze(folded.replace(/n't\b/gu, ' not').replace(PUNCTUATION, ' '));
  const text = squeeze(full.replace(FILLERS_EN, ' ').replace(FILLERS_ZH, ''));
  return { raw, text: text === '' ? full : text, full };
}

/** Spaces count only between two words in Latin script. */
function squeeze(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/(?<=\p{Script=Han}) | (?=\p{Script=Han})/gu, '')
    .trim();
}

/** Whether a phrase holds Chinese characters: these have no word boundaries. */
export function hasHan(text: string): boolean {
  return HAN.test(text);
}

/** Length as a person would count: Han characters plus Latin words. */
export function spokenLength(text: string): number {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const words = text.match(/[a-z0-9']+/gu)?.length ?? 0;
  return han + words;
}
