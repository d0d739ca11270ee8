/** How a trunk wants to see a number: +8613…, 8613… or, for mainland numbers, 13…. */
export type NumberFormat = 'plus' | 'e164' | 'national';

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
  return `sip:${user}@${name}${port === undefined ? '' : `:${port}`}`;
}
