// Writes the documents that are made from code; tests compare them with what is committed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, prepare, ROOT } from './bootstrap.mjs';

const node = await prepare();
if (node === process.execPath) {
  const { renderConfigDocument } = await import('../src/platform/config/document.ts');
  const { renderApiDocument } = await import('../src/api/document.ts');
  mkdirSync(path.join(ROOT, 'docs'), { recursive: true });
  writeFileSync(path.join(ROOT, 'docs', 'config.md'), renderConfigDocument());
  const { renderThirdParty } = await import('./third-party.ts');
  writeFileSync(path.join(ROOT, 'docs', 'third-party.md'), renderThirdParty());
  const api = path.join(ROOT, 'docs', 'api.json');
  writeFileSync(api, await renderApiDocument());
  spawnSync(node, [path.join(ROOT, 'node_modules', 'oxfmt', 'bin', 'oxfmt'), api], { cwd: ROOT, stdio: 'inherit' });
} else {
  // Only Node 24 reads the TypeScript that the documents are made from.
  const again = [fileURLToPath(import.meta.url)];
  process.exitCode = spawnSync(node, again, { stdio: 'inherit', env: environment(node) }).status ?? 1;
}
