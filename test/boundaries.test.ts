import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A small project with the repository's linter settings, so that no test ever breaks the real sources. */
let project: string;

beforeAll(async () => {
  project = await mkdtemp(path.join(os.tmpdir(), 'waihu-boundaries-'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
    await cp(path.join(root, file), path.join(project, file));
  await symlink(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
  for (const stage of ['leads', 'campaigns', 'calls', 'voice', 'domain', 'platform', 'api', 'telephony'])
    await add(`src/${stage}/thing.ts`, '/** A thing. */\nexport const thing = 1;\n');
});
afterAll(() => rm(project, { recursive: true, force: true }));

async function add(file: string, source: string): Promise<void> {
  await mkdir(path.dirname(path.join(project, file)), { recursive: true });
  await writeFile(path.join(project, file), source);
}

interface Finding {
  readonly code: string;
  readonly filename: string;
}

/** The rules that files break, each written for one test alone. */
async function lint(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [file, source] of Object.entries(files)) await add(file, source);
  const linter = path.join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  try {
    const report = await new Promise<string>((resolve, reject) => {
      const parameters = [linter, '--format=json', ...Object.keys(files)];
      // The linter's exit status is 1 where it has findings, which its report tells better.
      execFile(process.execPath, parameters, { cwd: project }, (error, stdout) =>
        stdout.startsWith('{') ? resolve(stdout) : reject(error ?? new Error(stdout)),
      );
    });
    const { diagnostics } = JSON.parse(report) as { diagnostics: Finding[] };
    return [...new Set(diagnostics.map((finding) => `${finding.filename}: ${finding.code}`))].toSorted();
  } finally {
    for (const file of Object.keys(files)) await rm(path.join(project, file));
  }
}

const using = (from: string) => `import { thing } from '${from}';\n\n/** Uses it. */\nexport const used = thing + 1;\n`;

test('what the design allows passes', async () => {
  expect(
    await lint({
      'src/leads/a.ts': using('#domain/thing.ts'),
      'src/leads/b.ts': using('./thing.ts'),
      'src/calls/a.ts': using('#voice/thing.ts'),
      'src/api/a.ts': using('#leads/thing.ts'),
      'src/domain/a.ts': using('./thing.ts'),
    }),
  ).toEqual([]);
});

test.each([
  ['a stage another stage', 'src/leads/a.ts', '#campaigns/thing.ts'],
  ['a stage another stage by a relative path', 'src/leads/a.ts', '../campaigns/thing.ts'],
  ['a nested folder another stage', 'src/leads/deep/a.ts', '../../campaigns/thing.ts'],
  ['a stage itself by its alias', 'src/leads/a.ts', '#leads/thing.ts'],
  ['calls a stage it does not contain', 'src/calls/a.ts', '#leads/thing.ts'],
  ['the api the telephony', 'src/api/a.ts', '#telephony/thing.ts'],
  ['the platform a stage', 'src/platform/a.ts', '#leads/thing.ts'],
  ['the domain the platform', 'src/domain/a.ts', '#platform/thing.ts'],
])('%s may not import', async (_, file, from) => {
  expect(await lint({ [file]: using(from) })).toEqual([`${file}: eslint(no-restricted-imports)`]);
});

test('the domain imports neither packages nor Node', async () => {
  const source = (from: string) => `import * as all from '${from}';\n\n/** Uses it. */\nexport const used = all;\n`;
  expect(await lint({ 'src/domain/a.ts': source('node:fs'), 'src/domain/b.ts': source('typebox') })).toEqual([
    'src/domain/a.ts: eslint(no-restricted-imports)',
    'src/domain/b.ts: eslint(no-restricted-imports)',
  ]);
});

test('files that import each other in a circle fail', async () => {
  const circle = (other: string, own: string) =>
    `import { ${other} } from './${other}.ts';\n\n/** Half. */\nexport const ${own} = (): number => ${other}();\n`;
  expect(await lint({ 'src/leads/one.ts': circle('two', 'one'), 'src/leads/two.ts': circle('one', 'two') })).toEqual([
    'src/leads/one.ts: import(no-cycle)',
    'src/leads/two.ts: import(no-cycle)',
  ]);
});

test('a promise that nobody waits for fails', async () => {
  const source = `async function work(): Promise<void> {\n  await Promise.resolve();\n}\n\nwork();\n`;
  expect(await lint({ 'src/leads/a.ts': source })).toEqual(['src/leads/a.ts: typescript(no-floating-promises)']);
});
