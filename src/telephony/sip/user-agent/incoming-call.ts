import type { NegotiatedMedia } from '../../sdp/media.ts';
import { acceptSequence, dialogOfRequest, refreshTarget } from '../dialogs/dialog.ts';
import type { Dialog } from '../dialogs/dialog.ts';
import type { HeaderField, Headers } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildResponse } from '../messages/write.ts';
import { writeReason } from '../reason.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { ALLOW, contactOf, newTag, sendBye } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { AnswerRetransmission } from './answered-session.ts';
import { reasonText, sdpOf } from './call.ts';
import type { CallEnd, HangupReason, IncomingCall } from './call.ts';
import { answerInDialog } from './in-dialog.ts';
import type { InDialogHost } from './in-dialog.ts';

/** A provisional response is repeated this often so that proxies keep the transaction (RFC 3261 §13.3.1.1). */
const REPEAT_PROGRESS_MS = 60_000;

/**
 * A call that came in (RFC 3261 §13.3, §15).
 *
 *   [ringing] -- answer: 200, repeated --> [answered] -- ACK --> [acknowledged] -- BYE either way --> [ended]
 *       |                                      |  64·T1: BYE -------------------------------------------^
 *       +-- reject: 3xx–6xx; CANCEL: 487 ---------------------------------------------------------------^
 */
export class UasCall implements IncomingCall, InDialogHost {
  readonly callId: string;
  readonly requestUri: string;
  readonly from: string;
  readonly to: string;
  readonly sdp: string;
  readonly headers: Headers;
  readonly localTag = newTag();
  onEnded: ((end: CallEnd) => void) | undefined;
  onAcknowledged: (() => void) | undefined;
  onDtmf: ((digit: string) => void) | undefined;
  onMediaChanged: ((media: NegotiatedMedia) => void) | undefined;
  localSdp: string | undefined;
  readonly #context: AgentContext;
  readonly #transaction: ServerTransaction;
  readonly #released: () => void;
  #dialog: Dialog;
  #answer: AnswerRetransmission | undefined;
  #reanswer: AnswerRetransmission | undefined;
  #stopProgress: (() => void) | undefined;
  #byeAfterAck: (() => void) | undefined;
  #ended = false;
  #gone = false;

  constructor(context: AgentContext, transaction: ServerTransaction, released: () => void) {
    const { request } = transaction;
    this.#context = context;
    this.#transaction = transaction;
    this.#released = released;
    this.#dialog = dialogOfRequest(request, this.localTag);
    this.callId = request.callId;
    this.requestUri = request.uri;
    this.from = request.from.uri;
    this.to = request.to.uri;
    this.sdp = sdpOf(request) ?? '';
    this.headers = request.headers;
  }

  get confirmed(): boolean {
    return this.#answer !== undefined;
  }

  get offerPending(): boolean {
    return this.#answer === undefined || this.#answer.running || this.#reanswer?.running === true;
  }

  progress(status: 180 | 181 | 182 | 183, options: { readonly sdp?: string; readonly reason?: string } = {}): void {
    if (this.#ended || this.#answer !== undefined) return;
    const response = buildResponse(this.#transaction.request, status, {
      toTag: this.localTag,
      headers: this.#headers(options.sdp, options.reason),
      ...(options.sdp === undefined ? {} : { body: options.sdp }),
    });
    this.#stopProgress?.();
    const send = (): void => {
      this.#transaction.respond(response);
      const timer = this.#context.clock.setTimer(REPEAT_PROGRESS_MS, send);
      this.#stopProgress = () => timer.cancel();
    };
    send();
  }

  answer(sdp: string): void {
    if (this.#ended || this.#answer !== undefined) return;
    this.#stopProgress?.();
    this.localSdp = sdp;
    this.#dialog = { ...this.#dialog, confirmed: true };
    const response = buildResponse(this.#transaction.request, 200, {
      toTag: this.localTag,
      headers: this.#headers(sdp),
      body: sdp,
    });
    this.#answer = new AnswerRetransmission(this.#context, this.#transaction, response, () => this.onUnacknowledged());
  }

