import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { freePort } from '../../../../test/support/free-port.ts';
import { SipUserAgent } from '../user-agent.ts';
import type { ProbeResult } from '../user-agent/probe.ts';
import { RefusedPorts } from './refused-ports.ts';
import type { Peer, SipTransport } from './transport.ts';

const HOST = '127.0.0.1';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
  return socket;
}

function refusedPorts(): RefusedPorts {
  const ports = new RefusedPorts(systemClock, HOST);
  closing.push(() => ports.close());
  return ports;
}

describe('the check for refused ports', () => {
  it('tells a closed port from one that is silent, and asks once for many', async () => {
    const silent = await bound();
    closing.push(() => silent.close());
    const heard: string[] = [];
    silent.on('message', (bytes) => heard.push(bytes.toString()));
    const ports = refusedPorts();
    expect(await ports.check({ host: HOST, port: await freePort() })).toBe(true);
    const peer = { host: HOST, port: silent.address().port };
    expect(await Promise.all([ports.check(peer), ports.check(peer)])).toEqual([false, false]);
    expect(heard).toEqual(['\r\n\r\n']);
  });

  it('no more believes the host of a peer that answered all the same', async () => {
    const ports = refusedPorts();
    const peer = { host: HOST, port: await freePort() };
    ports.deceived(peer);
    expect(await ports.check(peer)).toBe(false);
  });

  it('ends with its owner', async () => {
    const silent = await bound();
    closing.push(() => silent.close());
    const ports = new RefusedPorts(systemClock, HOST);
    const asked = ports.check({ host: HOST, port: silent.address().port });
    ports.close();
    expect(await asked).toBe(false);
    expect(await ports.check({ host: HOST, port: await freePort() })).toBe(false);
  });
});

describe('a user agent', () => {
  async function open(): Promise<SipUserAgent> {
    const bind = { address: HOST, port: 0 };
    const agent = await SipUserAgent.open({ clock: systemClock, log: silentLog, bind, product: 'test' });
    closing.push(() => agent.close('test is over'));
    return agent;
  }

  it('tells within two seconds that nobody listens where a request goes', async () => {
    const agent = await open();
    const result = await agent.probe({ target: `sip:${HOST}:${await freePort()}` });
    expect(result).toMatchObject({ alive: false, status: undefined, detail: expect.stringContaining('ECONNREFUSED') });
    expect(result.roundTripMs).toBeGreaterThan(1_400);
    expect(result.roundTripMs).toBeLessThan(2_400);
  });

  it('takes the late answer of a server whose host refuses others, and asks that host no more', async () => {
    const clock = new ManualClock();
    const asked: Peer[] = [];
    const deceived: Peer[] = [];
    const requests: string[] = [];
    const transport: SipTransport = {
      protocol: 'UDP',
      reliable: false,
      local: { address: '192.0.2.1', port: 5060 },
      onDatagram: undefined,
      send: (bytes) => requests.push(Buffer.from(bytes).toString()),
      close: () => Promise.resolve(),
      refusals: {
        check: (to) => Promise.resolve(asked.push(to) > 0),
        deceived: (by) => deceived.push(by),
      },
    };
    const agent = SipUserAgent.on(transport, { clock, log: silentLog, product: 'test' });
    closing.push(() => agent.close('test is over'));
    const probe = (): Promise<ProbeResult> => agent.probe({ target: 'sip:192.0.2.2:5060' });
    const late = probe();
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(1);
    const kept = requests[0]!.split('\r\n').filter((line) => /^(?:via|from|to|call-id|cseq):/i.test(line));
    const answer = ['SIP/2.0 200 OK', ...kept, 'Content-Length: 0', '', ''].join('\r\n');
    transport.onDatagram?.(Buffer.from(answer), { host: '192.0.2.2', port: 5060 });
    expect(await late).toMatchObject({ alive: true, status: 200 });
    expect(deceived).toMatchObject([{ host: '192.0.2.2', port: 5060 }]);
    // Without an answer the second refusal ends it.
    const lost = probe();
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
    expect(await lost).toMatchObject({ alive: false, detail: 'connect ECONNREFUSED 192.0.2.2:5060' });
  });
});
