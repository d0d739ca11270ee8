/** Sentences that stop here go on: conjunctions, fillers and openings, Chinese and English. */
const GOES_ON =
  /(?:那个|这个|然后|因为|所以|但是|可是|不过|而且|还有|或者|如果|要是|就是|就是说|我想|我要|我觉得|比如|比如说|关于|的话|以及|和|跟|把|在|从|给|对于|呃|额|\b(?:and|but|or|so|because|if|when|the|a|an|my|your|to|of|for|with|um|uh|er|like|i|is|it's|that|then))$/iu;
/** Particles and words that end Chinese sentences. */
const ENDS_WITH_PARTICLE = /[了吧吗呢啊呀嘛哦啦的行好]$/u;
/** Whole answers, short as they are. */
const WHOLE_ANSWER =
  /^(?:嗯+|喂+|是|是的|对|对的|好|好的|行|可以|不|不是|不用|不要|不行|没有|有|没|你好|您好|谢谢|再见|yes|no|yeah|okay|ok|sure|hello|hi|thanks|thank you|bye|right|not now)$/iu;
const OPEN_NUMBER = /[\d零一二两三四五六七八九十百千万幺点]$/u;
const AMOUNT_UNIT = /(?:元|块|块钱|号|日|月|年|点|点半|分|个|天|位|岁|次|%|percent|dollars|yuan|o'clock|am|pm)$/iu;

/**
 * How likely it is that a talker who is silent after this text has finished, 0–1. Looks only at the words: final
 * punctuation and particles speak for the end, trailing conjunctions and unfinished numbers against it.
 */
export function endOfTurnLikelihood(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '') return 0.5;
  if (/(?:…|\.\.\.|[，,、：:；;—-])$/u.test(trimmed)) return 0.15;
  if (/[。！？!?]$/u.test(trimmed) || /[^\d]\.$/u.test(trimmed)) return 0.95;
  if (WHOLE_ANSWER.test(trimmed)) return 0.9;
  if (GOES_ON.test(trimmed)) return 0.1;
  const digits = /(?:\d|[零一二两三四五六七八九幺])[\d\s零一二两三四五六七八九幺-]*$/u
    .exec(trimmed)?.[0]
    .replace(/[\s-]/g, '');
  if (digits !== undefined && digits.length >= 3) return /^[1一幺]/u.test(digits) && digits.length < 11 ? 0.15 : 0.7;
  if (AMOUNT_UNIT.test(trimmed) && trimmed.length > 1) return 0.85;
  if (OPEN_NUMBER.test(trimmed)) return 0.4;
  if (ENDS_WITH_PARTICLE.test(trimmed)) return 0.85;
  return 0.6;
}

/** Text below this likelihood is waited for. */
export const END_OF_TURN_THRESHOLD = 0.5;
