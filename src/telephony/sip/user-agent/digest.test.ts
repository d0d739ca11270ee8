import { describe, expect, it } from 'vitest';
import { buildRequest, buildResponse } from '../messages/write.ts';
import { DigestAttempt, DigestClient } from './digest.ts';

const INVITE = buildRequest('INVITE', 'sip:a@b', [
  ['Via', 'SIP/2.0/UDP h;branch=z9hG4bK1'],
  ['From', '<sip:a@b>;tag=1'],
  ['To', '<sip:c@d>'],
  ['Call-ID', 'x'],
  ['CSeq', '1 INVITE'],
]);
const challenge = (...values: readonly string[]) =>
  buildResponse(INVITE, 401, { headers: values.map((value) => ['WWW-Authenticate', value] as const) });

/** RFC 7616 §3.9.1: Mufasa, for GET of /dir/index.html. */
const REALM =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const REQUEST = { method: 'GET', uri: '/dir/index.html' };
const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

describe('digest', () => {
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('gives the response of RFC 7616 for %s', (algorithm, response) => {
    const client = new DigestClient(MUFASA);
    expect(client.take(challenge(`${REALM}, algorithm=${algorithm}`), new DigestAttempt())).toBe(true);
    const [field] = client.fields(REQUEST.method, REQUEST.uri, CNONCE);
    expect(field?.[0]).toBe('Authorization');
    expect(field?.[1]).toContain(`response="${response}"`);
    expect(field?.[1]).toContain('qop=auth, nc=00000001');
  });

  it('prefers SHA-256, answers a stale nonce again and a refused one not', () => {
    const client = new DigestClient(MUFASA);
    const attempt = new DigestAttempt();
    const both = challenge(
      'Digest realm="r", nonce="a", algorithm=MD5',
      'Digest realm="r", nonce="b", algorithm=SHA-256',
    );
    expect(client.take(both, attempt)).toBe(true);
    expect(client.fields('GET', '/')[0]?.[1]).toContain('algorithm=SHA-256');
    expect(client.take(challenge('Digest realm="r", nonce="c", stale=TRUE'), attempt)).toBe(true);
    expect(client.fields('GET', '/')[0]?.[1]).toContain('nonce="c"');
    expect(client.take(both, attempt)).toBe(false);
  });

  it('counts the uses of a nonce and signs later requests without being asked', () => {
    const client = new DigestClient(MUFASA);
    expect(client.fields('INVITE', 'sip:a@b')).toEqual([]);
    client.take(challenge('Digest realm="r", nonce="a", qop="auth"'), new DigestAttempt());
    const counts = [1, 2, 3].map(() => /nc=(\d+)/.exec(client.fields('BYE', 'sip:a@b')[0]?.[1] ?? '')?.[1]);
    expect(counts).toEqual(['00000001', '00000002', '00000003']);
    // The next request may be challenged anew: the nonce has run out.
    expect(client.take(challenge('Digest realm="r", nonce="b", qop="auth"'), new DigestAttempt())).toBe(true);
    expect(client.fields('BYE', 'sip:a@b')[0]?.[1]).toContain('nonce="b", uri="sip:a@b"');
  });

  it('answers a proxy and the peer behind it, and two realms at once', () => {
    const client = new DigestClient(MUFASA);
    const attempt = new DigestAttempt();
    const proxies = buildResponse(INVITE, 407, {
      headers: [
        ['Proxy-Authenticate', 'Digest realm="one", nonce="1"'],
        ['Proxy-Authenticate', 'Digest realm="two", nonce="2"'],
      ],
    });
    expect(client.take(proxies, attempt)).toBe(true);
    expect(client.take(challenge('Digest realm="one", nonce="3"'), attempt)).toBe(true);
    expect(
      client.fields('INVITE', 'sip:a@b').map(([name, value]) => `${name} ${/realm="(\w+)"/.exec(value)?.[1]}`),
    ).toEqual(['Proxy-Authorization one', 'Proxy-Authorization two', 'Authorization one']);
    expect(client.take(proxies, attempt)).toBe(false);
  });

  it('does without what it cannot answer', () => {
    const unknown = challenge(
      'NoOneKnows x=y',
      'Digest realm="r", nonce="a", algorithm=SHA-512-256',
      'Digest realm="r"',
      'Digest "',
    );
    expect(new DigestClient(MUFASA).take(unknown, new DigestAttempt())).toBe(false);
    expect(new DigestClient(undefined).take(challenge('Digest realm="r", nonce="a"'), new DigestAttempt())).toBe(false);
  });

  it('stops when a server finds every nonce stale', () => {
    const client = new DigestClient(MUFASA);
    const attempt = new DigestAttempt();
    const stale = challenge('Digest realm="r", nonce="c", stale=true');
    const taken = Array.from({ length: 10 }, () => client.take(stale, attempt));
    expect(taken.filter(Boolean)).toHaveLength(4);
  });
});
