/** A header field; the name in its canonical long form where it is known, the value unfolded and trimmed. */
export type HeaderField = readonly [name: string, value: string];

const CANONICAL = new Map<string, string>();
for (const name of [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Alert-Info',
  'Allow',
  'Allow-Events',
  'Authentication-Info',
  'Authorization',
  'Call-ID',
  'Call-Info',
  'Contact',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'CSeq',
  'Date',
  'Diversion',
  'Error-Info',
  'Event',
  'Expires',
  'From',
  'History-Info',
  'Identity',
  'In-Reply-To',
  'Max-Forwards',
  'MIME-Version',
  'Min-Expires',
  'Min-SE',
  'Organization',
  'P-Asserted-Identity',
  'P-Early-Media',
  'Priority',
  'Privacy',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Require',
  'RAck',
  'Reason',
  'Record-Route',
  'Refer-Sub',
  'Refer-To',
  'Referred-By',
  'Replaces',
  'Reply-To',
  'Require',
  'Retry-After',
  'Route',
  'RSeq',
  'Server',
  'Session-Expires',
  'Subject',
  'Subscription-State',
  'Supported',
  'Timestamp',
  'To',
  'Unsupported',
  'User-Agent',
  'User-to-User',
  'Via',
  'Warning',
  'WWW-Authenticate',
])
  CANONICAL.set(name.toLowerCase(), name);

/** Compact forms (RFC 3261 §20, §7.3.3 and the registry of later RFCs). */
const COMPACT: Readonly<Record<string, string>> = {
  i: 'Call-ID',
  m: 'Contact',
  e: 'Content-Encoding',
  l: 'Content-Length',
  c: 'Content-Type',
  f: 'From',
  s: 'Subject',
  k: 'Supported',
  t: 'To',
  v: 'Via',
  o: 'Event',
  u: 'Allow-Events',
  a: 'Accept-Contact',
  j: 'Reject-Contact',
  d: 'Request-Disposition',
  x: 'Session-Expires',
  r: 'Refer-To',
  b: 'Referred-By',
  y: 'Identity',
};

/** The long, canonical spelling of a header name; unknown names stay as written. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return (lower.length === 1 ? COMPACT[lower] : CANONICAL.get(lower)) ?? name;
}

/** An immutable, ordered list of header fields; look-ups ignore case. Messages have about 15 fields, so a scan beats a map. */
export class Headers implements Iterable<HeaderField> {
  readonly #fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
  }

  /** The first value, or undefined. `name` in canonical spelling is fastest. */
  get(name: string): string | undefined {
    const wanted = canonicalName(name);
    for (const field of this.#fields) if (field[0] === wanted) return field[1];
    return undefined;
  }

  all(name: string): readonly string[] {
    const wanted = canonicalName(name);
    const values: string[] = [];
    for (const field of this.#fields) if (field[0] === wanted) values.push(field[1]);
    return values;
  }

  count(name: string): number {
    let count = 0;
    for (const field of this.#fields) if (field[0] === name) count++;
    return count;
  }

  /** A list with the fields of these names left out and the given ones appended. */
  with(fields: readonly HeaderField[], without: readonly string[] = []): Headers {
    return new Headers([...this.#fields.filter((field) => !without.includes(field[0])), ...fields]);
  }

  /** A list in which the first field of the name has another value. */
  replaceFirst(name: string, value: string): Headers {
    const index = this.#fields.findIndex((field) => field[0] === name);
    return index < 0 ? this : new Headers(this.#fields.with(index, [name, value]));
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }
}
