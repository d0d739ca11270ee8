import { describe, expect, it } from 'vitest';
import { placeWatched, SipNetwork } from '../../../../test/support/sip-network.ts';
import { Headers } from './headers.ts';
import {
  assertedIdentities,
  attestationOf,
  diversionsOf,
  earlyMediaOf,
  historyOf,
  identityFields,
  privacyOf,
  retryAfterSeconds,
  userToUserField,
  userToUserOf,
} from './identity.ts';

describe('identity fields', () => {
  it('read two asserted identities, and privacy in either spelling of its list', () => {
    const headers = new Headers([
      ['P-Asserted-Identity', '"Line, 1" <sip:4000@carrier.example>, <tel:+8610400>'],
      ['Privacy', 'id; Critical;nonsense'],
    ]);
    expect(assertedIdentities(headers).map(({ uri, displayName }) => [uri, displayName])).toEqual([
      ['sip:4000@carrier.example', 'Line, 1'],
      ['tel:+8610400', ''],
    ]);
    expect([...privacyOf(headers)]).toEqual(['id', 'critical']);
    expect(privacyOf(new Headers([])).size).toBe(0);
  });

  it('read who was diverted, by both headers', () => {
    const headers = new Headers([
      ['Diversion', '<sip:b@x>;reason=no-answer;counter=1'],
      ['Diversion', '<sip:a@x>;reason="user-busy", broken <'],
      ['History-Info', '<sip:a@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:b@x>;index=1.1'],
    ]);
    expect(diversionsOf(headers).map(({ uri, reason }) => [uri, reason])).toEqual([
      ['sip:b@x', 'no-answer'],
      ['sip:a@x', 'user-busy'],
    ]);
    expect(historyOf(headers).map(({ uri, reason, index }) => [uri, reason, index])).toEqual([
      ['sip:a@x', '302', '1'],
      ['sip:b@x', undefined, '1.1'],
    ]);
  });

  it('read early media, user-to-user data and Retry-After', () => {
    const headers = new Headers([
      ['P-Early-Media', 'SendRecv, gated, dance'],
      ['User-to-User', '48656c6c6f;purpose=isdn-uui, "abc";encoding=x'],
      ['Retry-After', '18000 (overload);duration=3'],
    ]);
    expect(earlyMediaOf(headers)).toEqual(['sendrecv', 'gated']);
    expect(userToUserOf(headers)).toEqual([
      { data: '48656c6c6f', encoding: 'hex', purpose: 'isdn-uui' },
      { data: '"abc"', encoding: 'x', purpose: undefined },
    ]);
    expect(retryAfterSeconds(headers)).toBe(18_000);
    expect(retryAfterSeconds(new Headers([['Retry-After', 'soon']]))).toBeUndefined();
    expect(retryAfterSeconds(new Headers([['Retry-After', '999999999']]))).toBe(86_400);
  });

  it('go into an INVITE and are read back at the other end', () => {
    const network = new SipNetwork();
    let heard: Headers | undefined;
    network.agent(5070).onIncomingCall = (call) => (heard = call.headers);
    const headers = [
      ...identityFields({ uri: 'sip:4000@10.0.0.1', displayName: '外呼 "1"', privacy: ['id', 'critical'] }),
      userToUserField(Buffer.from('Hi'), 'isdn-uui'),
    ];
    placeWatched(network.agent(5060), 5070, { headers });
    network.clock.advance(100);
    expect(assertedIdentities(heard!)).toMatchObject([{ uri: 'sip:4000@10.0.0.1', displayName: '外呼 "1"' }]);
    expect([...privacyOf(heard!)]).toEqual(['id', 'critical']);
    expect(userToUserOf(heard!)).toEqual([{ data: '4869', encoding: 'hex', purpose: 'isdn-uui' }]);
  });

  it('tell what the carrier attests, without a word on whether it is true', () => {
    const passport = (claims: object): string =>
      `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
    const read = (...values: readonly string[]) =>
      attestationOf(new Headers(values.map((value) => ['Identity', value] as const)));
    const rest = ';info=<https://cert.example/1.pem>;alg=ES256;ppt=shaken';
    expect(read(`${passport({ attest: 'A', origid: '123e4567', iat: 1 })}${rest}`)).toEqual({
      level: 'A',
      originId: '123e4567',
    });
    expect(read(`${passport({ attest: 'C' })};ppt="shaken"`)).toEqual({ level: 'C', originId: undefined });
    // A diversion of the same call (RFC 8946) stands beside it.
    expect(read(`${passport({ attest: 'A' })};ppt=div`, `${passport({ attest: 'B' })}${rest}`)?.level).toBe('B');
    for (const wrong of [
      '',
      `..sig${rest}`,
      'a.b.c',
      `a.${'e'.repeat(5_000)}.c`,
      `${passport({ attest: 'D' })}${rest}`,
    ])
      expect(read(wrong)).toBeUndefined();
  });
});
