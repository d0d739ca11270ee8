import type { Headers } from '#telephony/sip/messages/headers.ts';
import { assertedIdentities, privacyOf } from '#telephony/sip/messages/identity.ts';
import { parseSipUri } from '#telephony/sip/messages/uri.ts';

/** Who calls us, as far as the network says. */
export interface Caller {
  /** As written by the network; undefined where it names none. */
  readonly number: string | undefined;
  /** The caller asked not to be shown (RFC 3323 §4.2, RFC 3325 §9.3). */
  readonly withheld: boolean;
}

/** User parts that stand for nobody (RFC 3323 §4.1.1.3, 3GPP TS 24.229). */
const NOBODY: ReadonlySet<string> = new Set(['', 'anonymous', 'unavailable', 'unknown', 'restricted', 'private']);

/**
 * Reads the caller of an INVITE: what the network asserts (RFC 3325), else From. Only for requests from peers that are
 * trusted to assert; everybody else could claim any number.
 */
export function callerOf(headers: Headers, from: string): Caller {
  const privacy = privacyOf(headers);
  const asserted = assertedIdentities(headers).map(({ uri }) => numberOf(uri));
  const shown = numberOf(from);
  const number = asserted.find((one) => one !== undefined) ?? shown;
  // A From without a number asks for the same, whatever the Privacy field says.
  const withheld = privacy.has('id') || privacy.has('user') || shown === undefined;
  return { number, withheld };
}

/** The number in a sip, sips or tel URI, escapes and visual separators undone; undefined where it has none. */
export function numberOf(uri: string): string | undefined {
  const tel = /^tel:([^;]*)/i.exec(uri.trim())?.[1];
  const user = tel ?? parseSipUri(uri.trim())?.user;
  if (user === undefined) return undefined;
  let name: string;
  try {
    // Without parameters of the user part and a password.
    name = decodeURIComponent(user).split(/[;:]/, 1)[0] ?? '';
  } catch {
    return undefined;
  }
  const number = name.replaceAll(/[-.()\s]/g, '');
  if (NOBODY.has(name.toLowerCase())) return undefined;
  return /^\+?\d{3,18}$/.test(number) ? number : undefined;
}
