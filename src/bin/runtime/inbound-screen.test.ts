import { describe, expect, it } from 'vitest';
import { PeerList } from '#calls/peer-list.ts';
import { Strangers } from '#calls/strangers.ts';
import type { Admission } from '#platform/admission.ts';
import { ManualClock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { silentLog } from '#platform/log.ts';
import { buildRequest } from '#telephony/sip/messages/write.ts';
import { inboundScreen, ownNumbers } from './inbound-screen.ts';

const PEERS = new PeerList([
  { address: '192.0.2.1', trunk: 'carrier' },
  { address: '2001:db8::1', trunk: 'carrier' },
  { address: '198.51.100.0/24', trunk: undefined },
  { address: '2001:db8:1::/48', trunk: undefined },
]);
const OWN = ownNumbers([], ['+8621 5555 0000'.replaceAll(' ', ''), '95533']);

function door(o: { readonly policy?: 'drop' | 'refuse'; readonly admission?: Admission; readonly log?: Log } = {}) {
  const { policy = 'drop', admission = { accepts: true }, log = silentLog } = o;
  const clock = new ManualClock();
  const strangers = new Strangers({ clock, log });
  const { screen, counts } = inboundScreen({
    peers: () => PEERS,
    strangers,
    policy,
    own: OWN,
    admission: () => admission,
    random: () => 0.5,
  });
  const ask = (
    host: string,
    method = 'INVITE',
    uri = 'sip:+862155550000@192.0.2.9',
    to = uri,
    more: readonly (readonly [string, string])[] = [],
  ) =>
    screen(
      buildRequest(method, uri, [
        ['Via', `SIP/2.0/UDP ${host.includes(':') ? `[${host}]` : host};branch=z9hG4bK1`],
        ['From', '<sip:1@a>;tag=1'],
        ['To', `<${to}>`],
        ['Call-ID', 'c'],
        ['CSeq', `1 ${method}`],
        ...more,
      ]),
      { host, port: 5060 },
    );
  return { ask, screen, counts, strangers, clock };
}

describe('the screen before calls that come in', () => {
  it('lets the peers of trunks and further addresses of carriers in, by IPv4 and IPv6', () => {
    const { ask } = door();
    for (const host of ['192.0.2.1', '2001:db8::1', '198.51.100.77', '2001:db8:1:2::3']) expect(ask(host)).toBe('pass');
    for (const host of ['192.0.2.2', '2001:db8::2', '198.51.101.1', '2001:db8:2::1']) expect(ask(host)).toBe('drop');
  });

  it('leaves it to the user agent to refuse what would take a call over, which names no number of ours', () => {
    const replaces = [['Replaces', 'c;to-tag=1;from-tag=2']] as const;
    const contact = 'sip:192.0.2.9:5060';
    expect(door().ask('192.0.2.1', 'INVITE', contact, contact)).toEqual({ status: 404 });
    expect(door().ask('192.0.2.1', 'INVITE', contact, contact, replaces)).toBe('pass');
    expect(door().ask('203.0.113.5', 'INVITE', contact, contact, replaces)).toBe('drop');
  });

  it('says nothing to strangers, or 403, whatever they ask; never anything to what cannot be read', () => {
    for (const method of ['INVITE', 'OPTIONS', 'REGISTER', 'BYE']) {
      expect(door().ask('203.0.113.5', method)).toBe('drop');
      expect(door({ policy: 'refuse' }).ask('203.0.113.5', method)).toEqual({ status: 403 });
    }
    expect(door({ policy: 'refuse' }).screen(undefined, { host: '203.0.113.5', port: 5060 })).toBe('drop');
    expect(door().screen(undefined, { host: '192.0.2.1', port: 5060 })).toBe('pass');
  });

  it('counts a scan and tells of it once a minute', () => {
    const lines: object[] = [];
    const log = { ...silentLog, warn: (fields: object) => lines.push(fields) } as unknown as Log;
    const { ask, strangers, clock } = door({ log });
    for (let i = 0; i < 1000; i++) ask('203.0.113.5', 'OPTIONS');
    ask('203.0.113.6');
    expect([strangers.requests, lines.length]).toEqual([1001, 2]);
    clock.advance(60_000);
    ask('203.0.113.5', 'OPTIONS');
    expect(lines.at(-1)).toMatchObject({ source: '203.0.113.5', alike: 999 });
    for (let i = 0; i < 3000; i++) ask(`203.0.${i >> 8}.${i % 256}`);
    expect(lines.length).toBeLessThanOrEqual(1003);
  });

  it('knows our numbers in every spelling, also where only To has them', () => {
    const { ask, counts } = door();
    for (const user of ['+862155550000', '862155550000', '02155550000', '00862155550000', '+86-21-5555-0000', '95533'])
      expect(ask('192.0.2.1', 'INVITE', `sip:${user}@192.0.2.9`)).toBe('pass');
    expect(ask('192.0.2.1', 'INVITE', 'tel:+862155550000')).toBe('pass');
    expect(ask('192.0.2.1', 'INVITE', 'sip:trunk-7@192.0.2.9', 'sip:95533@carrier')).toBe('pass');
    expect(ask('192.0.2.1', 'INVITE', 'sip:10086@192.0.2.9')).toEqual({ status: 404 });
    expect(ask('192.0.2.1', 'INVITE', 'sip:192.0.2.9')).toEqual({ status: 404 });
    expect(counts.notOurs).toBe(2);
  });

  it('sends peers away with a time to come back while no calls are taken, and lets the rest of SIP work', () => {
    const { ask, counts } = door({ admission: { accepts: false, reason: 'calls', retryAfterSeconds: 6 } });
    const refusal = { status: 503, headers: [['Retry-After', '9']] };
    expect([ask('192.0.2.1'), ask('192.0.2.1', 'OPTIONS')]).toEqual([refusal, refusal]);
    expect(ask('192.0.2.1', 'CANCEL')).toBe('pass');
    expect(counts.refused).toEqual({ calls: 1 });
  });
});
