import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LINE_PLANS, personaOf } from './persona.ts';
import { contactsCsv, sampleContacts, SAMPLE_SEED, suppressedCsv } from './sample-data.ts';

const shipped = (file: string): string =>
  readFileSync(new URL(`../../examples/sample/${file}`, import.meta.url), 'utf8');
const validNumbers = (rows: readonly (readonly string[])[]): Set<string> =>
  new Set(rows.map((row) => row[1]!).filter((cell) => /^1[3-9]\d{9}$/.test(cell)));

describe('the sample', () => {
  it('ships exactly what the generator makes of 200 rows', () => {
    const sample = sampleContacts(200, SAMPLE_SEED);
    expect(shipped('contacts.csv')).toBe(contactsCsv(sample));
    expect(shipped('suppressed.csv')).toBe(suppressedCsv(sample));
    expect(sample.rows.length).toBe(200);
    expect(sample.importable + sample.duplicates + sample.invalid).toBe(200);
    expect(sample.suppressed.length).toBe(1);
  });

  it.each([1, 2, 77])('holds every kind of line, about 60 %% of them with a person, for seed %i', (seed) => {
    const numbers = validNumbers(sampleContacts(200, seed).rows);
    const plans = [...numbers].map((number) => personaOf(number, seed).linePlan);
    expect(new Set(plans)).toEqual(new Set(Object.keys(LINE_PLANS)));
    const talkable = plans.filter((plan) => LINE_PLANS[plan].at(-1) === 'human').length / plans.length;
    expect(talkable).toBeGreaterThan(0.55);
    expect(talkable).toBeLessThan(0.67);
  });

  it('counts its faults right at any size', () => {
    for (const count of [1, 2, 20, 1_000]) {
      const sample = sampleContacts(count, 5);
      expect(sample.rows.length).toBe(count);
      expect(validNumbers(sample.rows).size).toBe(sample.importable);
      expect(sample.rows.every((row) => row.length === sample.columns.length)).toBe(true);
    }
  });

  it('uses only number prefixes that no operator has', () => {
    for (const number of validNumbers(sampleContacts(500, 9).rows)) expect(number).toMatch(/^1(54|61|63|64|68|69)/);
  });
});
