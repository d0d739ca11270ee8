import { describe, expect, it } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { PhraseSource } from './phrase-source.ts';
import type { PhraseRequest } from './worker-protocol.ts';

const phrase = (text: string, more: Partial<PhraseRequest> = {}): PhraseRequest => ({
  text,
  audio: undefined,
  voice: 'v',
  language: 'zh',
  codec: 'PCMA',
  ...more,
});

function source(maxBytes?: number) {
  const clock = new ManualClock();
  const asked: { readonly request: number; readonly text: string }[] = [];
  const phrases = new PhraseSource({
    clock,
    ask: (request, { text }) => asked.push({ request, text }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  return { clock, asked, phrases };
}

describe('PhraseSource', () => {
  it('asks once for a phrase that several calls want, and then has it at hand', async () => {
    const { asked, phrases } = source();
    const both = Promise.all([phrases.get(phrase('a')), phrases.get(phrase('a'))]);
    expect(asked).toEqual([{ request: 1, text: 'a' }]);
    expect(phrases.peek(phrase('a'))).toBeUndefined();
    phrases.answer(1, new Uint8Array([1, 2]));
    expect(await both).toEqual([new Uint8Array([1, 2]), new Uint8Array([1, 2])]);
    expect(phrases.peek(phrase('a'))).toEqual(new Uint8Array([1, 2]));
    expect(asked).toHaveLength(1);
  });

  it.each([{ voice: 'w' }, { language: 'en' }, { codec: 'PCMU' }, { audio: 'recorded' }] as const)(
    'never takes one phrase for another that differs in %o',
    async (difference) => {
      const { phrases } = source();
      const wanted = phrases.get(phrase('a'));
      phrases.answer(1, new Uint8Array([1]));
      await wanted;
      expect(phrases.peek(phrase('a', difference))).toBeUndefined();
    },
  );

  it('lets the phrase go that was used longest ago', async () => {
    const { phrases } = source(250);
    for (const [index, text] of ['a', 'b'].entries()) {
      const wanted = phrases.get(phrase(text));
      phrases.answer(index + 1, new Uint8Array(100));
      await wanted;
    }
    phrases.peek(phrase('a'));
    const wanted = phrases.get(phrase('c'));
    phrases.answer(3, new Uint8Array(100));
    await wanted;
    expect(['a', 'b', 'c'].map((text) => phrases.peek(phrase(text)) !== undefined)).toEqual([true, false, true]);
  });

  it('gives up after ten seconds, keeps an answer that comes later, and asks again where none came', async () => {
    const { clock, asked, phrases } = source();
    const wanted = phrases.get(phrase('a'));
    clock.advance(9_999);
    clock.advance(1);
    expect(await wanted).toBeUndefined();
    const again = phrases.get(phrase('a'));
    expect(asked).toHaveLength(2);
    phrases.answer(1, new Uint8Array([7]));
    expect(phrases.peek(phrase('a'))).toEqual(new Uint8Array([7]));
    phrases.answer(2, undefined);
    expect(await again).toBeUndefined();
  });

  it('does not keep that a phrase could not be had', async () => {
    const { asked, phrases } = source();
    const wanted = phrases.get(phrase('a'));
    phrases.answer(1, undefined);
    expect(await wanted).toBeUndefined();
    void phrases.get(phrase('a'));
    expect(asked).toHaveLength(2);
  });

  it('warms one phrase at a time and lets a call that wants one now go before', async () => {
    const { asked, phrases } = source();
    phrases.warm(['a', 'b', 'c'].map((text) => phrase(text)));
    expect(asked.map(({ text }) => text)).toEqual(['a']);
    const wanted = phrases.get(phrase('now'));
    expect(asked.map(({ text }) => text)).toEqual(['a', 'now']);
    phrases.answer(2, new Uint8Array([1]));
    await wanted;
    phrases.answer(1, undefined);
    await new Promise(setImmediate);
    expect(asked.map(({ text }) => text)).toEqual(['a', 'now', 'b']);
  });

  it('lets everybody go on when it is closed and asks nothing any more', async () => {
    const { asked, phrases } = source();
    const wanted = phrases.get(phrase('a'));
    phrases.warm([phrase('b')]);
    phrases.close();
    expect(await wanted).toBeUndefined();
    expect(await phrases.get(phrase('c'))).toBeUndefined();
    expect(asked.map(({ text }) => text)).toEqual(['a', 'b']);
  });
});
