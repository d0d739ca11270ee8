import { expect, test } from 'vitest';
import { languageOf, localize } from './text.ts';

test('the terminal is spoken to in English only where its locale says so', () => {
  expect(languageOf({ LANG: 'en_US.UTF-8' })).toBe('en');
  expect(languageOf({ LANG: 'en_US.UTF-8', LC_ALL: 'zh_CN.UTF-8' })).toBe('zh');
  expect(languageOf({ LANG: 'en_GB', LC_ALL: '' })).toBe('en');
  expect(languageOf({ LANG: 'C.UTF-8' })).toBe('zh');
  expect(languageOf({})).toBe('zh');
});

test('a sentence comes in the language asked for', () => {
  expect(localize({ zh: '好', en: 'fine' }, 'zh')).toBe('好');
});
