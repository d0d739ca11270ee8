import type { Timer } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import type { NegotiatedMedia } from '../../sdp/media.ts';
import { acceptSequence, confirm, dialogOfResponse, peerOf, refreshTarget } from '../dialogs/dialog.ts';
import type { Dialog } from '../dialogs/dialog.ts';
import { quote } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { buildRequest, buildResponse } from '../messages/write.ts';
import { writeReason } from '../reason.ts';
import type { ClientTransaction } from '../transactions/client.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { TIMEOUT_MS } from '../transactions/timers.ts';
import { ALLOW, cancelOf, contactOf, newTag, newVia, sendAck, sendBye } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import type { AnswerRetransmission } from './answered-session.ts';
import { reasonText, sdpOf } from './call.ts';
import type { CallEnd, HangupReason, OutgoingCall, OutgoingCallHandlers, OutgoingCallRequest } from './call.ts';
import { authorize } from './digest.ts';
import type { NonceCounts } from './digest.ts';
import { answerInDialog } from './in-dialog.ts';
import type { InDialogHost } from './in-dialog.ts';

/** 486, 600, 603 and 607 are a decision of the callee; other refusals are the network's. */
const CALLEE_STATUSES: ReadonlySet<number> = new Set([486, 600, 603, 607]);

/**
 * A call that we place (RFC 3261 §13.2, §9.1, §15).
 *
 *   [calling] -- 1xx --> [ringing] -- 2xx: ACK --> [confirmed] -- BYE either way --> [ended]
 *       |                    |
 *       | hangup: wait       | hangup, ring time-out: CANCEL
 *       v                    v
 *   (a 1xx sends it) --> [cancelling] -- 487 --> [ended]
 *                            +---------- 2xx: ACK, BYE --> [ended]
 *   every other final response, timer B, transport error --> [ended]
 */
export class UacCall implements OutgoingCall, InDialogHost {
  readonly callId: string;
  readonly localTag = newTag();
  localSdp: string | undefined;
  readonly #context: AgentContext;
  readonly #asked: OutgoingCallRequest;
  readonly #handlers: OutgoingCallHandlers;
  readonly #released: () => void;
  readonly #early = new Map<string, Dialog>();
  readonly #earlySdp = new Map<string, string>();
  /** How the ACK of each dialog's 2xx is repeated. */
  readonly #acks = new Map<string, () => void>();
  readonly #nonces: NonceCounts = new Map();
  #authorization: HeaderField | undefined;
  #dialog: Dialog | undefined;
  #invite: SipRequest;
  #transaction: ClientTransaction | undefined;
  #provisional = false;
  #stop: { readonly cause: 'cancelled' | 'ring-timeout'; readonly reason: HangupReason | undefined } | undefined;
  #cancelSent = false;
  #ended = false;
  #ringTimer: Timer | undefined;
  #cancelTimer: Timer | undefined;
  #reanswer: AnswerRetransmission | undefined;

  /** Throws `invalid-input` for a target or caller that makes no request; nothing has been sent then. */
  constructor(
    context: AgentContext,
    request: OutgoingCallRequest,
    handlers: OutgoingCallHandlers,
    released: () => void,
  ) {
    this.#context = context;
    this.#asked = request;
    this.#handlers = handlers;
    this.#released = released;
    this.callId = request.callId;
    this.localSdp = request.sdp;
    this.#invite = this.#buildInvite(1);
    if (peerOf(request.target) === undefined)
      throw new AppError('invalid-input', {
        zh: '被叫地址不是有效的 SIP URI。',
        en: 'The target is not a valid SIP URI.',
      });
  }

  get confirmed(): boolean {
    return this.#dialog !== undefined;
  }

  get offerPending(): boolean {
    return this.#dialog === undefined || this.#reanswer?.running === true;
  }

