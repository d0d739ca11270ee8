import { describe, expect, test } from 'vitest';
import { compileMatch, hear } from '../understand/match.ts';
import { foldWidth } from '../understand/normalize.ts';
import { findAmount } from './amount.ts';
import { fillSlot, findEntity } from './fill.ts';

const context = { now: new Date('2026-01-05T02:00:00Z'), timeZone: 'Asia/Shanghai', language: 'zh' } as const;

describe('amounts', () => {
  test.each([
    ['一千二百块', 1200],
    ['3万5', 35_000],
    ['一万二', 12_000],
    ['两百五', 250],
    ['一百零五元', 105],
    ['1,280.50元', 1280.5],
    ['我还三千五百块钱', 3500],
    ['两千', 2000],
    ['三块五', 3.5],
    ['一百块零五毛', 100.5],
    ['十五元', 15],
    ['二十万', 200_000],
    ['一万零三百', 10_300],
    ['￥88', 88],
    ['$12.50', 12.5],
    ['twelve hundred', 1200],
    ['one thousand two hundred and fifty dollars', 1250],
    ['3k', 3000],
    ['five bucks', 5],
  ])('%s is %d', (text, value) => {
    expect(findAmount(foldWidth(text), { bare: true })?.value).toBe(value);
  });

  test.each(['三天', '5号', '下午三点', '两次', '三年级的'])('“%s” is no amount unless asked', (text) => {
    expect(findAmount(foldWidth(text))).toBeUndefined();
  });
});

describe('other values', () => {
  test.each([
    ['我的电话是一三八零零一三八零零零', '13800138000'],
    ['138 0013 8000', '13800138000'],
    ['打我座机010-62345678', '01062345678'],
  ])('%s is the phone number %s', (text, phone) => {
    expect(findEntity('phone', hear(text), context, true)?.value).toBe(phone);
  });

  test.each([
    ['可以的', 'yes'],
    ['对', 'yes'],
    ['不可以', 'no'],
    ['不是', 'no'],
    ['可不可以', undefined],
    ['yes please', 'yes'],
    ["no I don't", 'no'],
  ])('%s is %s', (text, value) => {
    expect(findEntity('yes-no', hear(text), context, true)?.value).toBe(value);
  });

  test('a choice is also taken by its sound', () => {
    const { choices, slot } = subjectSlot();
    expect(fillSlot(slot, choices, hear('我想学英语'), context, true)?.value).toBe('英语');
    expect(fillSlot(slot, choices, hear('音语吧'), context, true)?.value).toBe('英语');
    expect(fillSlot(slot, choices, hear('天气不错'), context, true)).toBeUndefined();
  });
});

function subjectSlot() {
  const choices = ['数学', '英语'].map((value) => ({
    value,
    match: compileMatch({ keywords: [value], pinyin: [value] }),
  }));
  return { choices, slot: { name: 'subject', kind: 'choice', required: true } as const };
}
