import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { packagesWithoutText, renderThirdParty } from '../scripts/third-party.ts';

const committed = readFileSync(new URL('../docs/third-party.md', import.meta.url), 'utf8');

test('docs/third-party.md is what package-lock.json says (npm run docs writes it)', () => {
  expect(committed).toBe(renderThirdParty());
});

test('every installed package that brings no text of its licence is in docs/third-party.md', () => {
  expect(packagesWithoutText()).toEqual([]);
});

test('the licence of libopus is there to the letter', () => {
  const text = /(Copyright 2001-2023 Xiph[\s\S]*?)```/.exec(committed)?.[1] ?? '';
  // The file beside the sources that opus-codec 1.0.9 is built from, by its Git LFS pointer.
  expect(createHash('sha256').update(text).digest('hex')).toBe(
    '01e1167d54a096d123cf6dfbbeb19587278845c6481d2d66d545669846079551',
  );
});