  /** Sends the INVITE. */
  start(): void {
    this.#ringTimer = this.#context.clock.setTimer(this.#asked.ringTimeoutMs, () =>
      this.#cancel('ring-timeout', { protocol: 'Q.850', cause: 19, text: 'No answer from user' }),
    );
    this.#send();
  }

  hangup(reason?: HangupReason): void {
    if (this.#ended) return;
    if (this.#dialog === undefined) this.#cancel('cancelled', reason);
    else this.#bye({ by: 'platform', cause: 'bye', reason, detail: 'hung up by us' });
  }

  /** Ends without waiting for the peer any longer: the user agent closes. */
  abandon(): void {
    this.#end({ by: 'platform', cause: this.#stop?.cause ?? 'cancelled', detail: 'user agent closed' });
    this.#reanswer?.stop();
    this.#released();
  }

  /** A request inside one of this call's dialogs. */
  onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    const remoteTag = tagOf(request.from) ?? '';
    const known = this.#dialog?.remoteTag === remoteTag ? this.#dialog : this.#early.get(remoteTag);
    if (known === undefined) return transaction.respond(buildResponse(request, 481));
    const next = acceptSequence(known, request.cseq.sequence);
    if (next === undefined)
      return transaction.respond(buildResponse(request, 500, { headers: [['Retry-After', '1']] }));
    const refreshes = request.method === 'INVITE' || request.method === 'UPDATE';
    this.#keep(refreshes ? refreshTarget(next, request) : next);
    if (request.method !== 'BYE') return answerInDialog(transaction, this, this.#context);
    transaction.respond(buildResponse(request, 200, { headers: [['Server', this.#context.product]] }));
    this.#end({ by: 'callee', cause: 'bye', reason: reasonText(request.headers), detail: 'BYE received' });
    this.#release();
  }

  onAck(request: SipRequest): void {
    if (this.#reanswer?.sequence === request.cseq.sequence) this.#reanswer.stop();
  }

  onDtmf(digit: string): void {
    this.#handlers.onDtmf?.(digit);
  }

  onMediaChanged(media: NegotiatedMedia): void {
    this.#handlers.onMediaChanged?.(media);
  }

  onReanswered(answer: AnswerRetransmission): void {
    this.#reanswer?.stop();
    this.#reanswer = answer;
  }

  onUnacknowledged(): void {
    if (!this.#ended)
      this.#bye({ by: 'network', cause: 'ack-timeout', reason: undefined, detail: 're-INVITE never acknowledged' });
  }

  #buildInvite(sequence: number): SipRequest {
    const { transport, product } = this.#context;
    const { target, from, displayName, callId, headers, sdp } = this.#asked;
    const fields: HeaderField[] = [
      ['Via', newVia(transport)],
      ['Max-Forwards', '70'],
      ['From', `${displayName === undefined ? '' : `${quote(displayName)} `}<${from}>;tag=${this.localTag}`],
      ['To', `<${target}>`],
      ['Call-ID', callId],
      ['CSeq', `${sequence} INVITE`],
      contactOf(transport),
      ['Allow', ALLOW],
      ['Supported', ''],
      ['User-Agent', product],
      ...(headers ?? []),
      ...(this.#authorization === undefined ? [] : [this.#authorization]),
      ['Content-Type', 'application/sdp'],
    ];
    return buildRequest('INVITE', target, fields, sdp);
  }

  #send(): void {
    const peer = peerOf(this.#asked.target);
    if (peer === undefined) return;
    this.#provisional = false;
    this.#transaction = this.#context.layer.request(this.#invite, peer, {
      onResponse: (response) => this.#onResponse(response),
      onTimeout: () => {
        const stop = this.#stop?.cause === 'cancelled' ? this.#stop : undefined;
        if (stop === undefined) this.#end({ by: 'network', cause: 'no-response', detail: 'timer B' });
        else this.#end({ by: 'platform', cause: 'cancelled', detail: 'cancelled, nobody responded' });
        this.#release();
      },
      onTransportError: (error) => {
        this.#end({ by: 'network', cause: 'transport', detail: error.message });
        this.#release();
      },
    });
  }

  #onResponse(response: SipResponse): void {
    const { status } = response;
    if (status < 200) this.#onProvisional(response);
    else if (status < 300) this.#onSuccess(response);
    else if (!this.#retryWithCredentials(response)) this.#onFailure(response);
  }

  #onProvisional(response: SipResponse): void {
    this.#provisional = true;
    if (this.#stop !== undefined && !this.#cancelSent) this.#sendCancel();
    if (this.#ended || this.#dialog !== undefined) return;
    const dialog = response.status > 100 ? dialogOfResponse(this.#invite, response) : undefined;
    const sdp = sdpOf(response);
    if (dialog !== undefined) {
      if (!this.#early.has(dialog.remoteTag)) this.#early.set(dialog.remoteTag, dialog);
      if (sdp !== undefined) this.#earlySdp.set(dialog.remoteTag, sdp);
    }
    if (this.#stop !== undefined) return;
    const { status, reasonPhrase } = response;
    this.#handlers.onProgress({ status, reasonPhrase, sdp, reason: reasonText(response.headers) });
  }

  #onSuccess(response: SipResponse): void {
    const remoteTag = tagOf(response.to) ?? '';
    const again = this.#acks.get(remoteTag);
    if (again !== undefined) return again();
    const early = this.#early.get(remoteTag);
    const dialog = early === undefined ? dialogOfResponse(this.#invite, response) : confirm(early, response);
    if (dialog === undefined) return;
    const extra = this.#authorization === undefined ? [] : [this.#authorization];
    this.#acks.set(remoteTag, sendAck(this.#context, dialog, this.#invite.cseq.sequence, extra));
    if (this.#dialog !== undefined || this.#ended) {
      // Another fork answered too, or the answer came after we gave up (§13.2.2.4).
      sendBye(this.#context, dialog, []);
      return;
    }
    this.#keepConfirmed(dialog);
    if (this.#stop !== undefined) {
      const { cause, reason } = this.#stop;
      this.#bye({ by: 'platform', cause, reason, detail: 'answered while being cancelled' });
      return;
    }
    const sdp = sdpOf(response) ?? this.#earlySdp.get(remoteTag);
    this.#earlySdp.clear();
    if (sdp === undefined)
      this.#bye({ by: 'platform', cause: 'protocol', reason: undefined, detail: 'answer without SDP' });
    else this.#handlers.onAnswered({ sdp, headers: response.headers });
  }

  #onFailure(response: SipResponse): void {
    const { status, reasonPhrase, headers } = response;
    const reason = reasonText(headers);
    if (this.#stop !== undefined)
      this.#end({ by: 'platform', cause: this.#stop.cause, status, reasonPhrase, reason, detail: 'cancelled' });
    else {
      const by = CALLEE_STATUSES.has(status) ? 'callee' : 'network';
      const detail =
        status < 400
          ? `redirected to ${headers.get('Contact') === undefined ? 'nowhere' : 'another address'}`
          : 'refused';
      this.#end({ by, cause: 'rejected', status, reasonPhrase, reason, detail });
    }
    this.#release();
  }

  #retryWithCredentials(response: SipResponse): boolean {
    const { credentials, target } = this.#asked;
    if ((response.status !== 401 && response.status !== 407) || credentials === undefined || this.#stop !== undefined)
      return false;
    const authorization = authorize(response, { method: 'INVITE', uri: target }, credentials, this.#nonces);
    if (authorization === undefined) return false;
    this.#authorization = authorization;
    this.#early.clear();
    this.#invite = this.#buildInvite(this.#invite.cseq.sequence + 1);
    this.#send();
    return true;
  }

  #cancel(cause: 'cancelled' | 'ring-timeout', reason: HangupReason | undefined): void {
    if (this.#ended || this.#dialog !== undefined || this.#stop !== undefined) return;
    this.#stop = { cause, reason };
    this.#ringTimer?.cancel();
    if (this.#provisional) this.#sendCancel();
  }

  #sendCancel(): void {
    this.#cancelSent = true;
    const headers: HeaderField[] = [
      ...(this.#stop?.reason === undefined ? [] : [['Reason', writeReason(this.#stop.reason)] as const]),
      ['User-Agent', this.#context.product],
    ];
    const transaction = this.#transaction;
    if (transaction === undefined) return;
    const request = buildRequest('CANCEL', this.#invite.uri, cancelOf(this.#invite, headers));
    this.#context.layer.request(request, transaction.to, {
      onResponse: () => undefined,
      onTimeout: () => undefined,
      onTransportError: () => undefined,
    });
    this.#cancelTimer = this.#context.clock.setTimer(TIMEOUT_MS, () => {
      transaction.abandon();
      this.#end({ by: 'platform', cause: this.#stop?.cause ?? 'cancelled', detail: 'no final response after CANCEL' });
      this.#release();
    });
  }

  #bye(end: Pick<CallEnd, 'by' | 'cause' | 'detail'> & { readonly reason: HangupReason | undefined }): void {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#ended) return;
    const headers: HeaderField[] = end.reason === undefined ? [] : [['Reason', writeReason(end.reason)]];
    const done = (): void => this.#release();
    sendBye(this.#context, dialog, headers, {
      onResponse: (response) => response.status >= 200 && done(),
      onTimeout: done,
      onTransportError: done,
    });
    this.#end({ by: end.by, cause: end.cause, detail: end.detail });
  }

  #keep(dialog: Dialog): void {
    if (this.#dialog?.remoteTag === dialog.remoteTag) this.#dialog = dialog;
    else this.#early.set(dialog.remoteTag, dialog);
  }

  #keepConfirmed(dialog: Dialog): void {
    this.#dialog = dialog;
    this.#early.clear();
    this.#stopTimers();
  }

  #stopTimers(): void {
    this.#ringTimer?.cancel();
    this.#cancelTimer?.cancel();
  }

  #end(end: Pick<CallEnd, 'by' | 'cause' | 'detail'> & Partial<CallEnd>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimers();
    this.#handlers.onEnded({ status: undefined, reasonPhrase: '', reason: undefined, ...end });
  }

  #release(): void {
    this.#reanswer?.stop();
    this.#released();
  }
}
