import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../error.ts';
import type { Log } from '../log.ts';
import { isSystemError, storageFault } from './data-directory.ts';

/** The uid and gid (nobody) that root's server runs under; undefined for an ordinary user, who runs it himself. */
export const UNPRIVILEGED: number | undefined = process.getuid?.() === 0 ? 65_534 : undefined;

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** Own session, so that a terminal's Ctrl-C reaches only us and the server outlives our own orderly end. */
function processOptions(cwd: string): SpawnOptions {
  const user = UNPRIVILEGED === undefined ? {} : { uid: UNPRIVILEGED, gid: UNPRIVILEGED };
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' };
  return { ...user, cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] };
}

/** Runs a tool and returns all it said. */
export async function runToEnd(
  executable: string,
  parameters: readonly string[],
  cwd: string,
): Promise<{ status: number; output: string; lastLine: string }> {
  const child = spawn(executable, parameters, processOptions(cwd));
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const error = lines.find((line) => /error|fatal/i.test(line)) ?? lines.at(-1);
  return { status: status ?? -1, output, lastLine: error ?? '' };
}

/** A free TCP port of the loopback interface. */
export async function freeLoopbackPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A server that accepts connections; `stop` ends them and waits for its end. */
export interface Postmaster {
  stop(): Promise<void>;
}

interface PostmasterOptions {
  readonly executable: string;
  readonly cluster: string;
  readonly port: number;
  readonly log: Log;
  readonly settings?: Readonly<Record<string, string>>;
  readonly onExit?: () => void;
}

/** Starts the server and waits until it is ready; a dying predecessor's shared memory is waited for. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    const { child, failure } = await launch(options);
    if (failure === undefined) return { stop: () => stop(child) };
    const predecessor = /pre-existing shared memory block|is being used by another process/.test(failure);
    if (!predecessor || attempt === 40) throw startFault(failure, options);
    // Backends of a postmaster that was killed notice its death by themselves, within moments.
    await delay(250);
  }
}

async function launch(options: PostmasterOptions): Promise<{ child: ChildProcess; failure: string | undefined }> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: '',
    max_connections: '100',
    // Twice the defaults: imports and busy hours write in bursts. Durability stays as PostgreSQL ships it.
    shared_buffers: '256MB',
    wal_buffers: '16MB',
    max_wal_size: '2GB',
    logging_collector: 'off',
    log_destination: 'stderr',
    // Errors go to the client that caused them; in the server's log their values would be unmasked personal data.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_statement: 'none',
    ...options.settings,
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(options.executable, ['-D', options.cluster, ...parameters], processOptions(options.cluster));
  child.stdout?.resume();
  const said: string[] = [];
  const failure = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGQUIT');
      resolve('no answer in time');
    }, START_TIMEOUT_MS);
    const settle = (value: string | undefined) => {
      clearTimeout(timer);
      resolve(value);
    };
    child.once('error', (error) => settle(error.message));
    child.once('exit', () => setImmediate(() => settle(said.join('\n'))));
    createInterface({ input: child.stderr! }).on('line', (line) => {
      if (said.length < 200) said.push(line);
      if (line.includes('database system is ready to accept connections')) settle(undefined);
      if (/\b(FATAL|PANIC):/.test(line)) options.log.debug({ line }, 'the embedded database reported a fault');
    });
  });
  if (failure === undefined) {
    child.once('exit', (code, signal) => {
      if (stopping.has(child)) return;
      options.log.error({ code, signal }, 'the embedded database has ended by itself');
      options.onExit?.();
    });
  }
  return { child, failure };
}

const stopping = new WeakSet<ChildProcess>();

/** Fast shutdown (connections end, data is flushed), then immediate. */
async function stop(child: ChildProcess): Promise<void> {
  stopping.add(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const impatient = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(impatient);
}

function startFault(said: string, options: PostmasterOptions): AppError {
  const cause = new Error(said);
  if (/could not bind|Address already in use/.test(said))
    return new AppError(
      'port-in-use',
      {
        zh: `数据库端口 ${options.port} 已被占用。请换一个端口，或停止占用它的程序。`,
        en: `The database port ${options.port} is in use. Choose another, or stop the program that uses it.`,
      },
      { cause },
    );
  const reason = said.split('\n').find((line) => /FATAL|PANIC/.test(line)) ?? said.split('\n').at(-1) ?? '';
  return (
    storageFault(said, options.cluster) ??
    new AppError(
      'database-unavailable',
      { zh: `内置数据库无法启动：${reason}`, en: `The embedded database cannot be started: ${reason}` },
      { cause },
    )
  );
}

/** Stops a server that outlived the waihu that had started it: one whose working directory is this cluster. */
export async function stopOrphan(cluster: string, log: Log): Promise<void> {
  const pid = await postmasterPid(cluster);
  if (pid === undefined || !(await servesCluster(pid, cluster))) return;
  log.warn({ pid }, 'stopping a database server that an earlier run has left behind');
  for (const [signal, patienceMs] of [
    ['SIGINT', STOP_TIMEOUT_MS],
    ['SIGQUIT', 5000],
    ['SIGKILL', 5000],
  ] as const) {
    send(pid, signal);
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 20) {
      if (!(await servesCluster(pid, cluster))) return;
      await delay(20);
    }
  }
}

/** Removes a stale postmaster.pid, which would stop a start wherever its process id belongs to another program now. */
export async function dropPostmasterFile(cluster: string): Promise<void> {
  const pid = await postmasterPid(cluster);
  if (pid !== undefined && !(await servesCluster(pid, cluster))) await rm(path.join(cluster, 'postmaster.pid'));
}

async function postmasterPid(cluster: string): Promise<number | undefined> {
  try {
    const pid = Number((await readFile(path.join(cluster, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** By /proc; where there is none, a process that lives counts as the server. */
async function servesCluster(pid: number, cluster: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
  }
  if (process.platform !== 'linux') return true;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return cwd !== undefined && cwd === (await realpath(cluster).catch(() => cluster));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}
