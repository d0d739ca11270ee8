import { pinyin } from 'pinyin-pro';

/** One syllable without its tone, split so that what recognisers confuse can be compared part by part. */
export interface Syllable {
  readonly initial: string;
  readonly final: string;
  readonly initialFamily: string;
  readonly finalFamily: string;
  /** Index of its character in the text. */
  readonly index: number;
}

/** Where a phrase was found by sound; `score` is 1 for the same sounds. */
export interface SoundMatch {
  readonly score: number;
  readonly index: number;
}

/** Cost of one confusable part (n/l, zh/z, in/ing, f/h …), of another initial or final, and of another syllable. */
const CONFUSED_COST = 0.15;
const PART_COST = 0.6;
const SYLLABLE_COST = 1;

const INITIAL_FAMILY: Readonly<Record<string, string>> = { zh: 'z', ch: 'c', sh: 's', n: 'l', r: 'l', f: 'h' };
const FINAL_FAMILY: Readonly<Record<string, string>> = {
  ing: 'in',
  eng: 'en',
  ang: 'an',
  iang: 'ian',
  uang: 'uan',
  uo: 'o',
};
/** After h the u is part of what is confused with f: huang/fang, hui/fei, hun/fen. */
const AFTER_H: Readonly<Record<string, string>> = { ua: 'a', uai: 'ai', uan: 'an', uang: 'ang', ui: 'ei', un: 'en' };
const SYLLABLE = /^(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(.*)$/u;
const WORD = /\p{Script=Han}|[a-z0-9']+/gu;

/** Toneless syllables of a normalised text; Latin words and digits count as one syllable each. */
export function syllables(text: string): readonly Syllable[] {
  const result: Syllable[] = [];
  const sounds = pinyin(text, { toneType: 'none', type: 'array', v: true });
  const perCharacter = sounds.length === Array.from(text).length ? sounds : undefined;
  for (const match of text.matchAll(WORD)) {
    const word = match[0];
    const sound = /\p{Script=Han}/u.test(word)
      ? (perCharacter?.[characterIndex(text, match.index)] ?? pinyin(word, { toneType: 'none', v: true }))
      : word;
    result.push(split(sound, match.index));
  }
  return result;
}

function characterIndex(text: string, index: number): number {
  return Array.from(text.slice(0, index)).length;
}

function split(sound: string, index: number): Syllable {
  const [, initial = '', final = ''] = SYLLABLE.exec(sound) ?? [];
  const plain = initial === 'h' ? (AFTER_H[final] ?? final) : final;
  return {
    initial,
    final,
    initialFamily: INITIAL_FAMILY[initial] ?? initial,
    finalFamily: FINAL_FAMILY[plain] ?? plain,
    index,
  };
}

function substitution(a: Syllable, b: Syllable): number {
  const initial = a.initial === b.initial ? 0 : a.initialFamily === b.initialFamily ? CONFUSED_COST : PART_COST;
  const final = a.final === b.final ? 0 : a.finalFamily === b.finalFamily ? CONFUSED_COST : PART_COST;
  return Math.min(SYLLABLE_COST, initial + final);
}

/** Highest cost at which a phrase of so many syllables still counts: short phrases must sound alike. */
function allowedCost(length: number): number {
  if (length <= 1) return 0;
  if (length === 2) return 0.3;
  if (length === 3) return 0.6;
  return length * 0.22;
}

/** Finds where in the utterance the phrase is heard: edit distance over syllables, free at both ends of the utterance. */
export function findBySound(utterance: readonly Syllable[], phrase: readonly Syllable[]): SoundMatch | undefined {
  const length = phrase.length;
  const limit = allowedCost(length);
  if (length < 2 || utterance.length + 1 < length) return undefined;
  let previous = Array.from({ length: length + 1 }, (_, row) => row * SYLLABLE_COST);
  let starts: number[] = Array.from({ length: length + 1 }, () => 0);
  let best = Infinity;
  let bestStart = 0;
  for (let column = 1; column <= utterance.length; column++) {
    const heard = utterance[column - 1]!;
    const current = [0];
    const currentStarts = [column];
    for (let row = 1; row <= length; row++) {
      const replace = previous[row - 1]! + substitution(heard, phrase[row - 1]!);
      const extra = previous[row]! + SYLLABLE_COST;
      const missing = current[row - 1]! + SYLLABLE_COST;
      const cost = Math.min(replace, extra, missing);
      current.push(cost);
      currentStarts.push(cost === replace ? starts[row - 1]! : cost === extra ? starts[row]! : currentStarts[row - 1]!);
    }
    if (current[length]! < best) {
      best = current[length]!;
      bestStart = currentStarts[length]!;
    }
    previous = current;
    starts = currentStarts;
  }
  if (best > limit + 1e-9) return undefined;
  return { score: 1 - best / length, index: utterance[bestStart]?.index ?? 0 };
}
