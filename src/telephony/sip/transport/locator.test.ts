import { describe, expect, it } from 'vitest';
import { placeWatched, SipNetwork } from '../../../../test/support/sip-network.ts';
import type { WatchedCall } from '../../../../test/support/sip-network.ts';
import { ManualClock } from '#platform/clock.ts';
import type { HeaderField } from '../messages/headers.ts';
import { buildResponse, writeMessage } from '../messages/write.ts';
import type { OutgoingCallRequest } from '../user-agent.ts';
import { Locator } from './locator.ts';
import type { SipResolver, SrvRecord } from './locator.ts';
import { targetOf } from './target.ts';
import type { Peer, SipProtocol, SipTransport } from './transport.ts';
import { Transports } from './transports.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A name service of a table; names that are not in it reject, as the system's do. */
function names(table: Readonly<Record<string, readonly string[] | readonly SrvRecord[]>>) {
  const asked: string[] = [];
  const find = <T>(name: string): Promise<readonly T[]> => {
    asked.push(name);
    const found = table[name];
    return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(found as readonly T[]);
  };
  const resolver: SipResolver = { srv: (name) => find<SrvRecord>(name), addresses: (name) => find<string>(name) };
  return { asked, resolver };
}

function fake(protocol: SipProtocol, address = '10.0.0.1'): SipTransport {
  const local = { address, port: 5060 };
  return {
    protocol,
    reliable: protocol !== 'UDP',
    local,
    onDatagram: undefined,
    send: () => undefined,
    close: async () => {},
  };
}

async function locate(
  uri: string,
  table: Parameters<typeof names>[0],
  options: { protocols?: readonly SipProtocol[]; random?: () => number; clock?: ManualClock } = {},
) {
  const { asked, resolver } = names(table);
  const { clock = new ManualClock(), random = () => 0, protocols = ['UDP', 'TCP', 'TLS'] } = options;
  const transports = new Transports(
    protocols.map((one) => fake(one)),
    clock,
  );
  const locator = new Locator({ resolver, clock, transports, random });
  const find = async (): Promise<readonly string[]> => {
    let found: readonly Peer[] = [];
    locator.locate(targetOf(uri)!, (servers) => (found = servers));
    await settle();
    return found.map((one) => `${one.host}:${one.port} ${one.protocol ?? '-'}`);
  };
  return { asked, locator, find, clock, found: await find() };
}

const srv = (name: string, port: number, priority = 0, weight = 0): SrvRecord => ({ name, port, priority, weight });

describe('a target', () => {
  it.each([
    ['sip:a@192.0.2.1', { host: '192.0.2.1' }],
    ['sip:a@[2001:db8::1]:5070', { host: '2001:db8::1', port: 5070 }],
    ['sip:a@h;transport=TCP', { host: 'h', protocol: 'TCP' }],
    ['sips:a@h', { host: 'h', protocol: 'TLS' }],
    ['sips:a@h;transport=tcp', { host: 'h', protocol: 'TLS' }],
    ['sip:a@h;maddr=10.0.0.9', { host: '10.0.0.9' }],
    ['sip:a@h;transport=sctp', undefined],
    ['tel:+86', undefined],
  ])('of %s is read', (uri, target) => {
    expect(targetOf(uri)).toEqual(target);
  });
});

describe('the servers of a name', () => {
  it('are those of its SRV records, by priority and then by a draw of weights', async () => {
    const table = {
      '_sip._udp.trunk.example': [
        srv('b.example', 5071, 20),
        srv('a.example', 5070, 10, 1),
        srv('c.example', 5072, 10, 99),
      ],
      'a.example': ['192.0.2.1'],
      'b.example': ['192.0.2.2', '2001:db8::2'],
      'c.example': ['192.0.2.3'],
    };
    const low = await locate('sip:x@trunk.example', table, { random: () => 0 });
    expect(low.found).toEqual(['192.0.2.1:5070 UDP', '192.0.2.3:5072 UDP', '192.0.2.2:5071 UDP']);
    const high = await locate('sip:x@trunk.example', table, { random: () => 0.5 });
    expect(high.found).toEqual(['192.0.2.3:5072 UDP', '192.0.2.1:5070 UDP', '192.0.2.2:5071 UDP']);
  });

  it('are its addresses where it has a port, or no such records, or is an address itself', async () => {
    const table = { 'h.example': ['192.0.2.1', '192.0.2.2'] };
    const ported = await locate('sip:x@h.example:5080', table);
    expect([ported.found, ported.asked]).toEqual([['192.0.2.1:5080 -', '192.0.2.2:5080 -'], ['h.example']]);
    const bare = await locate('sips:x@h.example', table);
    expect([bare.found[0], bare.asked]).toEqual(['192.0.2.1:5061 TLS', ['_sips._tcp.h.example', 'h.example']]);
    const spoken = await locate('sip:x@h.example', table, { protocols: ['TCP'] });
    expect(spoken.asked).toEqual(['_sip._tcp.h.example', 'h.example']);
    expect((await locate('sip:x@192.0.2.9', {})).found).toEqual(['192.0.2.9:5060 -']);
    expect((await locate('sip:x@nowhere.example', {})).found).toEqual([]);
  });

  it('are asked for once a minute', async () => {
    const { asked, find, clock } = await locate('sip:x@h.example:5080', { 'h.example': ['192.0.2.1'] });
    await find();
    expect(asked).toHaveLength(1);
    clock.advance(61_000);
    await find();
    expect(asked).toHaveLength(2);
  });

  it('that ask for rest come last until it is over', async () => {
    const { locator, find, clock } = await locate('sip:x@h.example:5080', { 'h.example': ['192.0.2.1', '192.0.2.2'] });
    locator.rest({ host: '192.0.2.1', port: 5080 }, 30_000);
    expect((await find())[0]).toBe('192.0.2.2:5080 -');
    clock.advance(30_000);
    expect((await find())[0]).toBe('192.0.2.1:5080 -');
  });
});

