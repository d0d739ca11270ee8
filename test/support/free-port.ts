import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** Below what the kernel hands out by itself (from 32,768 on Linux), so that no other socket gets one of these by chance. */
const FIRST = 15_000;

/** Peers that are given a port for RTP use those right above it as well. */
const STEP = 4;

/** Test files run side by side in processes of their own; each takes from its part, and begins anywhere in it. */
const PARTS = 8;
const PORTS_A_PART = 155;
const part = Number(process.env['VITEST_POOL_ID'] ?? 0) % PARTS;
let next = Math.floor(Math.random() * PORTS_A_PART);

/** An even port of 127.0.0.1 where nobody listens, by UDP or TCP; the three above it are given to nobody else. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS_A_PART; tried++) {
    const port = FIRST + (part * PORTS_A_PART + (next++ % PORTS_A_PART)) * STEP;
    if ((await isFreeByUdp(port)) && (await isFreeByTcp(port))) return port;
  }
  throw new Error(`no port of part ${part} is free`);
}

async function isFreeByUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, HOST);
  return settle(socket, once(socket, 'listening'));
}

async function isFreeByTcp(port: number): Promise<boolean> {
  const server = createServer().listen(port, HOST);
  return settle(server, once(server, 'listening'));
}

/** Whether the socket came to listen; it is closed again. */
async function settle(socket: { close(closed: () => void): unknown }, listening: Promise<unknown>): Promise<boolean> {
  try {
    await listening;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await new Promise<void>((resolve) => socket.close(resolve));
  return true;
}
