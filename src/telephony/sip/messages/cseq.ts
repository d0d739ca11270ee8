import { isToken, parseDecimal } from './grammar.ts';

/** RFC 3261 §20.16: a number below 2³¹ and the method. */
export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

/** Reads a CSeq value, undefined where it is malformed or out of range. */
export function parseCSeq(value: string): CSeq | undefined {
  let end = 0;
  while (end < value.length && value.charCodeAt(end) > 0x20) end++;
  const sequence = parseDecimal(value.slice(0, end), 10);
  const method = value.slice(end).trim();
  if (sequence === undefined || sequence >= 0x80000000 || !isToken(method)) return undefined;
  return { sequence, method };
}
