import { parseCSeq } from './cseq.ts';
import { isToken, parseDecimal, splitOutside } from './grammar.ts';
import { canonicalName, Headers } from './headers.ts';
import type { HeaderField } from './headers.ts';
import type { MessageCore, SipMessage, SipRequest } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { parseSipUri, uriScheme } from './uri.ts';
import { BRANCH_COOKIE, parseVia } from './via.ts';

/**
 * What became of a datagram. A refused request that has a readable Via carries what a stateless reply needs
 * (RFC 3261 §16.3, §8.2); everything else is dropped.
 */
export type ParseResult =
  | { readonly ok: true; readonly message: SipMessage }
  | { readonly ok: false; readonly detail: string; readonly refusal: Refusal | undefined };

/** A request that is answered without state: its status and the header fields that the reply repeats. */
export interface Refusal {
  readonly status: 400 | 505;
  readonly headers: Headers;
}

const MAX_FIELDS = 256;
const SINGLE = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length', 'Content-Type'] as const;
const SPLIT: ReadonlySet<string> = new Set(['Via', 'Route', 'Record-Route', 'Contact']);

type StartLine =
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly uri: string;
      readonly problem: string | undefined;
      readonly status: 400 | 505;
    }
  | { readonly kind: 'response'; readonly status: number; readonly reasonPhrase: string };

/** Reads one datagram (RFC 3261 §7, §18.3). Never throws. */
export function parseMessage(datagram: Uint8Array): ParseResult {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  let start = 0;
  // Empty lines before the start-line are skipped (§7.5).
  while (start < bytes.length && (bytes[start] === 13 || bytes[start] === 10)) start++;
  const blank = bytes.indexOf('\r\n\r\n', start, 'latin1');
  const headEnd = blank < 0 ? bytes.length : blank;
  const lines = unfold(bytes.toString('utf8', start, headEnd));
  const startLine = lines[0] === undefined ? undefined : parseStartLine(lines[0]);
  if (startLine === undefined) return drop('start-line is not SIP');
  const read = readFields(lines);
  if (typeof read === 'string') return drop(read);
  const refuse = (detail: string, status: 400 | 505 = 400): ParseResult =>
    startLine.kind === 'response' || !isAnswerable(read.headers.get('Via') ?? '')
      ? drop(detail)
      : { ok: false, detail, refusal: { status, headers: read.headers } };
  if (startLine.kind === 'request' && startLine.problem !== undefined)
    return refuse(startLine.problem, startLine.status);
  if (blank < 0) return refuse('no empty line behind the header');
  if (read.problem !== undefined) return refuse(read.problem);
  const body = readBody(read.headers, bytes, blank + 4);
  if (body === undefined) return refuse('Content-Length does not fit');
  const core = readCore(read.headers, body);
  if (typeof core === 'string') return refuse(core);
  if (startLine.kind === 'response')
    return {
      ok: true,
      message: { kind: 'response', status: startLine.status, reasonPhrase: startLine.reasonPhrase, ...core },
    };
  const message: SipRequest = { kind: 'request', method: startLine.method, uri: startLine.uri, ...core };
  const problem = requestProblem(message);
  return problem === undefined ? { ok: true, message } : refuse(problem);
}

/** Whether a topmost Via says enough for a reply: transport and sent-by, whatever its parameters are (RFC 4475 §3.1.2.1). */
function isAnswerable(via: string): boolean {
  const semicolon = via.indexOf(';');
  return parseVia(semicolon < 0 ? via : via.slice(0, semicolon)) !== undefined;
}

function drop(detail: string): ParseResult {
  return { ok: false, detail, refusal: undefined };
}

/** Lines of the header with continuation lines joined (§7.3.1). A bare LF ends a line too. */
function unfold(head: string): readonly string[] {
  const lines: string[] = [];
  let from = 0;
  while (from <= head.length && lines.length <= MAX_FIELDS) {
    const feed = head.indexOf('\n', from);
    const end = feed < 0 ? head.length : feed;
    const line = head.slice(from, end > from && head.charCodeAt(end - 1) === 13 ? end - 1 : end);
    const first = line.charCodeAt(0);
    if ((first === 0x20 || first === 0x09) && lines.length > 1) lines.push(`${lines.pop()} ${line.trim()}`);
    else lines.push(line);
    from = end + 1;
  }
  return lines;
}

