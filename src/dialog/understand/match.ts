import type { Match, SlotKind } from '#domain/script.ts';
import { findBySound, syllables, type Syllable } from './phonetic.ts';
import { hasHan, normalize, type Normalized } from './normalize.ts';
import { stanceAt } from './negation.ts';

/** A `Match` made ready: phrases normalised, expressions compiled, sounds worked out. */
export interface CompiledMatch {
  readonly exact: ReadonlySet<string>;
  readonly keywords: readonly string[];
  readonly regex: readonly RegExp[];
  readonly pinyin: readonly { readonly phrase: string; readonly sound: readonly Syllable[] }[];
  readonly not: readonly string[];
  readonly entity: SlotKind | undefined;
}

/** Why something matched: the layer, the phrase and how sure it is. */
export interface MatchReason {
  readonly layer: 'exact' | 'keyword' | 'regex' | 'pinyin' | 'entity' | 'built-in';
  readonly phrase: string;
  readonly score: number;
}

/** An utterance made ready once for all matches of a turn; the sounds are worked out when first needed. */
export interface Utterance extends Normalized {
  sound(): readonly Syllable[];
}

/** `text`: exact, keyword, regex and entity; `sound`: pinyin. */
export type Layer = 'text' | 'sound';

/** Makes an utterance ready. */
export function hear(raw: string): Utterance {
  const normalized = normalize(raw);
  let sound: readonly Syllable[] | undefined;
  return { ...normalized, sound: () => (sound ??= syllables(normalized.text)) };
}

/** Compiles a match of a script; expressions must have passed `regexProblem`. */
export function compileMatch(match: Match | undefined, questions: readonly string[] = []): CompiledMatch {
  const phrases = (list: readonly string[] | undefined) =>
    (list ?? []).map((phrase) => normalize(phrase).text).filter((phrase) => phrase !== '');
  const sounding = [...phrases(match?.pinyin), ...phrases(questions).filter((q) => q.length >= 4 && hasHan(q))];
  return {
    exact: new Set([
      ...phrases(match?.exact),
      ...(match?.exact ?? []).map((p) => normalize(p).full),
      ...phrases(questions),
    ]),
    keywords: [...new Set(phrases(match?.keywords))].sort((a, b) => b.length - a.length),
    regex: (match?.regex ?? []).map((source) => new RegExp(source, 'iu')),
    pinyin: [...new Set(sounding)].map((phrase) => ({ phrase, sound: syllables(phrase) })),
    not: phrases(match?.not),
    entity: match?.entity,
  };
}

/** Where a phrase occurs in a normalised text; Latin phrases only at word boundaries. -1 where it does not. */
export function indexOfPhrase(text: string, phrase: string, from = 0): number {
  if (hasHan(phrase)) return text.indexOf(phrase, from);
  for (let index = text.indexOf(phrase, from); index >= 0; index = text.indexOf(phrase, index + 1)) {
    if (!isWord(text[index - 1]) && !isWord(text[index + phrase.length])) return index;
  }
  return -1;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[a-z0-9]/u.test(character);
}

