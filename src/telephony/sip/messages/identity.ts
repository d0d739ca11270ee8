import { parseDecimal, parseParams, quote, splitOutside } from './grammar.ts';
import type { HeaderField, Headers } from './headers.ts';
import { parseNameAddr } from './name-addr.ts';
import type { NameAddr } from './name-addr.ts';

/** One earlier destination of a call and why it was left. */
export interface Redirection {
  readonly uri: string;
  readonly displayName: string;
  /** Diversion: as written, for example `no-answer`. History-Info: the SIP cause of the Reason in the next entry. */
  readonly reason: string | undefined;
  /** History-Info only: for example `1.1`. */
  readonly index: string | undefined;
}

/** The priv-values of a Privacy field (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1). */
export type PrivacyValue = 'none' | 'id' | 'user' | 'header' | 'session' | 'history' | 'critical';

const PRIVACY: ReadonlySet<string> = new Set(['none', 'id', 'user', 'header', 'session', 'history', 'critical']);
const MAX_ENTRIES = 32;
/** Characters of claims that are read. */
const MAX_PASSPORT = 4_096;

/** P-Asserted-Identity: whom the network vouches for, a SIP and a tel URI at the most (RFC 3325 §9.1). */
export function assertedIdentities(headers: Headers): readonly NameAddr[] {
  return entries(headers, 'P-Asserted-Identity').flatMap((value) => parseNameAddr(value) ?? []);
}

/** The known values of Privacy; empty where the caller asks for none (RFC 3323 §4.2). */
export function privacyOf(headers: Headers): ReadonlySet<PrivacyValue> {
  const values = headers.all('Privacy').flatMap((value) => value.split(/[;,]/));
  return new Set(values.map((value) => value.trim().toLowerCase()).filter(isPrivacy));
}

/** P-Early-Media (RFC 5009 §8): the directions that the network authorises, in the order of the media, and its wish. */
export function earlyMediaOf(
  headers: Headers,
): readonly ('sendrecv' | 'sendonly' | 'recvonly' | 'inactive' | 'gated' | 'supported')[] {
  return entries(headers, 'P-Early-Media')
    .map((value) => value.toLowerCase())
    .filter((value) => isEarlyMedia(value));
}

/** Diversion, most recent first (RFC 5806 §5). */
export function diversionsOf(headers: Headers): readonly Redirection[] {
  return entries(headers, 'Diversion').flatMap((value) => {
    const address = parseNameAddr(value);
    if (address === undefined) return [];
    const reason = address.params.get('reason')?.replace(/^"|"$/g, '');
    return [{ uri: address.uri, displayName: address.displayName, reason, index: undefined }];
  });
}

/** History-Info, oldest first (RFC 7044 §5); the last entry is where the call goes now. */
export function historyOf(headers: Headers): readonly Redirection[] {
  return entries(headers, 'History-Info').flatMap((value) => {
    const address = parseNameAddr(value);
    if (address === undefined) return [];
    const question = address.uri.indexOf('?');
    const embedded = new URLSearchParams(question < 0 ? '' : address.uri.slice(question + 1));
    const reason = [...embedded].find(([name]) => name.toLowerCase() === 'reason')?.[1];
    const semicolon = reason?.indexOf(';') ?? -1;
    const cause =
      reason === undefined || semicolon < 0 ? undefined : parseParams(reason.slice(semicolon))?.get('cause');
    return [
      {
        uri: question < 0 ? address.uri : address.uri.slice(0, question),
        displayName: address.displayName,
        reason: cause,
        index: address.params.get('index'),
      },
    ];
  });
}

/** User-to-User data with its encoding and purpose (RFC 7433 §4); `hex` where it names no encoding. */
export function userToUserOf(
  headers: Headers,
): readonly { readonly data: string; readonly encoding: string; readonly purpose: string | undefined }[] {
  return entries(headers, 'User-to-User').flatMap((value) => {
    const semicolon = value.indexOf(';');
    const data = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
    const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
    if (data === '' || params === undefined) return [];
    return [{ data, encoding: params.get('encoding')?.toLowerCase() ?? 'hex', purpose: params.get('purpose') }];
  });
}

/** How sure the originating carrier says it is of a caller number; the signature has not been checked. */
export interface Attestation {
  /** A: the customer and the right to the number are known; B: the customer; C: only where the call came in. */
  readonly level: 'A' | 'B' | 'C';
  /** Names who signed for whom, for tracing a call back; as written. */
  readonly originId: string | undefined;
}

/**
 * The claims of the `shaken` PASSporT in an Identity field (RFC 8224 §4, RFC 8588 §4), undefined where there is none or
 * only its signature (compact form). Nothing here proves them: check the field as it came with whoever holds the keys.
 */
export function attestationOf(headers: Headers): Attestation | undefined {
  for (const value of headers.all('Identity')) {
    const semicolon = value.indexOf(';');
    const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
    const payload = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().split('.', 4)[1] ?? '';
    const type = params?.get('ppt')?.replace(/^"|"$/g, '');
    if (payload === '' || payload.length > MAX_PASSPORT || (type !== undefined && type !== 'shaken')) continue;
    const claims = jsonOf(payload);
    const level = claims['attest'];
    const originId = claims['origid'];
    if (level === 'A' || level === 'B' || level === 'C')
      return { level, originId: typeof originId === 'string' ? originId : undefined };
  }
  return undefined;
}

/** A base64url text of a JSON object; empty where it is none. */
function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The seconds that a Retry-After asks for (RFC 3261 §20.33), at most a day; undefined where there are none. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const digits = /^\d{1,9}/.exec(headers.get('Retry-After')?.trim() ?? '')?.[0];
  const seconds = digits === undefined ? undefined : parseDecimal(digits, 9);
  return seconds === undefined ? undefined : Math.min(seconds, 86_400);
}

/** The fields that tell the network who calls: P-Asserted-Identity, and Privacy where the number is not to be shown. */
export function identityFields(identity: {
  readonly uri: string;
  readonly displayName?: string;
  readonly privacy?: readonly PrivacyValue[];
}): readonly HeaderField[] {
  const name = identity.displayName === undefined ? '' : `${quote(identity.displayName)} `;
  const fields: HeaderField[] = [['P-Asserted-Identity', `${name}<${identity.uri}>`]];
  if (identity.privacy !== undefined && identity.privacy.length > 0)
    fields.push(['Privacy', identity.privacy.join(';')]);
  return fields;
}

/** User-to-User with hexadecimal data (RFC 7433 §4.1). */
export function userToUserField(data: Uint8Array, purpose?: string): HeaderField {
  const hex = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
  return ['User-to-User', `${hex};encoding=hex${purpose === undefined ? '' : `;purpose=${purpose}`}`];
}

/** The comma-separated values of a field, malformed ones left out. */
function entries(headers: Headers, name: string): readonly string[] {
  return headers
    .all(name)
    .flatMap((value) => splitOutside(value, ',') ?? [])
    .filter((value) => value !== '')
    .slice(0, MAX_ENTRIES);
}

function isPrivacy(value: string): value is PrivacyValue {
  return PRIVACY.has(value);
}

function isEarlyMedia(
  value: string,
): value is 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' | 'gated' | 'supported' {
  return /^(?:sendrecv|sendonly|recvonly|inactive|gated|supported)$/.test(value);
}
