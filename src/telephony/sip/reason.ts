import { parseDecimal, parseParams, quote, splitOutside, unquote } from './messages/grammar.ts';

/** One value of a Reason header: why a call ended, in Q.850 or SIP terms. */
export interface Reason {
  /** As written, for example `Q.850` or `SIP`. */
  readonly protocol: string;
  /** Undefined where the value names none. */
  readonly cause: number | undefined;
  readonly text: string;
}

/** Reads a Reason header with all its values; malformed values are left out. RFC 3326 §2. */
export function parseReason(value: string): readonly Reason[] {
  const reasons: Reason[] = [];
  for (const part of splitOutside(value, ',') ?? []) {
    const semicolon = part.indexOf(';');
    const protocol = (semicolon < 0 ? part : part.slice(0, semicolon)).trim();
    const params = parseParams(semicolon < 0 ? '' : part.slice(semicolon));
    if (protocol === '' || params === undefined) continue;
    reasons.push({
      protocol,
      cause: parseDecimal(params.get('cause') ?? '', 4),
      text: unquote(params.get('text') ?? ''),
    });
  }
  return reasons;
}

/** The header value of a reason. RFC 3326 §2. */
export function writeReason(reason: {
  readonly protocol: string;
  readonly cause: number;
  readonly text: string;
}): string {
  return `${reason.protocol};cause=${reason.cause}${reason.text === '' ? '' : `;text=${quote(reason.text)}`}`;
}