describe('a call to a trunk of two gateways', () => {
  /** One host name for two ports of the fake network, told apart by SRV records. */
  async function trunk(options: Partial<OutgoingCallRequest> = {}) {
    const network = new SipNetwork();
    const { resolver } = names({
      '_sip._udp.trunk.example': [srv('one.example', 5071, 1), srv('two.example', 5072, 2)],
      'one.example': ['10.0.0.1'],
      'two.example': ['10.0.0.1'],
    });
    const caller = network.agent(5060, { resolver, random: () => 0 });
    const first = network.transport(5071);
    const second = network.transport(5072);
    const to: string[] = [];
    const reply = (from: SipTransport, status: number, headers: readonly HeaderField[] = [], body = '') => {
      const invites = network.log.filter(({ label }) => label === 'INVITE');
      const request = (from === first ? invites[0] : invites.at(-1))?.message;
      if (request?.kind !== 'request') throw new Error('no INVITE');
      const contact: HeaderField = ['Contact', `<sip:10.0.0.1:${from.local.port}>`];
      const parts = { toTag: `t${from.local.port}`, headers: [contact, ...headers], body };
      from.send(writeMessage(buildResponse(request, status, parts)), { host: '10.0.0.1', port: 5060 });
      network.clock.advance(10);
    };
    first.onDatagram = (bytes) => to.push(`1 ${Buffer.from(bytes).toString().split(' ', 1)[0]}`);
    second.onDatagram = (bytes) => to.push(`2 ${Buffer.from(bytes).toString().split(' ', 1)[0]}`);
    const place = async (): Promise<WatchedCall> => {
      const watched = placeWatched(caller, 1, { target: 'sip:1@trunk.example', ...options });
      await settle();
      network.clock.advance(10);
      return watched;
    };
    return { network, caller, first, second, to, reply, place, watched: await place() };
  }
  const ANSWER: HeaderField[] = [['Content-Type', 'application/sdp']];
  const SDP = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n';

  it('goes to the second after a 503 of the first, and so does the next call while the first rests', async () => {
    const { to, reply, first, second, watched, place, network } = await trunk();
    reply(first, 503, [['Retry-After', '60 (overload)']]);
    expect(to).toEqual(['1 INVITE', '1 ACK', '2 INVITE']);
    const vias = network.log
      .filter(({ label }) => label === 'INVITE')
      .map(({ message }) => message?.via.params.get('branch'));
    expect(new Set(vias).size).toBe(2);
    reply(second, 200, ANSWER, SDP);
    expect(watched.answers).toHaveLength(1);
    await place();
    expect(to.at(-1)).toBe('2 INVITE');
    network.clock.advance(61_000);
    await place();
    expect(to.at(-1)).toBe('1 INVITE');
  });

  it('goes to the second after 4 s of silence, and cancels the first when it wakes up', async () => {
    const { to, reply, first, second, watched, network } = await trunk();
    network.clock.advance(4_000);
    expect(to.filter((one) => one.startsWith('2'))).toEqual(['2 INVITE']);
    reply(second, 180);
    reply(first, 180);
    expect(to.at(-1)).toBe('1 CANCEL');
    reply(second, 200, ANSWER, SDP);
    reply(first, 200, ANSWER, SDP);
    expect(to.slice(-3)).toEqual(['2 ACK', '1 ACK', '1 BYE']);
    expect([watched.progress, watched.answers.length, watched.ends]).toEqual([[180], 1, []]);
  });

  it('ends with the 503 of the last one', async () => {
    const { reply, first, second, watched } = await trunk();
    reply(first, 503);
    reply(second, 503);
    expect(watched.ends).toMatchObject([{ cause: 'rejected', status: 503 }]);
  });

  it('that rings at the first stays there', async () => {
    const { to, reply, first, network } = await trunk();
    reply(first, 180);
    network.clock.advance(20_000);
    expect(to.filter((one) => one.startsWith('2'))).toEqual([]);
  });

  it('that is hung up before its name is known sends nothing', async () => {
    const { caller, network, to } = await trunk();
    to.length = 0;
    const watched = placeWatched(caller, 1, { target: 'sip:1@elsewhere.example' });
    watched.call.hangup();
    await settle();
    network.clock.advance(10);
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'cancelled' }]);
    expect(to).toEqual([]);
    const unknown = placeWatched(caller, 1, { target: 'sip:1@elsewhere.example' });
    await settle();
    expect(unknown.ends).toMatchObject([{ by: 'network', cause: 'transport', detail: 'name not found' }]);
  });

  it('follows one redirection that the policy allows, and no second one', async () => {
    const { to, reply, first, second, watched } = await trunk({ mayRedirectTo: (uri) => uri.includes('@10.0.0.1') });
    reply(first, 302, [
      ['Contact', '<sip:9@198.51.100.1>;q=1'],
      ['Contact', '<sip:2@10.0.0.1:5072>;q=0.5'],
    ]);
    expect(to.at(-1)).toBe('2 INVITE');
    reply(second, 302, [['Contact', '<sip:3@10.0.0.1:5071>']]);
    expect(watched.ends).toMatchObject([{ cause: 'rejected', status: 302 }]);
  });
});
