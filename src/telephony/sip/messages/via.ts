import { isToken, parseParams } from './grammar.ts';
import type { Params } from './grammar.ts';
import { parseHostPort } from './uri.ts';

/** One Via value (RFC 3261 §20.42). `transport` in upper case; `host` without brackets. */
export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

/** The prefix of RFC 3261 branches (§8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK';

/** Reads one Via value; undefined where it is malformed. */
export function parseVia(value: string): Via | undefined {
  const firstSlash = value.indexOf('/');
  const secondSlash = value.indexOf('/', firstSlash + 1);
  if (firstSlash < 0 || secondSlash < 0) return undefined;
  if (value.slice(0, firstSlash).trim().toUpperCase() !== 'SIP') return undefined;
  if (!isToken(value.slice(firstSlash + 1, secondSlash).trim())) return undefined;
  const rest = value.slice(secondSlash + 1).trimStart();
  let end = 0;
  while (end < rest.length && rest.charCodeAt(end) > 0x20) end++;
  const transport = rest.slice(0, end);
  const semicolon = rest.indexOf(';', end);
  const sentBy = parseHostPort((semicolon < 0 ? rest.slice(end) : rest.slice(end, semicolon)).trim());
  const params = parseParams(semicolon < 0 ? '' : rest.slice(semicolon));
  if (!isToken(transport) || sentBy === undefined || params === undefined) return undefined;
  return { transport: transport.toUpperCase(), host: sentBy.host, port: sentBy.port, params };
}
