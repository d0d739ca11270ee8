import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileExpression, parseExpression, type ExpressionFacts } from './expression.ts';

const facts: ExpressionFacts = {
  variables: { amount: '1,280.50', city: '上海' },
  slots: { promiseDate: '2026-01-10', periods: '12' },
  counters: { rounds: 4, talkSeconds: 35, refusals: 1, positives: 2, negatives: 0, score: 6, silences: 0 },
  visited: new Set(['offer']),
  said: new Set(['fee']),
  tags: new Set(['忙碌']),
  hungUpBy: 'callee',
};

describe('expressions', () => {
  test.each([
    ['rounds >= 4 and talkSeconds > 30', true],
    ['rounds * 2 + 1 = 9', true],
    ['-rounds + 5 == 1', true],
    ['10 / 0 == 0', true],
    ['not (refusals > 0)', false],
    ["visited('offer') && !said('opt-out')", true],
    ["tagged('忙碌') or false", true],
    ["filled('promiseDate')", true],
    ["filled('constructor')", false],
    ["slots.promiseDate < '2026-01-15'", true],
    ['variables.amount > 1000', true],
    ["variables.missing == ''", true],
    ["variables.city = '上海'", true],
    ["hungUpBy == 'callee'", true],
    ['slots.periods + 1 == 13', true],
    ['1 or 0 and 0', true],
  ])('%s is %s', (source, value) => {
    expect(compileExpression(source).holds(facts)).toBe(value);
  });

  test.each([
    ['rounds >', 8],
    ["rounds > 'many'", 7],
    ["'a' + 1", 4],
    ['unknown > 1', 0],
    ['visited(offer)', 8],
    ['process.exit()', 0],
    ['rounds; 1', 6],
    ['(rounds', 7],
    ['rounds 1', 7],
    ['slots.', 6],
    ['constructor', 0],
    ['toString(1)', 0],
  ])('%s is refused at character %d', (source, at) => {
    expect(parseExpression(source)).toMatchObject({ ok: false, at });
  });

  test('any text is either parsed or refused, and what is parsed always gives a value', () => {
    const word = fc.constantFrom(...'rounds 1 ( ) and or not + - / < == slots.a .'.split(' '), "'x'", "said('fee')");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const parsed = parseExpression(words.join(' '));
        expect(parsed.ok ? typeof parsed.expression.holds(facts) : typeof parsed.problem.zh).toBe(
          parsed.ok ? 'boolean' : 'string',
        );
      }),
      { numRuns: 2000 },
    );
  });
});