const STARTS_NEGATED = /^(?:不|没|别|未|无|勿|甭|no\b|not\b|never\b|don't|do not\b)/u;

/** `不是不需要`, `没说不办`: the denial itself is denied; `是不是不需要` asks. */
const DENIES_NEGATION = /(?:不是|没有|并非|没说|没有说|也不是|不得)$/u;

/** Whether the phrase is said somewhere and not denied there. */
export function says(text: string, phrase: string, negationAware = true): boolean {
  for (let index = indexOfPhrase(text, phrase); index >= 0; index = indexOfPhrase(text, phrase, index + 1)) {
    if (!negationAware) return true;
    if (STARTS_NEGATED.test(phrase)) {
      if (!DENIES_NEGATION.test(text.slice(0, index))) return true;
    } else if (stanceAt(text, index, phrase) !== 'negated') return true;
  }
  return false;
}

/**
 * Tries one layer. Denied phrases do not count unless `topic`: who asks `不要手续费吗` does ask about the fee.
 * Regular expressions see the normalised text, fillers included.
 */
export function tryMatch(
  utterance: Utterance,
  match: CompiledMatch,
  layer: Layer,
  options: { readonly topic?: boolean; readonly hasEntity?: (kind: SlotKind) => boolean } = {},
): MatchReason | undefined {
  if (match.not.some((phrase) => indexOfPhrase(utterance.text, phrase) >= 0)) return undefined;
  if (layer === 'text') {
    if (match.exact.has(utterance.text) || match.exact.has(utterance.full))
      return { layer: 'exact', phrase: utterance.text, score: 1 };
    const aware = options.topic !== true;
    const keyword = match.keywords.find((phrase) => says(utterance.text, phrase, aware));
    if (keyword !== undefined) return { layer: 'keyword', phrase: keyword, score: 0.9 + keyword.length / 1000 };
    const regex = match.regex.find((expression) => expression.test(utterance.full));
    if (regex !== undefined) return { layer: 'regex', phrase: regex.source, score: 0.85 };
    if (match.entity !== undefined && options.hasEntity?.(match.entity) === true)
      return { layer: 'entity', phrase: match.entity, score: 0.8 };
    return undefined;
  }
  if (match.pinyin.length === 0) return undefined;
  let best: MatchReason | undefined;
  const sound = utterance.sound();
  for (const { phrase, sound: wanted } of match.pinyin) {
    const found = findBySound(sound, wanted);
    if (found === undefined || found.score <= (best?.score ?? 0)) continue;
    const denied = options.topic !== true && !STARTS_NEGATED.test(phrase);
    if (denied && stanceAt(utterance.text, found.index, phrase) === 'negated') continue;
    best = { layer: 'pinyin', phrase, score: found.score };
  }
  return best;
}

/** Longest expression a script may hold, and how many repetitions may stand in one. */
const MAX_REGEX_CHARACTERS = 200;
const MAX_REGEX_REPEATS = 8;

/**
 * Says why an expression may not stand in a script, or undefined: too long, a repeated group that itself repeats or
 * branches (catastrophic backtracking), back-references, look-behind, or a syntax error.
 */
export function regexProblem(source: string): 'too-long' | 'nested-repeat' | 'unsupported' | 'syntax' | undefined {
  if (source.length > MAX_REGEX_CHARACTERS) return 'too-long';
  try {
    void new RegExp(source, 'iu');
  } catch {
    return 'syntax';
  }
  const groups: { unsafe: boolean }[] = [];
  let repeats = 0;
  let inClass = false;
  for (let index = 0; index < source.length; index++) {
    const character = source[index]!;
    if (character === '\\') {
      if (/[1-9k]/u.test(source[index + 1] ?? '')) return 'unsupported';
      index++;
      if (isUnbounded(source, index + 1)) repeats += mark(groups);
    } else if (inClass) {
      if (character === ']') {
        inClass = false;
        if (isUnbounded(source, index + 1)) repeats += mark(groups);
      }
    } else if (character === '[') inClass = true;
    else if (character === '(') {
      if (/^\(\?<[=!]/u.test(source.slice(index))) return 'unsupported';
      groups.push({ unsafe: false });
    } else if (character === '|') {
      const group = groups.at(-1);
      if (group !== undefined) group.unsafe = true;
    } else if (character === ')') {
      const group = groups.pop();
      const repeated = isUnbounded(source, index + 1);
      if (repeated && group?.unsafe === true) return 'nested-repeat';
      const outer = groups.at(-1);
      if (outer !== undefined && (group?.unsafe === true || repeated)) outer.unsafe = true;
      if (repeated) repeats++;
    } else if (isUnbounded(source, index + 1) && !/[*+?{}]/u.test(character)) repeats += mark(groups);
  }
  return repeats > MAX_REGEX_REPEATS ? 'nested-repeat' : undefined;
}

function isUnbounded(source: string, index: number): boolean {
  return /^(?:[*+]|\{\d+,\}|\{\d*,?\d{2,}\})/u.test(source.slice(index, index + 12));
}

function mark(groups: { unsafe: boolean }[]): number {
  for (const group of groups) group.unsafe = true;
  return 1;
}