  reject(status: number, reasonPhrase?: string, headers: readonly HeaderField[] = []): void {
    if (this.#ended || this.#answer !== undefined) return;
    this.#refuse(status, reasonPhrase, headers);
    this.#end({ by: 'platform', cause: 'rejected', status, reasonPhrase: reasonPhrase ?? '', detail: 'refused by us' });
    this.#release();
  }

  hangup(reason?: HangupReason): void {
    if (this.#ended) return;
    const headers: HeaderField[] = reason === undefined ? [] : [['Reason', writeReason(reason)]];
    if (this.#answer === undefined) return this.reject(480, undefined, headers);
    // No BYE before the ACK (§15).
    if (this.#answer.running) this.#byeAfterAck = () => this.#bye(headers);
    else this.#bye(headers);
    this.#end({ by: 'platform', cause: 'bye', reason: undefined, detail: 'hung up by us' });
  }

  /** Ends without waiting for the peer any longer: the user agent closes. */
  abandon(): void {
    this.#byeAfterAck?.();
    this.#end({ by: 'platform', cause: 'cancelled', detail: 'user agent closed' });
    this.#release();
  }

  /** The caller took its INVITE back. */
  onCancel(cancel: SipRequest): void {
    if (this.#ended || this.#answer !== undefined) return;
    this.#refuse(487);
    this.#end({
      by: 'callee',
      cause: 'cancelled',
      status: 487,
      reason: reasonText(cancel.headers),
      detail: 'CANCEL received',
    });
    this.#release();
  }

  /** A request inside the dialog. */
  onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    if ((tagOf(request.from) ?? '') !== this.#dialog.remoteTag) return transaction.respond(buildResponse(request, 481));
    const next = acceptSequence(this.#dialog, request.cseq.sequence);
    if (next === undefined)
      return transaction.respond(buildResponse(request, 500, { headers: [['Retry-After', '1']] }));
    const refreshes = request.method === 'INVITE' || request.method === 'UPDATE';
    this.#dialog = refreshes ? refreshTarget(next, request) : next;
    if (request.method !== 'BYE') {
      answerInDialog(transaction, this, this.#context);
      return;
    }
    transaction.respond(buildResponse(request, 200, { headers: [['Server', this.#context.product]] }));
    if (this.#answer === undefined) this.#refuse(487);
    this.#end({ by: 'callee', cause: 'bye', reason: reasonText(request.headers), detail: 'BYE received' });
    this.#release();
  }

  onAck(request: SipRequest): void {
    if (this.#reanswer?.sequence === request.cseq.sequence) this.#reanswer.stop();
    if (this.#answer?.sequence !== request.cseq.sequence || !this.#answer.running) return;
    this.#answer.stop();
    const bye = this.#byeAfterAck;
    this.#byeAfterAck = undefined;
    if (bye === undefined) this.onAcknowledged?.();
    else bye();
  }

  onUnacknowledged(): void {
    this.#byeAfterAck = undefined;
    this.#bye([['Reason', writeReason({ protocol: 'SIP', cause: 408, text: 'ACK missing' })]]);
    this.#end({ by: 'network', cause: 'ack-timeout', detail: '2xx never acknowledged' });
  }

  onReanswered(answer: AnswerRetransmission): void {
    this.#reanswer?.stop();
    this.#reanswer = answer;
  }

  #headers(sdp: string | undefined, reason?: string): readonly HeaderField[] {
    const fields: HeaderField[] = [
      contactOf(this.#context.transport),
      ['Allow', ALLOW],
      ['Server', this.#context.product],
    ];
    if (reason !== undefined) fields.push(['Reason', reason]);
    if (sdp !== undefined) fields.push(['Content-Type', 'application/sdp']);
    return fields;
  }

  #refuse(status: number, reasonPhrase?: string, headers: readonly HeaderField[] = []): void {
    const response = buildResponse(this.#transaction.request, status, {
      toTag: this.localTag,
      ...(reasonPhrase === undefined ? {} : { reasonPhrase }),
      headers: [...headers, ['Server', this.#context.product]],
    });
    this.#transaction.respond(response);
  }

  #bye(headers: readonly HeaderField[]): void {
    const done = (): void => this.#release();
    sendBye(this.#context, this.#dialog, headers, {
      onResponse: (response) => response.status >= 200 && done(),
      onTimeout: done,
      onTransportError: done,
    });
  }

  #end(end: Pick<CallEnd, 'by' | 'cause' | 'detail'> & Partial<CallEnd>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopProgress?.();
    this.onEnded?.({ status: undefined, reasonPhrase: '', reason: undefined, ...end });
  }

  #release(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#answer?.stop();
    this.#reanswer?.stop();
    this.#released();
  }
}
