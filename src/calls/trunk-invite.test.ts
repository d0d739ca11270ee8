import { expect, it } from 'vitest';
import { inviteOf, serverUri } from './trunk-invite.ts';
import type { Dialled } from './trunk-invite.ts';
import { plainRoute } from './trunk-route.ts';
import type { TrunkRoute } from './trunk-route.ts';

const DIALLED = {
  id: 'attempt-1',
  phone: '+8613800000000',
  callerNumber: '+861012345678',
  campaignId: 'campaign-1',
  leadId: undefined,
} as unknown as Dialled;
const CALL = { host: '192.0.2.9', sdp: 'v=0', ringTimeoutMs: 1000 };

function invite(rest: Partial<TrunkRoute>, host = '192.0.2.1') {
  const route = plainRoute('t', { host, port: 5070 }, rest);
  return inviteOf(route, route.peers[0], DIALLED, CALL);
}

it('writes numbers as the trunk wants them, then takes a prefix off and puts one on', () => {
  const numbers = { format: 'national', stripPrefix: '1', addPrefix: '9#' } as const;
  expect(invite({ numbers })).toMatchObject({
    target: 'sip:9%233800000000@192.0.2.1:5070',
    from: 'sip:01012345678@192.0.2.9',
  });
});

it('puts IPv6 servers in brackets', () => {
  expect(invite({}, '2001:db8::1').target).toBe('sip:8613800000000@[2001:db8::1]:5070');
  expect(serverUri(plainRoute('t', { host: '2001:db8::1', port: 5070 }).peers[0])).toBe('sip:[2001:db8::1]:5070');
});

it('routes requests to a domain by the server, or by the proxy', () => {
  expect(invite({ domain: 'carrier.example' })).toMatchObject({
    target: 'sip:8613800000000@carrier.example',
    from: 'sip:861012345678@carrier.example',
    routes: ['<sip:192.0.2.1:5070;lr>'],
  });
  expect(invite({ domain: 'carrier.example', proxy: '<sip:edge;lr>' }).routes).toEqual(['<sip:edge;lr>']);
});

it('shows the account, the identity and hides the number as configured', () => {
  const account = { username: 'waihu', credentials: { username: 'auth', password: 'x' } };
  const shown = { from: 'account', displayName: 'Waihu', identity: 'preferred', privacy: 'none' } as const;
  expect(invite({ account, caller: shown })).toMatchObject({
    from: 'sip:waihu@192.0.2.1',
    displayName: 'Waihu',
    headers: [['P-Preferred-Identity', '"Waihu" <sip:861012345678@192.0.2.1>']],
    credentials: { username: 'auth' },
  });
  const hidden = { from: 'number', displayName: 'Waihu', identity: 'asserted', privacy: 'id' } as const;
  expect(invite({ caller: hidden })).toMatchObject({
    from: 'sip:anonymous@anonymous.invalid',
    displayName: 'Anonymous',
    headers: [
      ['P-Asserted-Identity', '"Waihu" <sip:861012345678@192.0.2.9>'],
      ['Privacy', 'id'],
    ],
  });
});

it('fills header templates and leaves out those of which a value is missing', () => {
  const headers = { 'X-Call': '{attemptId}/{campaignId}@{trunk}', 'X-Lead': '{leadId}' };
  expect(invite({ headers }).headers).toEqual([['X-Call', 'attempt-1/campaign-1@t']]);
});
