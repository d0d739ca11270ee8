import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Match } from '#domain/script.ts';
import { compileMatch, hear, regexProblem, tryMatch } from './match.ts';
import { normalize } from './normalize.ts';

function matched(text: string, match: Match): string | undefined {
  const compiled = compileMatch(match);
  return (tryMatch(hear(text), compiled, 'text') ?? tryMatch(hear(text), compiled, 'sound'))?.layer;
}

describe('matching', () => {
  test('layers answer in order and say which phrase matched', () => {
    const match = compileMatch({ exact: ['好的'], keywords: ['分期'], regex: ['\\d+期'], pinyin: ['转人工'] });
    expect(tryMatch(hear('嗯，好的。'), match, 'text')).toEqual({ layer: 'exact', phrase: '好的', score: 1 });
    expect(tryMatch(hear('我想办分期'), match, 'text')).toMatchObject({ layer: 'keyword', phrase: '分期' });
    expect(tryMatch(hear('12期吧'), match, 'text')).toMatchObject({ layer: 'regex' });
    expect(tryMatch(hear('专人公'), match, 'sound')).toMatchObject({ layer: 'pinyin', phrase: '转人工' });
  });

  test.each([
    ['我需要', 'keyword'],
    ['我不需要', undefined],
    ['我不太需要', undefined],
    ['暂时没有需要', undefined],
    ['现在不是很需要', undefined],
    ['不是不需要', 'keyword'],
    ['要不要需要', 'keyword'],
    ['不需要现在，我需要下周', 'keyword'],
  ])('“%s” with the keyword 需要 is %s', (text, layer) => {
    expect(matched(text, { keywords: ['需要'] })).toBe(layer);
  });

  test('English is matched by words and knows its denials', () => {
    expect(matched("I don't want it", { keywords: ['want it'] })).toBeUndefined();
    expect(matched('Yes, I want it', { keywords: ['want it'] })).toBe('keyword');
    expect(matched('no one knows', { keywords: ['now'] })).toBeUndefined();
  });

  test('a phrase that excludes wins', () => {
    expect(matched('不要再打错了', { keywords: ['不要再打'], not: ['打错'] })).toBeUndefined();
  });

  test.each([
    ['我在开会', '我在开灰', 'pinyin'],
    ['没有兴趣', '没有信趣', 'pinyin'],
    ['不方便', '不黄便', 'pinyin'],
    ['人工客服', '能工客服', 'pinyin'],
    ['转人工', '赚人工', 'pinyin'],
    ['手续费多少', '手续灰多少', 'pinyin'],
    ['知道了', '资道了', 'pinyin'],
    ['明天还款', '民天还款', 'pinyin'],
    ['不要再打了', '今天天气很好', undefined],
    ['人工客服', '我们公司', undefined],
    ['我没有孩子', '我有两个孩子', undefined],
  ])('“%s” misheard as “%s”: %s', (phrase, heard, layer) => {
    expect(matched(heard, { pinyin: [phrase] })).toBe(layer);
  });

  test('normalising folds width, punctuation and fillers', () => {
    expect(normalize('嗯，那个……Ｉ　ＷＡＮＴ　１２００！').text).toBe('i want 1200');
    expect(normalize('嗯').text).toBe('嗯');
  });

  test.each([
    ['(a+)+', 'nested-repeat'],
    ['(a|aa)*b', 'nested-repeat'],
    ['((ab)*c)*', 'nested-repeat'],
    ['(?<=a)b', 'unsupported'],
    ['(a)\\1', 'unsupported'],
    ['(', 'syntax'],
    ['x'.repeat(201), 'too-long'],
    ['(?:今天|明天).{0,8}还', undefined],
    ['[一二三]期', undefined],
    ['(?:就|会)?还(?!没)', undefined],
  ])('expression %s: %s', (source, problem) => {
    expect(regexProblem(source)).toBe(problem);
  });

  test('an accepted expression is quick on a hostile text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', '(', ')', '+', '*', '|', '?', '[ab]', '.', '{2,}'), { maxLength: 9 }),
        (parts) => {
          const source = parts.join('');
          if (regexProblem(source) !== undefined) return;
          const startMs = performance.now();
          new RegExp(source, 'iu').test(`${'a'.repeat(60)}!`);
          expect(performance.now() - startMs).toBeLessThan(500);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
