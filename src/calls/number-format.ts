/** How a trunk wants to see a number: +8613…, 8613… or, for mainland numbers, 13…. */
export type NumberFormat = 'plus' | 'e164' | 'national';

/** How a trunk wants the callee number written: the format, then a prefix off, then one on. */
export interface NumberRules {
  readonly format: NumberFormat;
  readonly stripPrefix: string | undefined;
  readonly addPrefix: string | undefined;
}

/** The callee number as the trunk wants it. */
export function calleeNumber(number: string, { format, stripPrefix = '', addPrefix = '' }: NumberRules): string {
  const written = formatNumber(number, format);
  return `${addPrefix}${written.startsWith(stripPrefix) ? written.slice(stripPrefix.length) : written}`;
}

/** The number as the trunk wants it (RFC 3261 §19.1.1 user part, no visual separators). */
export function formatNumber(number: string, format: NumberFormat): string {
  const digits = number.replace(/^\+/, '');
  switch (format) {
    case 'plus':
      return number.startsWith('+') ? number : `+${digits}`;
    case 'e164':
      return digits;
    case 'national':
      if (!number.startsWith('+86')) return number.startsWith('+') ? `00${digits}` : digits;
      return /^861[3-9]\d{9}$/.test(digits) ? digits.slice(2) : `0${digits.slice(2)}`;
  }
}

/** A SIP URI; IPv6 addresses get their brackets (RFC 3261 §25.1 `IPv6reference`). */
export function sipUri(user: string, host: string, port?: number): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  // `#` is no character of the user part (RFC 3261 §25.1); `*` and `+` are.
  return `sip:${user.replaceAll('#', '%23')}@${name}${port === undefined ? '' : `:${port}`}`;
}
