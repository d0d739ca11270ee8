import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chineseNumber } from './spoken-chinese.ts';
import { spokenText } from './spoken-text.ts';

describe('numbers as they are said in Mandarin', () => {
  it.each([
    ['应还1280.50元', '应还一千二百八十块五'],
    ['应还1,280元', '应还一千二百八十元'],
    ['共12.05元', '共十二块零五分'],
    ['共3.25元', '共三块二毛五分'],
    ['共0.50元', '共五毛'],
    ['共2元', '共两元'],
    ['￥99.90', '九十九块九'],
    ['3月15日前', '三月十五日前'],
    ['2026-03-15', '二零二六年三月十五日'],
    ['2026年12月1日', '二零二六年十二月一日'],
    ['18:30', '十八点半'],
    ['2:05', '两点零五分'],
    ['9:00', '九点'],
    ['利率3.5%', '利率百分之三点五'],
    ['请拨13812345678', '请拨幺三八，幺二三四，五六七八'],
    ['400-888-1234', '四零零，八八八，幺二三四'],
    ['客服95588', '客服九五五八八'],
    ['尾号为1102', '尾号为幺幺零二'],
    ['分12期', '分十二期'],
    ['2个问题', '两个问题'],
    ['12个', '十二个'],
    ['第2期', '第二期'],
    ['1.5倍', '一点五倍'],
    ['没有数字', '没有数字'],
  ])('%s is said %s', (text, said) => expect(spokenText(text, 'zh')).toBe(said));

  it.each([
    [0, '零'],
    [10, '十'],
    [15, '十五'],
    [105, '一百零五'],
    [110, '一百一十'],
    [1005, '一千零五'],
    [10_000, '一万'],
    [10_010, '一万零一十'],
    [100_000, '十万'],
    [1_000_500, '一百万零五百'],
    [10_500_000, '一千零五十万'],
    [100_000_000, '一亿'],
    [1_000_000_001, '十亿零一'],
    [2_000_300_000, '二十亿零三十万'],
  ])('counts %i as %s', (value, said) => expect(chineseNumber(value)).toBe(said));

  it('leaves no digit and no doubled zero in any text', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.nat(2_000_000_000).map(String), fc.constantFrom('.', ':', '元', '%', '-', '月', '日', ' ')),
        ),
        (pieces) => {
          expect(spokenText(pieces.join(''), 'zh')).not.toMatch(/\d/);
        },
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000_000_000 }), (value) => {
        expect(chineseNumber(value)).not.toMatch(/零零|零$/);
      }),
    );
  });

  it('names every number differently', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 12), fc.nat(10 ** 12), (one, two) => {
        expect(chineseNumber(one) === chineseNumber(two)).toBe(one === two);
      }),
    );
  });
});

describe('numbers as they are said in English', () => {
  it.each([
    ['You owe $1,280.50.', 'You owe 1280 dollars and 50 cents.'],
    ['$1 and $0.05', '1 dollar and 5 cents'],
    ['due 2026-03-15', 'due March 15th, 2026'],
    ['at 18:30, 9:05 or 7:00', "at 18 30, 9 oh 5 or 7 o'clock"],
    ['3.5% interest', '3.5 percent interest'],
    ['call 400-888-1234', 'call 4 0 0, 8 8 8, 1 2 3 4'],
    ['card ending in 1102', 'card ending in 1 1 0 2'],
    ['12 months', '12 months'],
  ])('%s is said %s', (text, said) => expect(spokenText(text, 'en')).toBe(said));
});
