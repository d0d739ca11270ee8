import { isToken, parseDecimal, parseParams } from './grammar.ts';
import type { Params } from './grammar.ts';

/** A sip or sips URI (RFC 3261 §19.1). `user` keeps its escapes; an IPv6 `host` has no brackets. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** The text behind `?`. */
  readonly headers: string | undefined;
}

/** Reads a sip or sips URI; undefined for other schemes and for malformed text. */
export function parseSipUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  const rest = text.slice(colon + 1);
  const at = rest.lastIndexOf('@');
  const user = at < 0 ? undefined : rest.slice(0, at);
  if (user === '' || (user !== undefined && !isUriText(user))) return undefined;
  let hostPart = rest.slice(at + 1);
  const question = hostPart.indexOf('?');
  const headers = question < 0 ? undefined : hostPart.slice(question + 1);
  if (question >= 0) hostPart = hostPart.slice(0, question);
  const semicolon = hostPart.indexOf(';');
  const params = parseParams(semicolon < 0 ? '' : hostPart.slice(semicolon));
  const hostPort = parseHostPort(semicolon < 0 ? hostPart : hostPart.slice(0, semicolon));
  if (params === undefined || hostPort === undefined || (headers !== undefined && !isUriText(headers)))
    return undefined;
  return { scheme, user, host: hostPort.host, port: hostPort.port, params, headers };
}

/** Reads `host`, `host:port` or `[v6]:port`. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  let host = text;
  let portText = '';
  if (text.charCodeAt(0) === 0x5b) {
    const close = text.indexOf(']');
    if (close < 0) return undefined;
    host = text.slice(1, close);
    portText = text.slice(close + 1).trim();
    if (!isIpv6Text(host) || (portText !== '' && !portText.startsWith(':'))) return undefined;
  } else {
    const colon = text.indexOf(':');
    if (colon >= 0) {
      host = text.slice(0, colon).trimEnd();
      portText = text.slice(colon).trim();
    }
    if (!isHostName(host)) return undefined;
  }
  if (portText === '') return { host, port: undefined };
  const port = parseDecimal(portText.slice(1).trim(), 5);
  return port === undefined || port > 65_535 ? undefined : { host, port };
}

/** The scheme of any URI in lower case, undefined where the text is no URI. */
export function uriScheme(text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) return undefined;
  const scheme = text.slice(0, colon);
  return isToken(scheme) && isUriText(text) ? scheme.toLowerCase() : undefined;
}

/** A host as it stands in URIs and Via: IPv6 in brackets. */
export function hostText(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** No control character, space, quote, angle bracket or non-ASCII: those must be escaped in URIs. */
function isUriText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f || code === 0x22 || code === 0x3c || code === 0x3e) return false;
  }
  return true;
}

function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > 255) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const alphanumeric = (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122);
    if (!alphanumeric && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }
  return true;
}

function isIpv6Text(text: string): boolean {
  if (!text.includes(':')) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const hex = (code >= 48 && code <= 58) || ((code | 32) >= 97 && (code | 32) <= 102);
    if (!hex && code !== 0x2e) return false;
  }
  return true;
}
