import { createHash, randomBytes } from 'node:crypto';
import { parseParams, quote, splitOutside, unquote } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import type { SipResponse } from '../messages/message.ts';

/** Who we are to a challenge. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** The only realm that gets them; whichever asks unless set. */
  readonly realm?: string;
}

/** What a 401 or 407 asks for. */
export interface Challenge {
  readonly proxy: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly qopAuth: boolean;
  readonly stale: boolean;
}

/** A request is sent again for challenges this often at the most: a proxy, the peer, and a stale nonce of each. */
const MAX_ANSWERS = 4;
/** A call meets the realms of its proxies and its peer. */
const MAX_REALMS = 8;

const NO_FIELDS: readonly HeaderField[] = [];

/** The challenges that one request has answered so far. */
export class DigestAttempt {
  readonly realms = new Set<string>();
  answers = 0;
}

/**
 * Digest access authentication of one call or registration (RFC 3261 §22, RFC 7616, RFC 8760: SHA-256 before MD5): keeps
 * the newest challenge of every realm, counts the uses of its nonce and signs each later request at once.
 */
export class DigestClient {
  readonly #credentials: Credentials | undefined;
  /** None until the first challenge: most calls meet none. */
  #realms: Map<string, { readonly challenge: Challenge; uses: number }> | undefined;

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  /**
   * Takes the challenges of a 401 or 407, one a realm; whether it makes sense to send the request again. A realm that
   * challenges the request a second time has refused the password, unless the nonce was only stale.
   */
  take(response: SipResponse, attempt: DigestAttempt): boolean {
    if (this.#credentials === undefined || (response.status !== 401 && response.status !== 407)) return false;
    if (++attempt.answers > MAX_ANSWERS) return false;
    const best = new Map<string, Challenge>();
    for (const challenge of readChallenges(response)) {
      const { realm } = this.#credentials;
      if (realm !== undefined && realm !== challenge.realm) continue;
      const key = `${challenge.proxy ? 'proxy' : 'user'} ${challenge.realm}`;
      const other = best.get(key);
      if (other === undefined || (other.algorithm === 'MD5' && challenge.algorithm === 'SHA-256'))
        best.set(key, challenge);
    }
    let taken = false;
    for (const [key, challenge] of best) {
      if (attempt.realms.has(key) && !challenge.stale) return false;
      const realms = (this.#realms ??= new Map());
      if (!realms.has(key) && realms.size >= MAX_REALMS) continue;
      attempt.realms.add(key);
      realms.set(key, { challenge, uses: 0 });
      taken = true;
    }
    return taken;
  }

  /** The header fields that sign a request for every realm met so far. */
  fields(method: string, uri: string, cnonce = randomBytes(8).toString('hex')): readonly HeaderField[] {
    const credentials = this.#credentials;
    if (credentials === undefined || this.#realms === undefined) return NO_FIELDS;
    return [...this.#realms.values()].map((realm) => {
      realm.uses++;
      return sign(realm.challenge, realm.uses, { method, uri }, credentials, cnonce);
    });
  }
}

function sign(
  challenge: Challenge,
  uses: number,
  request: { readonly method: string; readonly uri: string },
  { username, password }: Credentials,
  cnonce: string,
): HeaderField {
  const hash = (text: string): string =>
    createHash(challenge.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const secret = hash(`${username}:${challenge.realm}:${password}`);
  const what = hash(`${request.method}:${request.uri}`);
  const nc = uses.toString(16).padStart(8, '0');
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

/** The challenges of a 401 or 407 that we could answer. */
export function readChallenges(response: SipResponse): readonly Challenge[] {
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
