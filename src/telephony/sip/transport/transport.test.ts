import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { accept, placeWatched } from '../../../../test/support/sip-network.ts';
import { ManualClock, systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { SipUserAgent } from '../user-agent.ts';
import type { CallEnd, IncomingCall, OutgoingCallRequest } from '../user-agent.ts';
import { StreamFramer } from './framer.ts';
import type { SipBind } from './open.ts';
import { StreamTransport } from './stream.ts';
import type { StreamOptions } from './stream.ts';
import { checkSipIdentity, readTlsIdentity } from './tls-identity.ts';
import type { Peer } from './transport.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nl: 4\r\n\r\nbody';

describe('a stream', () => {
  it('is cut into the same messages wherever its pieces end', () => {
    const stream = Buffer.from(`\r\n\r\n${MESSAGE}\r\n${MESSAGE.replace('l: 4', 'Content-Length:\r\n 4')}${MESSAGE}`);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const framer = new StreamFramer(1_000);
        const types: string[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          const frames = framer.push(stream.subarray(at, at + size));
          if (typeof frames === 'string') throw new Error(frames);
          types.push(...frames.map((one) => (one.type === 'message' ? one.bytes.toString().slice(-4) : one.type)));
          at += size;
        }
        // A ping whose second half comes late is read as two pongs; neither is ever taken for a message.
        expect(types.filter((one) => one === 'body')).toHaveLength(3);
        expect(framer.partial).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['no Content-Length', 'OPTIONS sip:a@b SIP/2.0\r\n\r\n'],
    ['no Content-Length', MESSAGE.replace('l: 4', 'l: 4\r\nContent-Length: 5')],
    ['no Content-Length', MESSAGE.replace('l: 4', 'l: -4')],
    ['message is too large', MESSAGE.replace('l: 4', 'l: 4000')],
    ['header is too large', `OPTIONS ${'x'.repeat(2_000)}`],
  ])('ends for %s', (reason, text) => {
    expect(new StreamFramer(1_000).push(Buffer.from(text))).toBe(reason);
  });
});

const open: { close(reason: string): Promise<void> }[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((one) => one.close('test is over')));
});

async function agent(bind: readonly SipBind[], take?: (call: IncomingCall) => void): Promise<SipUserAgent> {
  const made = await SipUserAgent.open({ clock: systemClock, log: silentLog, bind, product: 'test' });
  made.onIncomingCall = take;
  open.push(made);
  return made;
}

const tcp = (address = '127.0.0.1', extra: Partial<SipBind> = {}): SipBind => ({
  protocol: 'TCP',
  address,
  port: 0,
  ...extra,
});

/** A whole call; gives back how it ended and the last headers of the answer. */
function talk(caller: SipUserAgent, target: string, options: Partial<OutgoingCallRequest> = {}): Promise<CallEnd> {
  return new Promise((resolve) => {
    const watched = placeWatched(caller, 1, { target, ...options });
    watched.onAnswered = () => watched.call.hangup();
    watched.onEnded = () => resolve(watched.ends[0]!);
  });
}

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = createServer().listen(0, '::1', () => server.close(() => resolve(true)));
  server.on('error', () => resolve(false));
});