function parseStartLine(line: string): StartLine | undefined {
  if (line.startsWith('SIP/')) {
    if (!line.startsWith('SIP/2.0 ')) return undefined;
    const status = parseDecimal(line.slice(8, 11), 3);
    const behind = line.charCodeAt(11);
    if (status === undefined || status < 100 || status > 699 || (line.length > 11 && behind !== 0x20)) return undefined;
    return { kind: 'response', status, reasonPhrase: line.slice(12).trim() };
  }
  const parts = line.split(' ', 8);
  const version = parts.find((part, index) => index > 0 && /^SIP\/\d{1,4}\.\d{1,4}$/i.test(part));
  const method = parts[0] ?? '';
  if (version === undefined || !isToken(method)) return undefined;
  const uri = parts[1] ?? '';
  const wrong = (problem: string, status: 400 | 505 = 400): StartLine => ({
    kind: 'request',
    method,
    uri,
    problem,
    status,
  });
  if (parts.length !== 3) return wrong('request-line has extra spaces');
  if (version.toUpperCase() !== 'SIP/2.0') return wrong('version not supported', 505);
  const scheme = uriScheme(uri);
  if (scheme === undefined) return wrong('Request-URI is malformed');
  if (scheme === 'sip' || scheme === 'sips') {
    const parsed = parseSipUri(uri);
    if (parsed === undefined || parsed.headers !== undefined) return wrong('Request-URI is malformed');
  }
  return { kind: 'request', method, uri, problem: undefined, status: 400 };
}

function readFields(
  lines: readonly string[],
): { readonly headers: Headers; readonly problem: string | undefined } | string {
  if (lines.length > MAX_FIELDS) return 'too many header fields';
  const fields: HeaderField[] = [];
  let problem: string | undefined;
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    const colon = line.indexOf(':');
    const name = colon < 0 ? '' : line.slice(0, colon).trimEnd();
    if (!isToken(name)) {
      problem ??= 'header field is malformed';
      continue;
    }
    const canonical = canonicalName(name);
    const value = line.slice(colon + 1).trim();
    if (SPLIT.has(canonical) && value.includes(',')) {
      const values = splitOutside(value, ',');
      if (values === undefined) problem ??= `${canonical} is malformed`;
      for (const part of values ?? []) fields.push([canonical, part]);
    } else fields.push([canonical, value]);
    if (fields.length > MAX_FIELDS) return 'too many header fields';
  }
  return { headers: new Headers(fields), problem };
}

/** Content-Length over a datagram: absent means to the end, more than there is is an error, the rest is ignored (§18.3). */
function readBody(headers: Headers, bytes: Buffer, from: number): string | undefined {
  const text = headers.get('Content-Length');
  if (text === undefined) return bytes.toString('utf8', from);
  const length = parseDecimal(text, 8);
  if (length === undefined || from + length > bytes.length) return undefined;
  return bytes.toString('utf8', from, from + length);
}

/** The mandatory fields, or what is wrong with them. */
function readCore(headers: Headers, body: string): MessageCore | string {
  for (const name of SINGLE) if (headers.count(name) > 1) return `more than one ${name}`;
  const via = parseVia(headers.get('Via') ?? '');
  if (via === undefined) return 'Via is missing or malformed';
  const from = parseNameAddr(headers.get('From') ?? '');
  if (from === undefined) return 'From is missing or malformed';
  const to = parseNameAddr(headers.get('To') ?? '');
  if (to === undefined) return 'To is missing or malformed';
  const callId = headers.get('Call-ID') ?? '';
  if (!isWord(callId)) return 'Call-ID is missing or malformed';
  const cseq = parseCSeq(headers.get('CSeq') ?? '');
  if (cseq === undefined) return 'CSeq is missing or malformed';
  return { headers, via, from, to, callId, cseq, body };
}

/** What a Call-ID may hold (§25.1 callid, and what else is printable): no space, line end or other control character. */
function isWord(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code === 0x7f) return false;
  }
  return text !== '';
}

function requestProblem(request: SipRequest): string | undefined {
  if (request.cseq.method !== request.method) return 'CSeq names another method';
  if (request.via.params.get('branch') === BRANCH_COOKIE) return 'branch is empty';
  const maxForwards = request.headers.get('Max-Forwards');
  if (maxForwards !== undefined && (parseDecimal(maxForwards, 4) ?? 256) > 255) return 'Max-Forwards is out of range';
  for (const contact of request.headers.all('Contact'))
    if (contact !== '*' && parseNameAddr(contact) === undefined) return 'Contact is malformed';
  return undefined;
}
