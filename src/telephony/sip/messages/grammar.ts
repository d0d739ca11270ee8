/**
 * Scanning helpers of the SIP grammar (RFC 3261 §25.1). Everything here is a single pass over the text, so hostile input
 * costs time linear in its length.
 */

const TOKEN = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
  TOKEN[char.charCodeAt(0)] = 1;

/** Whether the text is a non-empty `token` (RFC 3261 §25.1). */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127 || TOKEN[code] === 0) return false;
  }
  return true;
}

/** A non-negative decimal of at most `maxDigits` digits without sign, or undefined. */
export function parseDecimal(text: string, maxDigits: number): number | undefined {
  if (text.length === 0 || text.length > maxDigits) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** Index just behind the closing quote of the quoted-string that opens at `start`, or −1 where it never closes. */
export function quotedStringEnd(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index++;
    else if (code === 0x22) return index + 1;
  }
  return -1;
}

/** The content of a quoted-string with its escapes undone; other text comes back as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== 0x22) return text;
  let result = '';
  for (let index = 1; index < text.length - 1; index++) {
    if (text.charCodeAt(index) === 0x5c && index < text.length - 2) index++;
    result += text[index];
  }
  return result;
}

/** The text as a quoted-string. Line ends, which no quoted-string may hold, become spaces. */
export function quote(text: string): string {
  return `"${text.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

/** Splits at `separator` outside quoted strings and angle brackets; parts are trimmed. Undefined where a quote never closes. */
export function splitOutside(text: string, separator: ',' | ';'): readonly string[] | undefined {
  const wanted = separator.charCodeAt(0);
  const parts: string[] = [];
  let from = 0;
  let inAngle = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22 && !inAngle) {
      const end = quotedStringEnd(text, index);
      if (end < 0) return undefined;
      index = end - 1;
    } else if (code === 0x3c) inAngle = true;
    else if (code === 0x3e) inAngle = false;
    else if (code === wanted && !inAngle) {
      parts.push(text.slice(from, index).trim());
      from = index + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

/** Parameters by lower-case name; a parameter without `=` has an empty value, quoted values stay quoted. */
export type Params = ReadonlyMap<string, string>;

const NO_PARAMS: Params = new Map();

/** Reads `;name=value;name` (RFC 3261 §25.1 generic-param), undefined where it is malformed. */
export function parseParams(text: string): Params | undefined {
  const trimmed = text.trim();
  if (trimmed.length === 0) return NO_PARAMS;
  if (trimmed.charCodeAt(0) !== 0x3b) return undefined;
  const parts = splitOutside(trimmed.slice(1), ';');
  if (parts === undefined) return undefined;
  const params = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trimEnd();
    const value = equals < 0 ? '' : part.slice(equals + 1).trimStart();
    if (!isToken(name) || (equals >= 0 && !isParamValue(value))) return undefined;
    const key = name.toLowerCase();
    if (!params.has(key)) params.set(key, value);
  }
  return params;
}

/** gen-value: token, host (IPv6 in brackets too) or quoted-string. */
function isParamValue(value: string): boolean {
  if (value.charCodeAt(0) === 0x22) return quotedStringEnd(value, 0) === value.length;
  if (value.length === 0) return false;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    // Besides token characters what hosts and common extensions need: [ ] : / @ $ & ? = ( ) { }.
    if (
      code <= 0x20 ||
      code === 0x22 ||
      code === 0x2c ||
      code === 0x3b ||
      code === 0x3c ||
      code === 0x3e ||
      code === 0x7f
    )
      return false;
  }
  return true;
}

/** A copy that stands alone: what is cut out of a message keeps the whole text of the message in memory. */
export function detached(text: string): string {
  return Buffer.from(text).toString();
}