describe('SIP over TCP', () => {
  it('completes calls both ways over one connection', async () => {
    const seen: string[] = [];
    const side = async () => {
      const bind = { address: '127.0.0.1', port: 0 };
      const transport = await StreamTransport.open({ clock: systemClock, log: silentLog, protocol: 'TCP', bind });
      const made = SipUserAgent.on(transport, { clock: systemClock, log: silentLog, product: 'test' });
      made.onIncomingCall = (call) => {
        seen.push(call.headers.get('Via') ?? '', call.headers.get('Contact') ?? '');
        accept(call);
      };
      open.push(made);
      return { transport, agent: made, uri: `sip:1@127.0.0.1:${transport.local.port};transport=tcp` };
    };
    const [one, two] = await Promise.all([side(), side()]);
    expect(await talk(one.agent, two.uri)).toMatchObject({ by: 'platform', cause: 'bye' });
    expect(await talk(one.agent, two.uri)).toMatchObject({ cause: 'bye' });
    // The alias of the connection that is there serves the way back.
    expect(await talk(two.agent, one.uri)).toMatchObject({ cause: 'bye' });
    expect([one.transport.connections, two.transport.connections]).toEqual([1, 1]);
    expect(seen[0]).toMatch(/^SIP\/2\.0\/TCP 127\.0\.0\.1:\d+;branch=z9hG4bK[^;]+;.*alias/);
    expect(seen[1]).toBe(`<sip:127.0.0.1:${one.transport.local.port};transport=tcp>`);
  });

  it.skipIf(!hasIpv6).each(['UDP', 'TCP'] as const)('completes calls over IPv6 by %s', async (protocol) => {
    const bind: SipBind = { protocol, address: '::1', port: 0 };
    let via = '';
    const callee = await agent([bind], (call) => {
      via = call.headers.get('Via') ?? '';
      accept(call);
    });
    const caller = await agent([bind]);
    expect(await talk(caller, `sip:1@[::1]:${callee.address.port}`)).toMatchObject({ cause: 'bye' });
    expect(via).toMatch(new RegExp(`^SIP/2\\.0/${protocol} \\[::1\\]:\\d+;`));
  });

  it('takes TCP for a request over 1300 bytes, and UDP where the peer has no TCP', async () => {
    const methods: string[] = [];
    const take = (call: IncomingCall): void => {
      methods.push(/\/(UDP|TCP) /.exec(call.headers.get('Via') ?? '')?.[1] ?? '');
      accept(call);
    };
    const udp: SipBind = { protocol: 'UDP', address: '127.0.0.1', port: 0 };
    const onlyUdp = await agent([udp], take);
    const { port } = onlyUdp.address;
    const caller = await agent([udp, tcp()]);
    const large = { headers: [['X-Large', 'x'.repeat(1_400)]] as const };
    const target = `sip:1@127.0.0.1:${port}`;
    expect(await talk(caller, target, large)).toMatchObject({ cause: 'bye' });
    const both = await agent([tcp('127.0.0.1', { port })], take);
    expect(both.address.port).toBe(port);
    // The refusal is remembered, so that not every call tries TCP in vain; another caller finds it.
    expect(await talk(caller, target, large)).toMatchObject({ cause: 'bye' });
    expect(await talk(await agent([udp, tcp()]), target, large)).toMatchObject({ cause: 'bye' });
    expect(await talk(caller, `${target};transport=tcp`)).toMatchObject({ cause: 'bye' });
    expect(methods).toEqual(['UDP', 'UDP', 'TCP', 'TCP']);
  });

  it('reports a refused connection, and a transport that is not bound, as transport faults', async () => {
    const caller = await agent([tcp()]);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await talk(caller, `sip:1@127.0.0.1:${port}`)).toMatchObject({ by: 'network', cause: 'transport' });
    expect(await talk(caller, `sips:1@127.0.0.1:${port}`)).toMatchObject({ cause: 'transport' });
  });

  it('tells a caller whose connection dies before anybody answered', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ close: () => new Promise((resolve) => void server.close(() => resolve())) });
    const caller = await agent([tcp()]);
    const { port } = server.address() as AddressInfo;
    expect(await talk(caller, `sip:1@127.0.0.1:${port}`)).toMatchObject({ by: 'network', cause: 'transport' });
  });
});

