import { parseCSeq } from './cseq.ts';
import { Headers } from './headers.ts';
import type { HeaderField } from './headers.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import { tagOf } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { reasonPhraseOf } from './status.ts';
import { parseVia } from './via.ts';
import { AppError } from '#platform/error.ts';

/** The bytes of a message; Content-Length is always written (RFC 3261 §7.3, §20.14). */
export function writeMessage(message: SipMessage): Buffer {
  return Buffer.from(messageText(message));
}

/** The same as text, which is what to keep of a message that may be sent again: bytes hold a whole pool of them alive. */
export function messageText(message: SipMessage): string {
  let text =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reasonPhrase}\r\n`;
  text += writeFields(message.headers);
  return `${text}Content-Length: ${Buffer.byteLength(message.body)}\r\n\r\n${message.body}`;
}

function writeFields(headers: Headers): string {
  let text = '';
  for (const field of headers) if (field[0] !== 'Content-Length') text += `${field[0]}: ${onOneLine(field[1])}\r\n`;
  return text;
}

/** A line end inside a value would start a new header field. */
function onOneLine(value: string): string {
  return value.includes('\n') || value.includes('\r') ? value.replace(/[\r\n]+/g, ' ') : value;
}

/** A request from its fields; throws `internal` where our own fields cannot be read back. */
export function buildRequest(method: string, uri: string, fields: readonly HeaderField[], body = ''): SipRequest {
  return { kind: 'request', method, uri, ...core(new Headers(fields), body) };
}

/** What a response adds to the fields it repeats from its request. */
export interface ResponseParts {
  readonly reasonPhrase?: string;
  /** Added to To where the request had none there. */
  readonly toTag?: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: string;
}

/** A response to a request (RFC 3261 §8.2.6): Via, From, To, Call-ID, CSeq and, below 300, Record-Route come from it. */
export function buildResponse(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  const fields: HeaderField[] = [];
  for (const field of request.headers) {
    const name = field[0];
    if (name === 'Via' || name === 'From' || name === 'Call-ID' || name === 'CSeq') fields.push(field);
    else if (name === 'To')
      fields.push(
        parts.toTag === undefined || tagOf(request.to) !== undefined ? field : ['To', `${field[1]};tag=${parts.toTag}`],
      );
    else if (name === 'Record-Route' && status > 100 && status < 300) fields.push(field);
    else if (name === 'Timestamp' && status === 100) fields.push(field);
  }
  if (parts.headers !== undefined) fields.push(...parts.headers);
  const reasonPhrase = parts.reasonPhrase ?? reasonPhraseOf(status);
  return { kind: 'response', status, reasonPhrase, ...core(new Headers(fields), parts.body ?? '') };
}

/** The bytes of a reply to a request that could not be read: repeats what there is of the mandatory fields. */
export function writeRefusal(headers: Headers, status: number, detail: string): Buffer {
  let text = `SIP/2.0 ${status} ${status === 400 ? `Bad Request - ${detail}` : reasonPhraseOf(status)}\r\n`;
  for (const [name, value] of headers)
    if (name === 'Via' || name === 'From' || name === 'To' || name === 'Call-ID' || name === 'CSeq')
      text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}Content-Length: 0\r\n\r\n`);
}

function core(headers: Headers, body: string): Omit<SipRequest, 'kind' | 'method' | 'uri'> {
  const via = parseVia(headers.get('Via') ?? '');
  const from = parseNameAddr(headers.get('From') ?? '');
  const to = parseNameAddr(headers.get('To') ?? '');
  const cseq = parseCSeq(headers.get('CSeq') ?? '');
  const callId = headers.get('Call-ID');
  if (via === undefined || from === undefined || to === undefined || cseq === undefined || callId === undefined)
    throw new AppError('invalid-input', {
      zh: '无法生成 SIP 消息：号码或地址中有不允许的字符。',
      en: 'The SIP message cannot be built: a number or address holds characters that are not allowed.',
    });
  return { headers, via, from, to, callId, cseq, body };
}
