import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { scratchDirectory } from './scratch.ts';

const ENTRY = fileURLToPath(new URL('../../src/bin/waihu.ts', import.meta.url));

/** How a `waihu` process is started. */
export interface WaihuOptions {
  /** English by default, so that tests can read it. */
  readonly language?: 'zh' | 'en';
  readonly environment?: Readonly<Record<string, string>>;
  /** The working directory, where a `waihu.toml` would be read; the scratch directory of the test by default. */
  readonly cwd?: string;
  /** Runs as another user and group of the same id; root only. */
  readonly uid?: number;
  /** Another entry point. */
  readonly entry?: string;
}

/** What the processes of earlier tests have compiled, as one that `npm start` begins has it of its last run. */
function compileCache(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE } = process.env;
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

/** One real `waihu` process in a process group of its own, killed with the running test if it is still there. */
export class WaihuProcess {
  readonly child: ChildProcess;
  /** In the environment of the process and all its children but the database's. */
  readonly mark = randomUUID();
  stdout = '';
  stderr = '';
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #ended = false;
  readonly #watchers = new Set<() => void>();

  constructor(parameters: readonly string[], options: WaihuOptions = {}) {
    const { language = 'en', environment = {}, uid } = options;
    this.child = spawn(process.execPath, [options.entry ?? ENTRY, ...parameters], {
      cwd: options.cwd ?? scratchDirectory(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
        ...compileCache(),
        LANG: language === 'en' ? 'en_US.UTF-8' : 'zh_CN.UTF-8',
        TEST_MARK: this.mark,
        ...environment,
      },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take('stdout', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take('stderr', text));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#ended = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
    onTestFinished(async () => {
      this.killGroup();
      await this.exited;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves with the first match in what it has said on standard error; rejects when it ends without one. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until('stderr', pattern);
  }

  /** The same for standard output. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until('stdout', pattern);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGKILL to the process and all its children but the database, which is a session of its own. */
  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #take(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async #until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this[stream]);
        if (match === null && !this.#ended) return;
        this.#watchers.delete(look);
        if (match !== null) resolve(match);
        else reject(new Error(`ended without ${String(pattern)}; it said: ${this.stdout}\n${this.stderr}`));
      };
      this.#watchers.add(look);
      look();
    });
  }
}

/** Runs a command to its end. */
export async function waihu(
  parameters: readonly string[],
  options?: WaihuOptions,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string; readonly mark: string }> {
  const process = new WaihuProcess(parameters, options);
  const { code } = await process.exited;
  return { code, stdout: process.stdout, stderr: process.stderr, mark: process.mark };
}

/**
 * A scratch directory that any user may enter, so that root's database lies inside it. Whatever still runs in it when
 * the test has finished is killed.
 */
export function openScratchDirectory(): string {
  const directory = scratchDirectory();
  chmodSync(directory, 0o755);
  onTestFinished(async () => {
    for (const { pid } of processesOf([directory])) process.kill(pid, 'SIGKILL');
    await expectGone([directory]);
  });
  return directory;
}

interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Processes that carry a mark in their environment or name a directory in their parameters. */
export function processesOf(marks: readonly string[]): readonly FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const environment = readFileSync(`/proc/${entry}/environ`, 'utf8');
      if (marks.some((mark) => command.includes(mark) || environment.includes(mark)))
        found.push({ pid: Number(entry), command });
    } catch {
      // It has ended, or is another user's.
    }
  }
  return found;
}

/** Waits until no process of these marks is left; fails with those that stay. */
export async function expectGone(marks: readonly string[]): Promise<void> {
  await expect.poll(() => processesOf(marks), { timeout: 20_000, interval: 50 }).toEqual([]);
}

/** Where root's database lies when the data directory is closed to others. */
export function rootClusterHome(dataDirectory: string): string {
  const key = createHash('sha256').update(path.resolve(dataDirectory)).digest('hex').slice(0, 16);
  return path.join('/var/lib/waihu', key);
}

/** Deletes such a cluster with the running test. */
export function discardRootCluster(dataDirectory: string): void {
  onTestFinished(() => rmSync(rootClusterHome(dataDirectory), { recursive: true, force: true }));
}
