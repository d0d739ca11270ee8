import type { HeaderField } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildResponse } from '../messages/write.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { ALLOW, contactOf } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { AnswerRetransmission, renegotiate } from './answered-session.ts';
import { sdpOf } from './call.ts';
import type { NegotiatedMedia } from '../../sdp/media.ts';

/** What a call lends to the requests that come inside it. */
export interface InDialogHost {
  /** Our description of the session as the peer knows it; undefined before there is one. */
  localSdp: string | undefined;
  /** Whether an offer of ours, or one that we have not answered, is pending (RFC 3261 §14.2, RFC 3311 §5.2). */
  readonly offerPending: boolean;
  readonly confirmed: boolean;
  readonly onDtmf: ((digit: string) => void) | undefined;
  readonly onMediaChanged: ((media: NegotiatedMedia) => void) | undefined;
  /** A 2xx that the peer must acknowledge has been sent. */
  onReanswered(answer: AnswerRetransmission): void;
  /** The peer never acknowledged the 2xx to its re-INVITE. */
  onUnacknowledged(): void;
}

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
    ['Accept', 'application/sdp, application/dtmf-relay'],
    ['Accept-Encoding', 'identity'],
    ['Accept-Language', 'en, zh'],
    ['Supported', ''],
    contactOf(context.transport),
    ['Server', context.product],
  ];
}

/** Answers OPTIONS, INFO, UPDATE, re-INVITE and what we do not know inside a dialog; BYE is the call's own. */
export function answerInDialog(transaction: ServerTransaction, host: InDialogHost, context: AgentContext): void {
  const { request } = transaction;
  switch (request.method) {
    case 'OPTIONS':
      transaction.respond(buildResponse(request, 200, { headers: capabilities(context) }));
      return;
    case 'INFO':
      answerInfo(transaction, host, context);
      return;
    case 'INVITE':
    case 'UPDATE':
      answerOffer(transaction, host, context);
      return;
    default:
      refuseMethod(transaction, context);
  }
}

function answerInfo(transaction: ServerTransaction, host: InDialogHost, context: AgentContext): void {
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
  if (digit !== undefined) host.onDtmf?.(digit);
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

function answerOffer(transaction: ServerTransaction, host: InDialogHost, context: AgentContext): void {
  const { request } = transaction;
  const server: HeaderField = ['Server', context.product];
  const offer = sdpOf(request);
  const refuse = (status: number, headers: readonly HeaderField[] = []): void =>
    transaction.respond(buildResponse(request, status, { headers: [...headers, server] }));
  if (request.method === 'UPDATE' && request.body === '') {
    transaction.respond(
      buildResponse(request, 200, { headers: [contactOf(context.transport), ['Allow', ALLOW], server] }),
    );
    return;
  }
  if (request.body !== '' && offer === undefined) return refuse(415, [['Accept', 'application/sdp']]);
  if (host.offerPending || (request.method === 'INVITE' && !host.confirmed)) return refuse(491);
  if (host.localSdp === undefined) return refuse(500, [['Retry-After', '3']]);
  const result = renegotiate(host.localSdp, offer);
  if (!result.ok) return refuse(result.status, [['Warning', `399 waihu "${result.detail}"`]]);
  host.localSdp = result.sdp;
  const response = buildResponse(request, 200, {
    headers: [contactOf(context.transport), ['Allow', ALLOW], ['Content-Type', 'application/sdp'], server],
    body: result.sdp,
  });
  if (request.method === 'UPDATE') transaction.respond(response);
  else host.onReanswered(new AnswerRetransmission(context, transaction, response, () => host.onUnacknowledged()));
  if (result.media !== undefined) host.onMediaChanged?.(result.media);
}
