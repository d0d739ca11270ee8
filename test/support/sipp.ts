import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

/** Whether sipp is installed; its tests are skipped by name where it is not. */
export const hasSipp = (() => {
  try {
    execFileSync('sipp', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // sipp -v exits with 99.
    return (error as { readonly status?: number | null }).status === 99;
  }
})();

/** The path of a scenario of ours. */
export function scenario(name: string): string {
  return fileURLToPath(new URL(`../peers/sipp/${name}.xml`, import.meta.url));
}

export interface SippRun {
  readonly port: number;
  /** Exit status (0: every call went as the scenario says) and what it printed. */
  readonly done: Promise<{ readonly status: number | null; readonly output: string }>;
  stop(): void;
}

/** Starts sipp for `calls` calls; it ends by itself or when stopped, at the latest after 20 s. */
export async function startSipp(args: readonly string[], calls: number, at?: number): Promise<SippRun> {
  const port = at ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
  const child = spawn(
    'sipp',
    [
      '-i',
      '127.0.0.1',
      '-p',
      String(port),
      '-m',
      String(calls),
      '-timeout',
      '60s',
      '-timeout_error',
      '-nostdin',
      '-trace_err',
      ...args,
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const done = new Promise<{ status: number | null; output: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      void readErrors(folder).then((errors) => resolve({ status, output: `${errors}${output.slice(-4_000)}` }));
    });
  });
  await listening(port, args.includes('t1') ? 'tcp' : 'udp', done);
  return { port, done, stop: () => child.kill('SIGKILL') };
}

/** What sipp wrote of its errors; the folder is gone then. */
async function readErrors(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const log = names.find((name) => name.endsWith('_errors.log'));
  const text = log === undefined ? '' : await readFile(join(folder, log), 'utf8').catch(() => '');
  await rm(folder, { recursive: true, force: true });
  return text.slice(0, 4_000);
}

/** Nothing that sipp prints says when it listens; Linux knows. Elsewhere an INVITE that comes too early is repeated after T1. */
async function listening(port: number, protocol: 'udp' | 'tcp', ended: Promise<unknown>): Promise<void> {
  const run = { over: false };
  void ended.then(() => (run.over = true));
  const entry = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
  while (!run.over) {
    const table = await readFile(`/proc/net/${protocol}`, 'utf8').catch(() => undefined);
    if (table === undefined || entry.test(table)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
