import { createHash, randomBytes } from 'node:crypto';
import { parseParams, quote, splitOutside, unquote } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import type { SipResponse } from '../messages/message.ts';

interface Challenge {
  readonly proxy: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly qopAuth: boolean;
  readonly stale: boolean;
}

/** What remains between challenges: how often each nonce was used (RFC 7616 §3.3 nc). */
export type NonceCounts = Map<string, number>;

/**
 * The credentials that answer a 401 or 407 (RFC 3261 §22, RFC 7616, RFC 8760: SHA-256 before MD5), or undefined where no
 * challenge can be answered or the same credentials were refused already.
 */
export function authorize(
  response: SipResponse,
  request: { readonly method: string; readonly uri: string },
  credentials: { readonly username: string; readonly password: string },
  counts: NonceCounts,
  cnonce = randomBytes(8).toString('hex'),
): HeaderField | undefined {
  const challenges = readChallenges(response);
  const challenge = challenges.find((one) => one.algorithm === 'SHA-256') ?? challenges[0];
  if (challenge === undefined) return undefined;
  // A second challenge that is not stale refuses the password.
  if (counts.size > 0 && !challenge.stale) return undefined;
  const count = (counts.get(challenge.nonce) ?? 0) + 1;
  counts.set(challenge.nonce, count);
  const { username, password } = credentials;
  const hash = (text: string): string =>
    createHash(challenge.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const secret = hash(`${username}:${challenge.realm}:${password}`);
  const what = hash(`${request.method}:${request.uri}`);
  const nc = count.toString(16).padStart(8, '0');
  const digest = challenge.qopAuth
    ? hash(`${secret}:${challenge.nonce}:${nc}:${cnonce}:auth:${what}`)
    : hash(`${secret}:${challenge.nonce}:${what}`);
  let value =
    `Digest username=${quote(username)}, realm=${quote(challenge.realm)}, nonce=${quote(challenge.nonce)}, ` +
    `uri=${quote(request.uri)}, response="${digest}", algorithm=${challenge.algorithm}`;
  if (challenge.qopAuth) value += `, qop=auth, nc=${nc}, cnonce="${cnonce}"`;
  if (challenge.opaque !== undefined) value += `, opaque=${quote(challenge.opaque)}`;
  return [challenge.proxy ? 'Proxy-Authorization' : 'Authorization', value];
}

function readChallenges(response: SipResponse): readonly Challenge[] {
  const proxy = response.status === 407;
  const challenges: Challenge[] = [];
  for (const value of response.headers.all(proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate')) {
    if (!/^digest\s/i.test(value)) continue;
    const parts = splitOutside(value.slice(7), ',');
    const params = parts === undefined ? undefined : parseParams(`;${parts.join(';')}`);
    if (params === undefined) continue;
    const algorithm = unquote(params.get('algorithm') ?? 'MD5').toUpperCase();
    const realm = params.get('realm');
    const nonce = params.get('nonce');
    const qop = params.get('qop');
    const qopAuth =
      qop !== undefined &&
      unquote(qop)
        .toLowerCase()
        .split(/[\s,]+/)
        .includes('auth');
    if (realm === undefined || nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256')) continue;
    if (qop !== undefined && !qopAuth) continue;
    const opaque = params.get('opaque');
    challenges.push({
      proxy,
      realm: unquote(realm),
      nonce: unquote(nonce),
      opaque: opaque === undefined ? undefined : unquote(opaque),
      algorithm,
      qopAuth,
      stale: unquote(params.get('stale') ?? '').toLowerCase() === 'true',
    });
  }
  return challenges;
}
