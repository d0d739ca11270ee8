import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scratchDirectory } from './support/scratch.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A checkout with the real set-up scripts, an empty lock file that is installed, and a small `waihu`. */
function checkout(program: string): string {
  const home = scratchDirectory();
  cpSync(path.join(root, 'scripts'), path.join(home, 'scripts'), { recursive: true });
  const write = (file: string, content: string) => {
    mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
    writeFileSync(path.join(home, file), content);
  };
  write('package.json', '{ "name": "waihu", "version": "1.0.0", "private": true, "type": "module" }');
  write('package-lock.json', '{ "name": "waihu", "version": "1.0.0", "lockfileVersion": 3, "packages": {} }');
  write('node_modules/.package-lock.json', '{ "packages": {} }');
  write('src/bin/waihu.ts', program);
  write('src/domain/thing.ts', 'export const thing = 1;');
  write('console/package.json', '{}');
  return home;
}

function launch(home: string, parameters: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [path.join(home, 'scripts/waihu.mjs'), ...parameters], {
    env: { PATH: process.env['PATH'], HOME: home, LANG: 'en_US.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(home: string, parameters: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = launch(home, parameters, env);
  const [output, errors, [status]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { output, errors, status };
}

test('arguments, output and exit code pass through, and nothing is said where nothing is to do', async () => {
  const home = checkout(
    `const words: string[] = process.argv.slice(2); console.log(words.join('|')); process.exitCode = 3;`,
  );
  expect(await run(home, ['call', '138 0000', '--json'])).toEqual({
    output: 'call|138 0000|--json\n',
    errors: '',
    status: 3,
  });
});

test('a signal reaches the program, whose own exit code comes back', async () => {
  const home = checkout(`
    const keep = setInterval(() => undefined, 1000);
    process.on('SIGTERM', () => { clearInterval(keep); process.exitCode = 7; });
    console.log('up');
  `);
  const child = launch(home, ['serve']);
  await once(child.stdout!, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([7, null]);
});

test('a program that is killed shows as killed', async () => {
  const home = checkout(`process.kill(process.pid, 'SIGKILL');`);
  expect((await run(home, ['serve'])).status).toBe(137);
});

test('an installation that does not fit the lock file is repaired; without a network one sentence says so', async () => {
  const home = checkout(`console.log('ran');`);
  const lock = {
    name: 'waihu',
    version: '1.0.0',
    lockfileVersion: 3,
    packages: {
      '': { name: 'waihu', version: '1.0.0', dependencies: { 'left-out': '1.0.0' } },
      'node_modules/left-out': { version: '1.0.0' },
    },
  };
  writeFileSync(path.join(home, 'package-lock.json'), JSON.stringify(lock));
  writeFileSync(
    path.join(home, 'package.json'),
    '{ "name": "waihu", "version": "1.0.0", "private": true, "dependencies": { "left-out": "1.0.0" } }',
  );
  const offline = { npm_config_registry: 'http://127.0.0.1:9', npm_config_fetch_retries: '0' };
  const { output, errors, status } = await run(home, ['serve'], offline);
  expect(status).toBe(1);
  expect(output).toBe('');
  expect(errors.trim().split('\n').at(-1)).toMatch(/^npm could not install\. Check the network.*ECONNREFUSED/);
  expect((await run(home, ['serve'], { ...offline, LANG: 'C.UTF-8' })).errors).toContain('npm 安装失败');
});

test('the console is built when its sources have changed, and only for commands that serve it', async () => {
  const home = checkout(`console.log('ran');`);
  // Stands for vite: it leaves its parameters where a build would leave its files.
  mkdirSync(path.join(home, 'node_modules/vite/bin'), { recursive: true });
  writeFileSync(
    path.join(home, 'node_modules/vite/bin/vite.js'),
    `const fs = require('node:fs'); const out = process.argv[process.argv.indexOf('--outDir') + 1];
     if (fs.existsSync('broken')) { console.error('Error: broken source'); process.exit(1); }
     fs.mkdirSync(out, { recursive: true }); fs.writeFileSync(out + '/index.html', String(Date.now()) + Math.random());`,
  );
  const page = () => readFileSync(path.join(home, 'console/dist/index.html'), 'utf8');
  writeFileSync(path.join(home, 'console/vite.config.ts'), '');
  await run(home, ['import', 'x.csv']);
  await run(home, ['start', '--help']);
  expect(page).toThrow('ENOENT');
  expect((await run(home, ['start'])).errors).toContain('Building the console');
  const first = page();
  expect((await run(home, ['start'])).errors).toBe('');
  expect(page()).toBe(first);
  writeFileSync(path.join(home, 'src/domain/thing.ts'), 'export const thing = 2;');
  await run(home, ['serve']);
  const second = page();
  expect(second).not.toBe(first);
  writeFileSync(path.join(home, 'console/broken'), '');
  const failed = await run(home, ['start']);
  expect(failed).toMatchObject({ status: 1, output: '' });
  expect(failed.errors).toContain('The console could not be built: Error: broken source');
  expect(page()).toBe(second);
  rmSync(path.join(home, 'console/broken'));
  expect((await run(home, ['start'])).output).toBe('ran\n');
});
