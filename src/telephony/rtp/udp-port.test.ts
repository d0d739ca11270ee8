import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { systemClock } from '#platform/clock.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { EventPort } from './event-port.ts';
import { loadLibc } from './libc.ts';
import { PolledPort } from './polled-port.ts';
import { PolledSockets } from './polled-sockets.ts';
import { readAddress, readPort, writeSocketAddress } from './socket-address.ts';
import type { UdpPort } from './udp-port.ts';

const libc = await loadLibc();
const polled = libc === undefined ? undefined : new PolledSockets(libc, systemClock);
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function peer(address: string): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  opened.push(socket);
  socket.bind(0, address);
  await once(socket, 'listening');
  return { socket, port: socket.address().port };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

const kinds = [
  { kind: 'events', open: EventPort.open.bind(undefined, systemClock) },
  { kind: 'polled', open: async (address: string, port: number) => PolledPort.open(polled!, address, port) },
] as const;

describe.each(kinds)('a socket with $kind', ({ kind, open }) => {
  const works = kind === 'events' || polled !== undefined;
  const first = kind === 'events' ? 14_000 : 14_500;

  async function openPort(address: string, port: number): Promise<UdpPort> {
    const socket = await open(address, port);
    opened.push(socket!);
    return socket!;
  }

  /** Gives sockets their turn until something has been heard. */
  async function until(port: UdpPort, done: () => boolean): Promise<void> {
    while (!done()) {
      await setImmediate();
      port.drain();
    }
  }

  test.skipIf(!works).each([
    ['127.0.0.1', first],
    ['::1', first + 1],
  ])('exchanges datagrams on %s and says where and when they came from', async (address, number) => {
    const port = await openPort(address, number);
    const far = await peer(address);
    const heard: { text: string; from: string; port: number; atMs: number }[] = [];
    port.onDatagram = (bytes, from, fromPort, atMs) => heard.push({ text: text(bytes), from, port: fromPort, atMs });
    const beforeMs = performance.now();
    for (let i = 0; i < 40; i++) far.socket.send(`packet ${i}${'.'.repeat(i)}`, number, address);
    await until(port, () => heard.length === 40);
    expect(heard.map((each) => each.text)).toEqual(Array.from({ length: 40 }, (_, i) => `packet ${i}${'.'.repeat(i)}`));
    for (const each of heard) expect(each).toMatchObject({ from: address, port: far.port });
    // The wall clock is a millisecond off at most while the two are compared.
    for (const each of heard) expect(each.atMs).toBeGreaterThan(beforeMs - 1);
    for (const each of heard) expect(each.atMs).toBeLessThanOrEqual(performance.now());
    const [answer] = (await answered(far.socket, () => port.send(Buffer.from('hello'), address, far.port))) as [Buffer];
    expect(answer.toString()).toBe('hello');
  });

  test.skipIf(!works)('sends nothing, to nobody, where an address is no address of its family', async () => {
    const port = await openPort('127.0.0.1', first + 20);
    const far = await peer('127.0.0.1');
    const heard: string[] = [];
    far.socket.on('message', (bytes) => heard.push(bytes.toString()));
    // In the octets of an IPv4 address these would be 0.0.0.0, which is this machine.
    for (const address of ['2001:db8::1', 'phone.example', '']) port.send(Buffer.from('lost'), address, far.port);
    const arrived = once(far.socket, 'message');
    port.send(Buffer.from('found'), '127.0.0.1', far.port);
    await arrived;
    expect(heard).toEqual(['found']);
  });

  test.skipIf(!works)('hears only its peer while connected, and everybody afterwards', async () => {
    const port = await openPort('127.0.0.1', first + 2);
    const [friend, stranger] = [await peer('127.0.0.1'), await peer('127.0.0.1')];
    const heard: string[] = [];
    port.onDatagram = (bytes) => heard.push(text(bytes));
    port.connect('127.0.0.1', friend.port);
    const [sent] = (await answered(friend.socket, () => port.send(Buffer.from('a'), '127.0.0.1', 9))) as [Buffer];
    expect(sent.toString()).toBe('a');
    stranger.socket.send('stranger', port.port, '127.0.0.1');
    friend.socket.send('friend', port.port, '127.0.0.1');
    await until(port, () => heard.length > 0);
    expect(heard).toEqual(['friend']);
    port.disconnect();
    stranger.socket.send('stranger', port.port, '127.0.0.1');
    await until(port, () => heard.length > 1);
    expect(heard[1]).toBe('stranger');
    const [again] = (await answered(stranger.socket, () =>
      port.send(Buffer.from('b'), '127.0.0.1', stranger.port),
    )) as [Buffer];
    expect(again.toString()).toBe('b');
  });

  test.skipIf(!works)('counts what a closed port refuses and goes on', async () => {
    const port = await openPort('127.0.0.1', first + 3);
    const far = await peer('127.0.0.1');
    port.connect('127.0.0.1', far.port);
    far.socket.close();
    opened.splice(opened.indexOf(far.socket), 1);
    await until(port, () => {
      if (port.sendFailures === 0) port.send(Buffer.from('x'), '127.0.0.1', far.port);
      return port.sendFailures > 0;
    });
    port.disconnect();
    const next = await peer('127.0.0.1');
    const [bytes] = (await answered(next.socket, () => port.send(Buffer.from('y'), '127.0.0.1', next.port))) as [
      Buffer,
    ];
    expect(bytes.toString()).toBe('y');
  });

  test.skipIf(!works)('says that a port is taken, frees it on close and cannot bind what is not here', async () => {
    const port = await openPort('127.0.0.1', first + 4);
    expect(await open('127.0.0.1', first + 4)).toBeUndefined();
    await port.close();
    await port.close();
    port.send(Buffer.from('z'), '127.0.0.1', 9);
    port.drain();
    await openPort('127.0.0.1', first + 4);
    await expect(open('192.0.2.1', first + 5)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});

/** The datagram that a socket gets for what is sent. */
async function answered(socket: Socket, send: () => void): Promise<unknown[]> {
  const message = once(socket, 'message');
  send();
  return message;
}

describe.skipIf(polled === undefined)('a polled socket', () => {
  test('keeps ten seconds of packets until it is drained, and stamps when they came', async () => {
    const port = PolledPort.open(polled!, '127.0.0.1', 14_900)!;
    opened.push(port);
    const far = await peer('127.0.0.1');
    const arrivals: number[] = [];
    port.onDatagram = (_bytes, _address, _port, atMs) => arrivals.push(atMs);
    const send = (): Promise<unknown> =>
      new Promise((resolve) => far.socket.send(new Uint8Array(172), 14_900, '127.0.0.1', resolve));
    // The kernel begins to stamp a moment after the first socket has asked; until then it does when a packet is read.
    for (let drainedMs = 0; !(arrivals.at(-1)! < drainedMs);) {
      await send();
      drainedMs = performance.now();
      port.drain();
    }
    arrivals.length = 0;
    for (let i = 0; i < 500; i++) await send();
    port.drain();
    expect(arrivals).toHaveLength(500);
    // In order, but for what the two clocks are compared anew.
    for (let i = 1; i < 500; i++) expect(arrivals[i]! - arrivals[i - 1]!).toBeGreaterThan(-1);
    expect(arrivals[499]! - arrivals[0]!).toBeGreaterThan(1);
  });

  test('forgets what came before anybody listened, and survives being closed by what it delivers', async () => {
    const port = PolledPort.open(polled!, '127.0.0.1', 14_901)!;
    const far = await peer('127.0.0.1');
    const send = (what: string): Promise<unknown> =>
      new Promise((resolve) => far.socket.send(what, 14_901, '127.0.0.1', resolve));
    await send('old');
    port.discard();
    const heard: string[] = [];
    port.onDatagram = (bytes) => {
      heard.push(text(bytes));
      if (heard.length === 2) void port.close();
    };
    for (const what of ['one', 'two', 'three']) await send(what);
    port.drain();
    expect(heard).toEqual(['one', 'two']);
  });

  test('drops datagrams that are longer than RTP of a call, and takes the next', async () => {
    const port = PolledPort.open(polled!, '127.0.0.1', 14_902)!;
    opened.push(port);
    const far = await peer('127.0.0.1');
    const lengths: number[] = [];
    port.onDatagram = (bytes) => lengths.push(bytes.length);
    for (const length of [5000, 2048, 0, 12])
      await new Promise((resolve) => far.socket.send(new Uint8Array(length), 14_902, '127.0.0.1', resolve));
    port.drain();
    expect(lengths).toEqual([2048, 0, 12]);
  });

  test('is closed with its thread, whatever ends that', async () => {
    const program = `
      const at = ${JSON.stringify(new URL('.', import.meta.url).href)};
      const [{ loadLibc }, { PolledSockets }, { PolledPort }] = await Promise.all(
        ['libc', 'polled-sockets', 'polled-port'].map((name) => import(at + name + '.ts')));
      const { parentPort } = await import('node:worker_threads');
      const clock = { monotonicMs: () => performance.now() };
      const port = PolledPort.open(new PolledSockets(await loadLibc(), clock), '127.0.0.1', 14903);
      parentPort.on('message', () => port.drain());
      parentPort.postMessage(port.port);`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { execArgv: [] });
    expect(await once(worker, 'message')).toEqual([14_903]);
    expect(PolledPort.open(polled!, '127.0.0.1', 14_903)).toBeUndefined();
    await worker.terminate();
    const again = PolledPort.open(polled!, '127.0.0.1', 14_903);
    expect(again?.port).toBe(14_903);
    opened.push(again!);
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:db8::8:800:200c:417a', '2001:db8::8:800:200c:417a'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0:0:1::2', '2001:0:0:1::2'],
  ['fe80::1%3', 'fe80::1%3'],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
])('the address %s survives being written for the kernel', (address, expected) => {
  const bytes = new Uint8Array(28);
  writeSocketAddress(bytes, address.includes(':') ? 10 : 2, address, 51_234);
  expect([readAddress(bytes), readPort(bytes)]).toEqual([expected, 51_234]);
});

test('an IPv4 peer of an IPv6 socket is written as a mapped address', () => {
  const bytes = new Uint8Array(28);
  writeSocketAddress(bytes, 10, '192.0.2.7', 5);
  expect(readAddress(bytes)).toBe('::ffff:192.0.2.7');
});
