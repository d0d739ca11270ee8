import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export type FarEndKind = 'sipp' | 'own';

/** The process that is called; `cpuSeconds` is undefined where the system does not tell. */
export interface FarEnd {
  readonly kind: FarEndKind;
  readonly port: number;
  cpuSeconds(): number | undefined;
  close(): void;
}

const HOST = '127.0.0.1';
/** Of /proc/PID/stat (USER_HZ): the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Whether sipp is installed; `sipp -v` exits with 99. */
export function hasSipp(): boolean {
  return spawnSync('sipp', ['-v'], { stdio: 'ignore' }).status === 99;
}

/** Starts what is called: sipp's own `uas` scenario, or our user agent. Both end when we end, sipp by its limit. */
export async function startFarEnd(kind: FarEndKind, limitSeconds: number): Promise<FarEnd> {
  if (kind === 'own') {
    const child = fork(path.join(import.meta.dirname, 'setup-uas.ts'));
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return farEnd(kind, child, port);
  }
  const port = await freePort();
  const options = ['-sn', 'uas', '-i', HOST, '-p', String(port), '-mp', String(await freePort()), '-nostdin'];
  const child = spawn('sipp', [...options, '-timeout', `${limitSeconds}s`], { stdio: 'ignore' });
  await once(child, 'spawn');
  return farEnd(kind, child, port);
}

function farEnd(kind: FarEndKind, child: ChildProcess, port: number): FarEnd {
  return { kind, port, cpuSeconds: () => cpuSecondsOf(child.pid!), close: () => void child.kill('SIGKILL') };
}

/** User and system time that a process has taken; undefined where there is no /proc. */
function cpuSecondsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name in brackets, which may hold blanks, utime and stime are the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
