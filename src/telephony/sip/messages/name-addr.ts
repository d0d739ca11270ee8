import { isToken, parseParams, quotedStringEnd, unquote } from './grammar.ts';
import type { Params } from './grammar.ts';
import { uriScheme } from './uri.ts';

/** The value of From, To, Contact, Route and their like (RFC 3261 §20.10). */
export interface NameAddr {
  /** Unquoted; empty where there is none. */
  readonly displayName: string;
  readonly uri: string;
  readonly params: Params;
}

/** Reads a name-addr or addr-spec with its parameters; undefined where it is malformed. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const text = value.trim();
  let displayName = '';
  let open: number;
  if (text.charCodeAt(0) === 0x22) {
    const end = quotedStringEnd(text, 0);
    if (end < 0) return undefined;
    displayName = unquote(text.slice(0, end));
    open = skipSpace(text, end);
    if (text.charCodeAt(open) !== 0x3c) return undefined;
  } else {
    open = text.indexOf('<');
    if (open > 0) {
      displayName = text.slice(0, open).trim();
      if (displayName !== '' && !displayName.split(/[ \t]+/).every(isToken)) return undefined;
    }
  }
  if (open >= 0) {
    const close = text.indexOf('>', open);
    if (close < 0) return undefined;
    return finish(displayName, text.slice(open + 1, close), text.slice(close + 1));
  }
  // Without brackets everything behind the first semicolon belongs to the header, and ? and , must not occur (§20).
  const semicolon = text.indexOf(';');
  const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trimEnd();
  if (uri.includes('?') || uri.includes(',')) return undefined;
  return finish('', uri, semicolon < 0 ? '' : text.slice(semicolon));
}

function finish(displayName: string, uri: string, paramText: string): NameAddr | undefined {
  const params = parseParams(paramText);
  return params === undefined || uriScheme(uri) === undefined ? undefined : { displayName, uri, params };
}

function skipSpace(text: string, from: number): number {
  let index = from;
  while (index < text.length && (text.charCodeAt(index) === 0x20 || text.charCodeAt(index) === 0x09)) index++;
  return index;
}
