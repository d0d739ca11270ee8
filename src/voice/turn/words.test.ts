import { describe, expect, it } from 'vitest';
import { END_OF_TURN_THRESHOLD, endOfTurnLikelihood } from './end-of-turn.ts';
import { countWords, holdsStopWord, holdsWord, meaningfulWords } from './words.ts';

describe('words heard over our speech', () => {
  it.each(['嗯', '嗯嗯，好的', '对对对', '是的是的。', '哦', 'uh-huh', 'OK, ok.', 'Yeah right'])(
    '%s only acknowledges',
    (text) => {
      expect(meaningfulWords(text, [])).toBe(0);
    },
  );

  it.each([
    ['我不要', 3],
    ['好的，可是我没钱', 5],
    ['对不起', 2],
    ['不行', 2],
    ['不是', 2],
    ['是我', 1],
    ['yes but no', 2],
    ['book', 1],
    ['不', 1],
  ] as const)('%s carries %i words', (text, count) => {
    expect(meaningfulWords(text, [])).toBe(count);
  });

  it('takes out what the script ignores', () => {
    expect(meaningfulWords('知道了', ['知道了'])).toBe(0);
    expect(meaningfulWords('知道了', [])).toBe(3);
  });

  it('counts a Chinese character as a word', () => {
    expect(countWords('我要查 account 余额')).toBe(6);
  });

  it('finds stop words and keywords, Latin ones only whole', () => {
    expect(holdsStopWord('你先等一下')).toBe(true);
    expect(holdsStopWord('Wait a second')).toBe(true);
    expect(holdsStopWord('the waiter')).toBe(false);
    expect(holdsWord('请转人工', ['人工'])).toBe(true);
    expect(holdsWord('请转人工', [''])).toBe(false);
  });
});

describe('the end of a turn by its words', () => {
  it.each([
    '好的',
    '我明天还',
    '可以了',
    '你们是哪家银行？',
    '下午三点',
    '一千块',
    '没有',
    'Yes',
    'I paid it yesterday.',
    '13800138000',
    '我知道了',
    '行吧',
  ])('%s is finished', (text) => expect(endOfTurnLikelihood(text)).toBeGreaterThanOrEqual(END_OF_TURN_THRESHOLD));

  it.each([
    '我想',
    '那个',
    '然后',
    '因为',
    '可以，但是',
    '我的手机号是138',
    '一三八零零',
    '我要还一千二百',
    '等等，',
    'I want to',
    'my number is 13',
  ])('%s goes on', (text) => expect(endOfTurnLikelihood(text)).toBeLessThan(END_OF_TURN_THRESHOLD));
});
