/** How a phrase is meant where it occurs: said, denied (`不需要`), or asked (`可不可以`). */
export type Stance = 'affirmed' | 'negated' | 'asked';

const DOUBLE =
  /(?:不是不|没有不|不得不|不能不|不会不|不是没|并非不|没说不|没有说不)(?:太|想|会|能|要|大|再|用|愿意|打算|考虑)?$/u;
const NEGATED_ZH =
  /(?:不|没|没有|未|别|甭|勿|非|并不|从不|不用|不必|不需要|不需|不要|不想|不会|不能|不太|不大|不是|不怎么|不是很|不是太|不打算|不考虑|不准备|不愿意|不肯|不再|没法|没办法|无法|没想|没打算|暂时不|暂不|谁要|谁还)(?:太|很|是|那么|想|会|能|要|再|用|怎么|去|给|跟|办|做|参加|有)?$/u;
const NEGATED_EN =
  /(?:\bnot|\bno|\bnever|\bcannot|\bwithout|\bisn't|\bdo not|\bnot really|\bno longer)(?:\s(?:really|very|so|too|at all|going to|want to|want|need to|need|be|a|the|any|able to|interested in))*\s$/u;
/** `能不能`, `要不要`, `有没有`, `是不是` before the phrase make a question, not a denial. */
const A_NOT_A = /(\p{Script=Han})[不没]\1$/u;

/** Judges the phrase that starts at `index` of a normalised text. */
export function stanceAt(text: string, index: number, phrase: string): Stance {
  if (index === 0) return questionAfter(text, phrase) ? 'asked' : 'affirmed';
  const before = text.slice(Math.max(0, index - 24), index);
  if (A_NOT_A.test(before)) return 'asked';
  const last = before.at(-1);
  if ((last === '不' || last === '没') && before.at(-2) === phrase[0]) return 'asked';
  if (DOUBLE.test(before)) return 'affirmed';
  if (NEGATED_ZH.test(before) || NEGATED_EN.test(before)) return 'negated';
  return 'affirmed';
}

function questionAfter(text: string, phrase: string): boolean {
  const first = phrase[0];
  return first !== undefined && phrase.length > 1 && text.startsWith(`${phrase}不${phrase}`);
}
