import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { AppError } from '../error.ts';
import { silentLog } from '../log.ts';
import { storageFault } from './data-directory.ts';
import { openDatabase } from './database.ts';
import { startEmbeddedPostgres } from './embedded.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function dataDirectory(): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'waihu-embedded-'));
  chmodSync(directory, 0o755);
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(directory: string, onExit: () => void = () => undefined) {
  const server = await startEmbeddedPostgres({ dataDirectory: directory, log: silentLog, onExit });
  cleanUps.push(() => server.close());
  return server;
}

/** Runs one statement and returns the first column of the first row. */
async function ask(url: string, statement: string): Promise<unknown> {
  const { pool, close } = await openDatabase(url, { maxConnections: 1 });
  try {
    const { rows } = await pool.query(statement);
    return Object.values((rows[0] as object | undefined) ?? {})[0];
  } finally {
    await close();
  }
}

function postmasterPid(clusterDirectory: string): number {
  return Number(readFileSync(path.join(clusterDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

function isRunning(pid: number): boolean {
  try {
    // A killed process whose parent is gone may linger as a zombie where nothing reaps it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function faultOf(work: Promise<unknown>): Promise<AppError> {
  const fault: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (fault instanceof AppError) return fault;
  throw new Error('an AppError was expected', { cause: fault });
}

test('a cluster is made once, listens on loopback with a private password, and keeps its data', async () => {
  const directory = dataDirectory();
  const first = await start(directory);
  await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  expect(statSync(path.join(directory, 'database-password')).mode & 0o777).toBe(0o600);
  expect(await ask(first.url, 'SHOW listen_addresses')).toBe('127.0.0.1');
  expect(await ask(first.url, 'SHOW unix_socket_directories')).toBe('');
  await expect(openDatabase(first.url.replace(/:[^:@]+@/, ':wrong@'))).rejects.toMatchObject({
    code: 'database-unavailable',
  });
  await first.close();
  const second = await start(directory);
  expect(await ask(second.url, 'SELECT answer FROM kept')).toBe(42);
});

test('a second start of the same data directory is refused while the first runs, and leaves it running', async () => {
  const directory = dataDirectory();
  const first = await start(directory);
  const fault = await faultOf(startEmbeddedPostgres({ dataDirectory: directory, log: silentLog }));
  expect(fault.code).toBe('database-locked');
  expect(fault.text.en).toContain(directory);
  expect(fault.text.zh).toContain(String(process.pid));
  expect(await ask(first.url, 'SELECT 1')).toBe(1);
});

test('a server whose processes were all killed opens again with what was committed', async () => {
  const directory = dataDirectory();
  const ended = Promise.withResolvers<void>();
  const first = await start(directory, () => ended.resolve());
  await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS answer');
  process.kill(postmasterPid(first.clusterDirectory), 'SIGKILL');
  await ended.promise;
  await first.close();
  const second = await start(directory);
  expect(await ask(second.url, 'SELECT answer FROM kept')).toBe(7);
});

test('a server that outlived its killed waihu is stopped, and its data opens again', async () => {
  const directory = dataDirectory();
  const program = `
    import { startEmbeddedPostgres } from '${new URL('embedded.ts', import.meta.url).href}';
    import { silentLog } from '${new URL('../log.ts', import.meta.url).href}';
    const server = await startEmbeddedPostgres({ dataDirectory: ${JSON.stringify(directory)}, log: silentLog });
    console.log(server.url);
    setInterval(() => undefined, 1000);
  `;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
  await ask(url, 'CREATE TABLE kept AS SELECT 9 AS answer');
  const cluster = path.join(directory, 'postgresql', 'cluster');
  const orphan = postmasterPid(cluster);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(isRunning(orphan)).toBe(true);
  const next = await start(directory);
  expect(isRunning(orphan)).toBe(false);
  expect(await ask(next.url, 'SELECT answer FROM kept')).toBe(9);
});

test('a postmaster.pid that names a program of someone else neither stops the start nor hurts that program', async () => {
  const directory = dataDirectory();
  const first = await start(directory);
  const file = path.join(first.clusterDirectory, 'postmaster.pid');
  const content = readFileSync(file, 'utf8');
  await first.close();
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  cleanUps.push(() => bystander.kill('SIGKILL'));
  writeFileSync(file, content.replace(/^\d+/, String(bystander.pid)));
  const second = await start(directory);
  expect(await ask(second.url, 'SELECT 1')).toBe(1);
  expect(isRunning(bystander.pid!)).toBe(true);
});

test('a cluster whose making was interrupted is made anew', async () => {
  const directory = dataDirectory();
  const partial = path.join(directory, 'postgresql', 'cluster.partial');
  mkdirSync(partial, { recursive: true });
  writeFileSync(path.join(partial, 'PG_VERSION'), '18');
  const server = await start(directory);
  expect(await ask(server.url, 'SELECT 1')).toBe(1);
});

test.skipIf(process.getuid?.() !== 0)('root may keep its data where only root can look', async () => {
  const closed = mkdtempSync(path.join(os.tmpdir(), 'waihu-closed-'));
  cleanUps.push(() => rmSync(closed, { recursive: true, force: true }));
  const server = await start(path.join(closed, 'data'));
  expect(server.clusterDirectory).toMatch(/^\/var\/lib\/waihu\//);
  expect(await ask(server.url, 'SELECT 1')).toBe(1);
  await server.discard();
  expect(existsSync(path.dirname(server.clusterDirectory))).toBe(false);
});

test('a data directory that is a file is one clear sentence', async () => {
  const file = path.join(dataDirectory(), 'file');
  writeFileSync(file, '');
  const fault = await faultOf(startEmbeddedPostgres({ dataDirectory: path.join(file, 'data'), log: silentLog }));
  expect(fault.code).toBe('data-directory-unusable');
  expect(fault.text.zh).toContain('--data');
});

/** A small file system of its own, where the machine lets root mount one. */
function mounted(options: string): string | undefined {
  const directory = dataDirectory();
  const parameters = ['-t', 'tmpfs', '-o', `mode=755,${options}`, 'tmpfs', directory];
  if (process.getuid?.() !== 0 || spawnSync('mount', parameters, { stdio: 'ignore' }).status !== 0) return undefined;
  cleanUps.push(() => spawnSync('umount', ['-l', directory], { stdio: 'ignore' }));
  return directory;
}

test.for([
  ['full', 'size=12m', 'full'],
  ['read-only', 'size=12m,ro', 'read-only'],
])('a %s disk is one clear sentence, and nothing half-made stays', async ([, options, word], context) => {
  const directory = mounted(options!);
  if (directory === undefined) return context.skip('file systems cannot be mounted here');
  const fault = await faultOf(startEmbeddedPostgres({ dataDirectory: directory, log: silentLog }));
  expect(fault.code).toBe('data-directory-unusable');
  expect(fault.text.en).toContain(word);
  expect(fault.text.en).not.toContain('\n');
  expect(() => statSync(path.join(directory, 'postgresql', 'cluster.partial'))).toThrow('ENOENT');
});

test('what a tool says about a disk is understood like an error of our own', () => {
  const fault = storageFault('initdb: error: could not write: No space left on device', '/data');
  expect(fault?.text.en).toContain('full');
  expect(storageFault('FATAL: something else', '/data')).toBeUndefined();
});
