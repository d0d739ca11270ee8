import { describe, expect, it } from 'vitest';
import { reasonText } from './reason-text.ts';

describe('reasons of the dialog', () => {
  it.each([
    ['branch positive: built-in “是我” 1.00', '理解为“肯定”（通用说法“是我”，1.00）'],
    ['knowledge overdue: exact “不还会怎么样” 1.00', '回答问题“overdue”（完全一致“不还会怎么样”，1.00）'],
    ['opt-out: keyword “别再打” 0.90', '要求不再来电（关键词“别再打”，0.90）'],
    ['silence 1 of 2', '客户沉默，第 1 次（上限 2）'],
    ['heard while speaking: kept', '平台说话时听到，先记下'],
    ['end: time-limit', '结束：超过最长通话时间'],
    ['end:promise-end', '结束：promise-end'],
    ['hung-up-by-callee', '客户挂断'],
    ['hung-up-by-operator', '操作员挂断'],
    ['not reached: busy', '未触达：占线'],
    ['refused', '对方网络拒绝'],
  ])('are told in Chinese: %s', (reason, text) => {
    expect(reasonText(reason, 'zh')).toBe(text);
  });
  it('are told in English without Chinese words of ours', () => {
    expect(reasonText('branch refuse: pinyin “不要” 0.85', 'en')).toBe('taken as refusal (sounds like “不要”, 0.85)');
  });
  it('that nobody knows are shown as they are', () => {
    expect(reasonText('something new', 'zh')).toBe('something new');
  });
});
