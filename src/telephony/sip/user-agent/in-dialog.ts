import type { HeaderField } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildResponse } from '../messages/write.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { ALLOW, contactOf } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';

const KNOWN: ReadonlySet<string> = new Set(['REGISTER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'MESSAGE', 'REFER', 'PRACK']);

/** 405 for a method that exists but is not allowed here, 501 for one that nobody knows (RFC 3261 §8.2.1, §21.5.2). */
export function refuseMethod(transaction: ServerTransaction, context: AgentContext): void {
  const status = KNOWN.has(transaction.request.method) ? 405 : 501;
  transaction.respond(
    buildResponse(transaction.request, status, {
      headers: [
        ['Allow', ALLOW],
        ['Server', context.product],
      ],
    }),
  );
}

/** The capabilities that answer OPTIONS (RFC 3261 §11.2). */
export function capabilities(context: AgentContext): readonly HeaderField[] {
  return [
    ['Allow', ALLOW],
    ['Accept', 'application/sdp, application/dtmf-relay, message/sipfrag'],
    ['Accept-Encoding', 'identity'],
    ['Accept-Language', 'en, zh'],
    ['Supported', context.supported],
    ...context.transports.all.slice(0, 1).map(contactOf),
    ['Server', context.product],
  ];
}

/** Answers OPTIONS, INFO and what we do not know inside a dialog; what changes the dialog is the session's own. */
export function answerInDialog(
  transaction: ServerTransaction,
  onDtmf: ((digit: string) => void) | undefined,
  context: AgentContext,
): void {
  const { request } = transaction;
  switch (request.method) {
    case 'OPTIONS':
      transaction.respond(buildResponse(request, 200, { headers: capabilities(context) }));
      return;
    case 'INFO':
      answerInfo(transaction, onDtmf, context);
      return;
    default:
      refuseMethod(transaction, context);
  }
}

function answerInfo(
  transaction: ServerTransaction,
  onDtmf: ((digit: string) => void) | undefined,
  context: AgentContext,
): void {
  const { request } = transaction;
  const server: HeaderField = ['Server', context.product];
  const type = (request.headers.get('Content-Type') ?? '').toLowerCase().split(';', 1)[0]?.trim();
  if (request.body === '') {
    transaction.respond(buildResponse(request, 200, { headers: [server] }));
    return;
  }
  if (type !== 'application/dtmf-relay' && type !== 'application/dtmf') {
    const accept: HeaderField = ['Accept', 'application/dtmf-relay, application/dtmf'];
    transaction.respond(buildResponse(request, 415, { headers: [accept, server] }));
    return;
  }
  transaction.respond(buildResponse(request, 200, { headers: [server] }));
  const digit = dtmfDigit(request, type);
  if (digit !== undefined) onDtmf?.(digit);
}

/** `Signal=5` of application/dtmf-relay or the bare digit of application/dtmf; 10 and 11 stand for * and #. */
function dtmfDigit(request: SipRequest, type: string): string | undefined {
  let signal: string | undefined = request.body.trim();
  if (type === 'application/dtmf-relay') {
    const line = request.body.split('\n', 8).find((text) => text.trim().toLowerCase().startsWith('signal'));
    signal = line?.slice(line.indexOf('=') + 1).trim();
  }
  if (signal === '10') return '*';
  if (signal === '11') return '#';
  return signal !== undefined && /^[0-9A-Da-d*#]$/.test(signal) ? signal.toUpperCase() : undefined;
}
