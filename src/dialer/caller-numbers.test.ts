import { describe, expect, it } from 'vitest';
import { CallerNumbers } from './caller-numbers.ts';
import type { CallerRules } from './caller-numbers.ts';

const NUMBERS = ['100', '200', '300'];
const PHONE = '+8613800000000';

function numbers(rule: CallerRules['rule'], areas: CallerRules['areas'] = {}): CallerNumbers {
  return new CallerNumbers({ rule, numbers: NUMBERS, areas });
}

describe('caller numbers', () => {
  it("are the campaign's where the trunk owns it, and one of its own otherwise", () => {
    expect(numbers('campaign').choose(PHONE, '200')).toBe('200');
    expect(NUMBERS).toContain(numbers('campaign').choose(PHONE, '999'));
  });

  it('rotate by the one that was not used for longest', () => {
    const rotating = numbers('rotate');
    const shown = Array.from({ length: 7 }, () => rotating.choose(PHONE, '200'));
    expect(shown).toEqual(['100', '200', '300', '100', '200', '300', '100']);
  });

  it('stay the same to one callee and differ among many', () => {
    const fixed = numbers('callee');
    const first = fixed.choose(PHONE, '');
    expect(Array.from({ length: 5 }, () => fixed.choose(PHONE, ''))).toEqual(Array.from({ length: 5 }, () => first));
    const shown = new Set(Array.from({ length: 50 }, (_, index) => fixed.choose(`+86138000${index}`, '')));
    expect([...shown].toSorted()).toEqual(NUMBERS);
  });

  it("follow the longest area of the callee's number, and rotate elsewhere", () => {
    const local = numbers('area', { '+8610': ['100'], '+86': ['200'] });
    expect(local.choose('+861012345678', '300')).toBe('100');
    expect(local.choose('+862112345678', '300')).toBe('200');
    expect(local.choose('+12025550100', '100')).toBe('300');
  });
});
