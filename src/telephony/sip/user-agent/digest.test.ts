import { describe, expect, it } from 'vitest';
import { buildRequest, buildResponse } from '../messages/write.ts';
import { authorize } from './digest.ts';

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
    const field = authorize(challenge(`${REALM}, algorithm=${algorithm}`), REQUEST, MUFASA, new Map(), CNONCE);
    expect(field?.[0]).toBe('Authorization');
    expect(field?.[1]).toContain(`response="${response}"`);
    expect(field?.[1]).toContain('qop=auth, nc=00000001');
  });

  it('prefers SHA-256, answers a stale nonce again and a refused one not', () => {
    const counts = new Map<string, number>();
    const both = challenge(
      'Digest realm="r", nonce="a", algorithm=MD5',
      'Digest realm="r", nonce="b", algorithm=SHA-256',
    );
    expect(authorize(both, REQUEST, MUFASA, counts)?.[1]).toContain('algorithm=SHA-256');
    expect(authorize(challenge('Digest realm="r", nonce="c", stale=TRUE'), REQUEST, MUFASA, counts)?.[1]).toContain(
      'nonce="c"',
    );
    expect(authorize(both, REQUEST, MUFASA, counts)).toBeUndefined();
  });

  it('does without what it cannot answer', () => {
    const unknown = challenge(
      'NoOneKnows x=y',
      'Digest realm="r", nonce="a", algorithm=SHA-512-256',
      'Digest realm="r"',
      'Digest "',
    );
    expect(authorize(unknown, REQUEST, MUFASA, new Map())).toBeUndefined();
  });
});
