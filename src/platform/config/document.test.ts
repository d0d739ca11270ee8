import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { loadConfig } from './config.ts';
import { renderConfigDocument } from './document.ts';
import { SETTINGS } from './settings.ts';

const committed = new URL('../../../docs/config.md', import.meta.url);

test('docs/config.md is what the schema says (npm run docs writes it)', () => {
  expect(readFileSync(committed, 'utf8')).toBe(renderConfigDocument());
});

test('every setting is explained in both languages', () => {
  const silent = SETTINGS.filter(
    ({ schema }) => !/[a-z]{3}/.test(schema.description ?? '') || !/[\u4e00-\u9fff]{2}/.test(schema.zh ?? ''),
  );
  expect(silent.map((setting) => setting.path)).toEqual([]);
});

test('the example of the document is a valid file', () => {
  const example = /```toml\n([\s\S]*?)```/.exec(renderConfigDocument())![1]!;
  const file = path.join(scratchDirectory(), 'waihu.toml');
  writeFileSync(file, example);
  expect(loadConfig({ file, env: {}, flags: {} }).trunks).toHaveLength(2);
});
