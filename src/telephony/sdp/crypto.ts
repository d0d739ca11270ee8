import { randomBytes } from 'node:crypto';
import { SRTP_SUITES } from './media.ts';
import type { SrtpKey, SrtpMedia, SrtpPolicy, SrtpSuite } from './media.ts';
import type { MediaDescription, SdpAttribute } from './parse.ts';

/** One a=crypto line that we can use. */
export interface CryptoLine {
  readonly tag: number;
  readonly key: SrtpKey;
}

/** What becomes of a section's encryption: media in the clear has neither `srtp` nor `line`. */
export type Security =
  | { readonly ok: true; readonly srtp: SrtpMedia | undefined; readonly line: CryptoLine | undefined }
  | { readonly ok: false; readonly reason: string };

const SECURE_PROTOCOLS: ReadonlySet<string> = new Set(['RTP/SAVP', 'RTP/SAVPF']);
/** 30 octets. */
const KEY_SALT = /^[A-Za-z0-9+/]{40}$/;
const LIFETIME = /^(?:2\^\d{1,2}|\d{1,15})$/;
const MAX_MKI_BYTES = 128;
const CLEAR: Security = { ok: true, srtp: undefined, line: undefined };

/** True for the profiles whose media is always encrypted (RFC 4568 §4). */
export function isSecure(protocol: string): boolean {
  return SECURE_PROTOCOLS.has(protocol);
}

/**
 * Reads the value of an a=crypto line (RFC 4568 §9.1); undefined where it is malformed or asks for what we lack: another
 * suite, several keys, a derivation rate, unencrypted or unauthenticated packets.
 */
export function parseCrypto(value: string): CryptoLine | undefined {
  const [tag, suite, keys, ...parameters] = value.trim().split(/[ \t]+/);
  if (tag === undefined || !/^\d{1,9}$/.test(tag) || !isSuite(suite) || keys?.startsWith('inline:') !== true)
    return undefined;
  if (!parameters.every((one) => one.startsWith('-') || /^WSH=\d{1,5}$/.test(one))) return undefined;
  const [keySalt = '', ...options] = keys.slice('inline:'.length).split('|');
  if (!KEY_SALT.test(keySalt)) return undefined;
  if (options[0] !== undefined && LIFETIME.test(options[0])) options.shift();
  const mkiBytes = options.length === 0 ? 0 : mkiBytesOf(options);
  if (mkiBytes === undefined) return undefined;
  return {
    tag: Number(tag),
    key: { suite, keySalt: Uint8Array.from(Buffer.from(keySalt, 'base64')), mkiBytes },
  };
}

/** The attribute of one of our own keys, which have neither lifetime nor identifier. */
export function cryptoAttribute({ tag, key }: CryptoLine): SdpAttribute {
  return { name: 'crypto', value: `${tag} ${key.suite} inline:${Buffer.from(key.keySalt).toString('base64')}` };
}

/** The usable keys of a section, in its author's order. */
export function cryptosOf(media: MediaDescription): readonly CryptoLine[] {
  const lines: CryptoLine[] = [];
  for (const { name, value } of media.attributes) {
    const line = name === 'crypto' && value !== undefined ? parseCrypto(value) : undefined;
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

/** What a section of ours says about encryption, so that it can be asked for again. */
export function policyOf(media: MediaDescription): SrtpPolicy {
  if (isSecure(media.protocol)) return 'required';
  return cryptosOf(media).length > 0 ? 'optional' : 'off';
}

/**
 * Adds our keys to a section of an offer, one for each suite. `optional` leaves the plain profile and adds keys to it, as
 * baresip and Asterisk do: a second section in another profile is refused by many that know only one.
 */
export function offerSecurity(section: MediaDescription, policy: SrtpPolicy): MediaDescription {
  if (policy === 'off') return section;
  const lines = SRTP_SUITES.map((suite, index) => cryptoAttribute({ tag: index + 1, key: newKey(suite) }));
  return {
    ...section,
    protocol: policy === 'required' ? 'RTP/SAVP' : section.protocol,
    attributes: [...section.attributes, ...lines],
  };
}

/** How to answer an offered section: its author's first usable key, and a fresh one of ours under the same tag (RFC 4568 §5.1.2). */
export function answerSecurity(offered: MediaDescription, policy: SrtpPolicy): Security {
  const secure = isSecure(offered.protocol);
  if (policy === 'off') return secure ? { ok: false, reason: 'offer asks for encryption, which is off' } : CLEAR;
  const theirs = cryptosOf(offered)[0];
  if (theirs !== undefined) {
    const ours = newKey(theirs.key.suite);
    return { ok: true, srtp: { send: ours, receive: theirs.key }, line: { tag: theirs.tag, key: ours } };
  }
  if (secure) return { ok: false, reason: 'offer has no encryption key that we can use' };
  return policy === 'required' ? { ok: false, reason: 'offer has no encryption, which is required' } : CLEAR;
}

/** What an answer made of the keys that we offered (RFC 4568 §5.1.3). */
export function acceptSecurity(offered: MediaDescription, answered: MediaDescription): Security {
  const ours = cryptosOf(offered);
  if (ours.length === 0)
    return isSecure(answered.protocol) ? { ok: false, reason: 'answer has another transport protocol' } : CLEAR;
  if (answered.attributes.every((one) => one.name !== 'crypto')) {
    const clear = !isSecure(offered.protocol) && !isSecure(answered.protocol);
    return clear ? CLEAR : { ok: false, reason: 'answer has no encryption key' };
  }
  for (const theirs of cryptosOf(answered)) {
    const mine = ours.find((one) => one.tag === theirs.tag && one.key.suite === theirs.key.suite);
    if (mine !== undefined) return { ok: true, srtp: { send: mine.key, receive: theirs.key }, line: undefined };
  }
  return { ok: false, reason: 'answer has an encryption key that does not belong to the offer' };
}

function newKey(suite: SrtpSuite): SrtpKey {
  return { suite, keySalt: Uint8Array.from(randomBytes(30)), mkiBytes: 0 };
}

function isSuite(text: string | undefined): text is SrtpSuite {
  return SRTP_SUITES.some((suite) => suite === text);
}

function mkiBytesOf(options: readonly string[]): number | undefined {
  const bytes = Number(/^\d{1,40}:(\d{1,3})$/.exec(options[0] ?? '')?.[1]);
  return options.length === 1 && bytes >= 1 && bytes <= MAX_MKI_BYTES ? bytes : undefined;
}
