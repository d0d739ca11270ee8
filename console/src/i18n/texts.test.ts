import { describe, expect, it } from 'vitest';
import { en } from './en.ts';
import { zh } from './zh.ts';

/** Names and forms that are the same in both languages. */
const SAME: ReadonlySet<string> = new Set(['player.position', 'live.chart']);

function flat(value: object, path = ''): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, item]: [string, unknown]): (readonly [string, string])[] => {
      const at = path === '' ? key : `${path}.${key}`;
      return typeof item === 'string' ? [[at, item]] : [...flat(item as object, at)];
    }),
  );
}

const placeholders = (text: string): readonly string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]!).sort();

describe('texts', () => {
  const chinese = flat(zh);
  const english = flat(en);
  const keysWhere = (texts: ReadonlyMap<string, string>, wrong: (text: string, key: string) => boolean): string[] =>
    [...texts].filter(([key, text]) => !SAME.has(key) && wrong(text, key)).map(([key]) => key);

  it('has the same keys in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
  });

  it('fills the same values into both languages', () => {
    const differs = (text: string, key: string): boolean =>
      placeholders(text).join(' ') !== placeholders(chinese.get(key) ?? '').join(' ');
    expect(keysWhere(english, differs)).toEqual([]);
  });

  it('leaves no Chinese in English and translates every sentence', () => {
    expect(keysWhere(english, (text) => /\p{Script=Han}/u.test(text))).toEqual([]);
    expect(keysWhere(english, (text, key) => text.trim() === '' || text === chinese.get(key))).toEqual([]);
  });

  it('writes every Chinese text in Chinese', () => {
    expect(keysWhere(chinese, (text) => !/\p{Script=Han}/u.test(text))).toEqual([]);
  });
});
