import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Script } from '#domain/script.ts';
import { conversationOf } from './conversation.ts';
import { INTENTIONS, personaOf, type Intention } from './persona.ts';

const samples = ['credit-card-reminder', 'instalment-offer', 'trial-lesson'].map(
  (key) => JSON.parse(readFileSync(new URL(`../dialog/samples/${key}.json`, import.meta.url), 'utf8')) as Script,
);
const traits = (intention: Intention, conversationDraw: number) => ({
  ...personaOf('13800000000', 1).human,
  intention,
  conversationDraw,
});
const draws = Array.from({ length: 50 }, (_, index) => index / 50);

describe.each(samples.map((script) => [script.name, script.examples] as const))('in the script %s', (_, examples) => {
  it('everybody has a conversation that a person could have', () => {
    for (const intention of INTENTIONS) {
      for (const draw of draws) {
        const { lines, grade, name } = conversationOf(examples, traits(intention, draw));
        expect(grade).not.toBe('F');
        expect(lines.some((line) => line !== '')).toBe(true);
        expect(name).not.toMatch(/语音信箱|助理/);
      }
    }
  });

  it.each([
    ['strong', 'A'],
    ['interested', 'B'],
    ['none', 'D'],
    ['refuse', 'E'],
    ['opt-out', 'E'],
    ['wants-human', 'C'],
    ['call-back', 'C'],
  ] as const)('who is %s earns the grade %s', (intention, grade) => {
    for (const draw of draws) expect(conversationOf(examples, traits(intention, draw)).grade).toBe(grade);
  });

  it('everything that a person says is said by somebody', () => {
    const said = new Set(
      INTENTIONS.flatMap((intention) => draws.map((draw) => conversationOf(examples, traits(intention, draw)).name)),
    );
    const meant = examples.filter(
      (example) => example.expectGrade !== 'F' && example.turns.some((t) => t.callee !== ''),
    );
    expect(said).toEqual(new Set(meant.map((example) => example.name)));
  });
});

describe('without a script', () => {
  it('people are polite and no grade is expected', () => {
    expect(conversationOf([], traits('strong', 0))).toMatchObject({ name: 'small-talk', grade: undefined });
  });
});