describe('a stream transport', () => {
  async function transport(options: Partial<StreamOptions> = {}) {
    const clock = new ManualClock();
    const bind = { address: '127.0.0.1', port: 0 };
    const made = await StreamTransport.open({ clock, log: silentLog, protocol: 'TCP', bind, ...options });
    open.push(made);
    return { clock, made };
  }

  async function socketTo(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  it('answers keep-alives, and sends its own on outgoing connections', async () => {
    const { made } = await transport();
    const socket = await socketTo(made.local.port);
    socket.write('\r\n\r\n');
    expect((await once(socket, 'data'))[0].toString()).toBe('\r\n');

    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ close: () => new Promise((resolve) => void server.close(() => resolve())) });
    const { clock, made: client } = await transport({ limits: { pingMs: 50_000 } });
    const { port } = server.address() as AddressInfo;
    client.send(Buffer.from(MESSAGE), { host: '127.0.0.1', port });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    sockets.push(accepted);
    expect((await once(accepted, 'data'))[0].toString()).toBe(MESSAGE);
    clock.advance(51_000);
    expect((await once(accepted, 'data'))[0].toString()).toBe('\r\n\r\n');
  });

  it('closes connections that idle, dawdle over a message or say nonsense', async () => {
    const { clock, made } = await transport({ limits: { idleMs: 60_000, messageMs: 10_000 } });
    const connected = async (text: string): Promise<Socket> => {
      const socket = await socketTo(made.local.port);
      const arrived = new Promise<void>((resolve) => (made.onDatagram = () => resolve()));
      socket.write(`${MESSAGE}${text}`);
      await arrived;
      return socket;
    };
    const slow = await connected('OPTIONS sip:a@b SIP/2.0\r\n');
    const idle = await connected('');
    expect(made.connections).toBe(2);
    const slowClosed = once(slow, 'close');
    clock.advance(11_000);
    await slowClosed;
    expect(made.connections).toBe(1);
    const idleClosed = once(idle, 'close');
    clock.advance(60_000);
    await idleClosed;
    expect(made.connections).toBe(0);
    const wrong = await socketTo(made.local.port);
    const wrongClosed = once(wrong, 'close');
    wrong.write('GET / HTTP/1.1\r\n\r\n');
    await wrongClosed;
  });

  it('bounds connections in total and from one address, and frees the place of those that left', async () => {
    const { made } = await transport({ limits: { perAddress: 2 } });
    const first = await socketTo(made.local.port);
    const messages: Peer[] = [];
    const arrived = new Promise<void>((resolve) => {
      made.onDatagram = (_bytes, from) => messages.push(from) === 2 && resolve();
    });
    first.write(MESSAGE);
    const second = await socketTo(made.local.port);
    second.write(MESSAGE);
    await arrived;
    expect(new Set(messages.map((from) => from.flow)).size).toBe(2);
    const third = await socketTo(made.local.port);
    await once(third, 'close');
    expect(made.connections).toBe(2);
  });

  it('fails a connection that never comes about in time', async () => {
    const { clock, made } = await transport({ limits: { connectMs: 3_000 } });
    const failed = new Promise<Error>((resolve) => {
      // A documentation address (RFC 5737): nothing answers there, or it is unreachable at once.
      made.send(Buffer.from(MESSAGE), { host: '192.0.2.1', port: 5060 }, resolve);
    });
    clock.advance(4_000);
    expect((await failed).message).toMatch(/took too long|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|EPERM|EACCES/);
  });
});

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Without openssl, which makes the certificates, these are skipped. */
describe.skipIf(!hasOpenssl)('SIP over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sip-tls-'));
  const certificate = (name: string, alternatives: string): SipBind['tls'] & object => {
    const files = { key: join(folder, `${name}.key`), certificate: join(folder, `${name}.pem`) };
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat(
        ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`],
        ['-keyout', files.key, '-out', files.certificate],
      ),
      { stdio: 'ignore' },
    );
    return readTlsIdentity(files);
  };
  const edge = certificate('edge', 'DNS:edge.example,IP:127.0.0.1');
  const trusted = [readFileSync(join(folder, 'edge.pem'), 'utf8')];
  rmSync(folder, { recursive: true });
  const tls = (identity: SipBind['tls']): SipBind => ({
    protocol: 'TLS',
    address: '127.0.0.1',
    port: 0,
    ...(identity === undefined ? {} : { tls: identity }),
  });

  it('completes a call with a peer whose certificate is trusted, without a listener of its own', async () => {
    let via = '';
    const callee = await agent([tls(edge)], (call) => {
      via = call.headers.get('Via') ?? '';
      accept(call);
    });
    const caller = await agent([tls({ authorities: trusted })]);
    expect(await talk(caller, `sips:1@127.0.0.1:${callee.address.port}`)).toMatchObject({ cause: 'bye' });
    expect(via).toMatch(/^SIP\/2\.0\/TLS /);
  });

  it('refuses a certificate that nobody trusted signed, and one for another name', async () => {
    const callee = await agent([tls(edge)], accept);
    const { port } = callee.address;
    expect(await talk(await agent([tls({})]), `sips:1@127.0.0.1:${port}`)).toMatchObject({
      by: 'network',
      cause: 'transport',
      detail: expect.stringMatching(/self.signed/),
    });
    const resolver = {
      srv: () => Promise.resolve([]),
      addresses: () => Promise.resolve(['127.0.0.1']),
    };
    const caller = await SipUserAgent.open({
      clock: systemClock,
      log: silentLog,
      bind: [tls({ authorities: trusted })],
      product: 'test',
      resolver,
    });
    open.push(caller);
    expect(await talk(caller, `sip:1@edge.example:${port};transport=tls`)).toMatchObject({ cause: 'bye' });
    expect(await talk(caller, `sip:1@other.example:${port};transport=tls`)).toMatchObject({
      cause: 'transport',
      detail: expect.stringMatching(/altnames|match/),
    });
  });

  it('takes only clients with a certificate where it asks for one', async () => {
    const strict = { ...edge, authorities: trusted, requireClientCertificate: true };
    const callee = await agent([tls(strict)], accept);
    const target = `sips:1@127.0.0.1:${callee.address.port}`;
    expect(await talk(await agent([tls({ authorities: trusted })]), target)).toMatchObject({ cause: 'transport' });
    expect(await talk(await agent([tls({ ...edge, authorities: trusted })]), target)).toMatchObject({ cause: 'bye' });
  });

  it('reads the SIP domain of a certificate before its DNS names', () => {
    const shown = (subjectaltname: string) => ({ subject: { CN: 'x' }, subjectaltname }) as never;
    expect(checkSipIdentity('trunk.example', shown('URI:sip:trunk.example'))).toBeUndefined();
    expect(checkSipIdentity('trunk.example', shown('URI:sip:other.example'))?.message).toMatch(/another SIP domain/);
    expect(checkSipIdentity('trunk.example', shown('URI:sip:other.example, DNS:trunk.example'))).toBeUndefined();
    expect(checkSipIdentity('trunk.example', shown('DNS:other.example'))?.message).toMatch(/altnames/);
  });

  it('refuses to open with a certificate that cannot be read', async () => {
    await expect(agent([tls({ certificate: 'nonsense', key: 'nonsense' })])).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
