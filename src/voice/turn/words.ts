/** What listeners say to show that they listen; it neither interrupts nor, during speech, answers. */
const ACKNOWLEDGEMENTS: readonly string[] = [
  '嗯',
  '唔',
  '呃',
  '额',
  '哦',
  '噢',
  '喔',
  '啊',
  '诶',
  '哎',
  '是的',
  '是',
  '对的',
  '对',
  '好的',
  '好吧',
  '好嘞',
  '好',
  '行',
  '没错',
  '这样啊',
  '这样',
  '明白',
  '了解',
  'uh-huh',
  'uh huh',
  'mm-hmm',
  'mmhm',
  'mhm',
  'hmm',
  'mm',
  'okay',
  'ok',
  'yeah',
  'yep',
  'yes',
  'right',
  'sure',
  'i see',
  'got it',
  'oh',
];

/** What ends the other side's speech at once. */
const STOP_WORDS: readonly string[] = [
  '等一下',
  '等等',
  '等会',
  '停一下',
  '别说了',
  '不要说了',
  '打住',
  '先别说',
  '听我说',
  '不需要',
  '不用了',
  '不要了',
  '别打了',
  '不要打',
  '别再打',
  '没兴趣',
  '你是谁',
  '打错了',
  '转人工',
  'stop',
  'wait',
  'hold on',
  'hang on',
  'shut up',
  'not interested',
  "don't call",
  'listen',
];

const LATIN = /[\p{Script=Latin}\d]/u;
const UNITS = /[\p{Script=Han}]|[\p{L}\p{N}'’-]+/gu;

function normalise(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll('’', "'");
}

/** Where `word` stands in `text` as a whole word (Latin) or anywhere (Chinese); −1 where it does not. */
function find(text: string, word: string): number {
  const latin = LATIN.test(word);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!latin) return at;
    const before = text[at - 1];
    const after = text[at + word.length];
    if ((before === undefined || !LATIN.test(before)) && (after === undefined || !LATIN.test(after))) return at;
  }
  return -1;
}

function longestFirst(words: readonly string[]): readonly string[] {
  return words
    .map(normalise)
    .filter((word) => word !== '')
    .sort((a, b) => b.length - a.length);
}

const SORTED_ACKNOWLEDGEMENTS = longestFirst(ACKNOWLEDGEMENTS);

/** Number of words, a Chinese character counting as one. */
export function countWords(text: string): number {
  return normalise(text).match(UNITS)?.length ?? 0;
}

/** What is left of a clause when the acknowledgements it begins with are taken away: 不行 is none though 行 is one. */
function afterAcknowledgements(clause: string, words: readonly string[]): string {
  let rest = clause.trim();
  for (;;) {
    const word = words.find((candidate) => find(rest, candidate) === 0);
    if (word === undefined) return rest;
    rest = rest.slice(word.length).trim();
  }
}

/** Words left when acknowledgements, the built-in ones and `ignoreWords`, are taken out. */
export function meaningfulWords(text: string, ignoreWords: readonly string[]): number {
  const words =
    ignoreWords.length === 0 ? SORTED_ACKNOWLEDGEMENTS : longestFirst([...ACKNOWLEDGEMENTS, ...ignoreWords]);
  let count = 0;
  for (const clause of normalise(text).split(/[，。！？；、,.!?;\n]+/))
    count += countWords(afterAcknowledgements(clause, words));
  return count;
}

/** Whether the text holds any of `words` (whole words where they are Latin). */
export function holdsWord(text: string, words: readonly string[]): boolean {
  const normal = normalise(text);
  return words.some((word) => word !== '' && find(normal, normalise(word)) >= 0);
}

/** Whether the text asks the other side to stop speaking. */
export function holdsStopWord(text: string): boolean {
  return holdsWord(text, STOP_WORDS);
}
