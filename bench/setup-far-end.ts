import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { cpuSecondsOf } from './process-cpu.ts';

export type FarEndKind = 'sipp' | 'own';

/** The process that is called; `cpuSeconds` is undefined where the system does not tell. */
export interface FarEnd {
  readonly kind: FarEndKind;
  readonly port: number;
  cpuSeconds(): number | undefined;
  close(): void;
}

const HOST = '127.0.0.1';
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

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
