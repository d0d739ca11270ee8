import { describe, expect, it } from 'vitest';
import { behaviourOf, LINE_PLANS, nationalNumber, personaOf, type LineBehaviour } from './persona.ts';

const numbers = Array.from(
  { length: 5_000 },
  (_, index) =>
    `138${String(index * 7_919)
      .padStart(8, '0')
      .slice(-8)}`,
);

describe('personas', () => {
  it('are the same for the same number and seed, in every number format of a trunk', () => {
    const persona = personaOf('13812345678', 7);
    expect(personaOf('+8613812345678', 7)).toEqual(persona);
    expect(personaOf('sip:008613812345678@127.0.0.1:5080;user=phone', 7)).toEqual(persona);
    expect(personaOf('13812345678', 8)).not.toEqual(persona);
  });

  it('keep the area code of a landline and the country code of others', () => {
    expect(nationalNumber('+861012345678')).toBe('1012345678');
    expect(nationalNumber('02161234567')).toBe('2161234567');
    expect(nationalNumber('+4930123456')).toBe('4930123456');
  });

  it('make a population in which about 60 % can be talked with in the end', () => {
    const talkable = numbers.filter((number) => LINE_PLANS[personaOf(number, 1).linePlan].at(-1) === 'human');
    expect(talkable.length / numbers.length).toBeGreaterThan(0.57);
    expect(talkable.length / numbers.length).toBeLessThan(0.66);
  });

  it('produce every behaviour of a line in a large population', () => {
    const seen = new Set<LineBehaviour>(
      numbers.flatMap((number) => [1, 2, 3].map((attempt) => behaviourOf(personaOf(number, 3), attempt, 3))),
    );
    const all = new Set<LineBehaviour>(Object.values(LINE_PLANS).flat());
    expect(seen).toEqual(all);
    expect(all.size).toBe(19);
  });

  it('go through their plan attempt by attempt and stay at its end', () => {
    const number = numbers.find((candidate) => personaOf(candidate, 1).linePlan === 'busy-twice-then-human')!;
    const persona = personaOf(number, 1);
    expect([1, 2, 3, 4].map((attempt) => behaviourOf(persona, attempt, 1))).toEqual(['busy', 'busy', 'human', 'human']);
  });

  it('pick up less at night when the hour counts, and regardless of it when not', () => {
    const people = numbers.map((number) => personaOf(number, 1)).filter((persona) => persona.linePlan === 'human');
    const share = (hour?: number): number =>
      people.filter((persona) => behaviourOf(persona, 1, 1, hour) === 'human').length / people.length;
    expect(share()).toBe(1);
    expect(share(3)).toBeLessThan(0.1);
    expect(share(19)).toBeGreaterThan(0.9);
  });
});
