import type { LocalMedia, NegotiatedMedia } from '../../sdp/media.ts';
import { dialogOfRequest } from '../dialogs/dialog.ts';
import type { HeaderField, Headers } from '../messages/headers.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildResponse } from '../messages/write.ts';
import { writeReason } from '../reason.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import type { Peer } from '../transport/transport.ts';
import { ALLOW, contactOf, newTag } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { AnswerRetransmission } from './answer-retransmission.ts';
import { reasonText, replaceableOf, sdpOf, transferTarget } from './call.ts';
import type {
  CallEnd,
  HangupReason,
  IncomingCall,
  SessionControl,
  TransferRequest,
  TransferOptions,
  TransferResult,
} from './call.ts';
import { DigestClient } from './digest.ts';
import { CallSession } from './session.ts';
import { SessionMedia } from './session-media.ts';
import type { InfoResult } from './info.ts';
import type { Negotiated } from './session-media.ts';
import { answerInterval } from './session-timer.ts';

/** A provisional response is repeated this often so that proxies keep the transaction (RFC 3261 §13.3.1.1). */
const REPEAT_PROGRESS_MS = 60_000;

/**
 * A call that came in (RFC 3261 §13.3, §15).
 *
 *   [ringing] -- answer: 200, repeated --> [answered] -- ACK --> [acknowledged] -- BYE either way --> [ended]
 *       |                                      |  64·T1: BYE -------------------------------------------^
 *       +-- reject: 3xx–6xx; CANCEL: 487 ---------------------------------------------------------------^
 */
export class UasCall implements IncomingCall {
  readonly callId: string;
  readonly source: Peer;
  readonly requestUri: string;
  readonly from: string;
  readonly to: string;
  readonly sdp: string;
  readonly headers: Headers;
  readonly localTag = newTag();
  readonly replaces: (SessionControl & { hangup(reason?: HangupReason): void }) | undefined;
  onEnded: ((end: CallEnd) => void) | undefined;
  onAcknowledged: ((answer: string | undefined) => void) | undefined;
  onTransferRequested: ((request: TransferRequest) => void) | undefined;
  onDtmf: ((digit: string) => void) | undefined;
  onMediaChanged: ((media: NegotiatedMedia) => void) | undefined;
  readonly #context: AgentContext;
  readonly #transaction: ServerTransaction;
  readonly #released: () => void;
  readonly #contact: HeaderField;
  readonly #session: CallSession;
  #answer: AnswerRetransmission | undefined;
  #stopProgress: (() => void) | undefined;
  #byeAfterAck: (() => void) | undefined;
  #ended = false;
  #gone = false;

  constructor(
    context: AgentContext,
    transaction: ServerTransaction,
    released: () => void,
    replaces?: SessionControl & { hangup(reason?: HangupReason): void },
  ) {
    const { request } = transaction;
    this.#context = context;
    this.#transaction = transaction;
    this.#released = released;
    this.replaces = replaces;
    this.callId = request.callId;
    this.source = transaction.source;
    this.requestUri = request.uri;
    this.from = request.from.uri;
    this.to = request.to.uri;
    this.sdp = sdpOf(request) ?? '';
    this.headers = request.headers;
    this.#contact = contactOf(context.transports.choose(transaction.source));
    this.#session = new CallSession(context, {
      dialog: dialogOfRequest(request, this.localTag),
      owner: false,
      contact: this.#contact,
      media: new SessionMedia(undefined, this.sdp === '' ? undefined : 'theirs'),
      digest: new DigestClient(undefined),
      hooks: {
        unacknowledged: () => this.#answer?.running === true,
        onDtmf: (digit) => this.onDtmf?.(digit),
        onMediaChanged: (media) => this.onMediaChanged?.(media),
        onTransferRequested: (refer) => {
          if (this.onTransferRequested === undefined) refer.reject(603);
          else this.onTransferRequested(refer);
        },
        onEnded: (end) => {
          if (this.#answer === undefined) this.#refuse(487);
          this.#end(end);
        },
        onReleased: () => this.#release(),
      },
    });
  }

  hold(): Promise<Negotiated> {
    return this.change({ direction: 'sendonly' });
  }

  resume(): Promise<Negotiated> {
    return this.change({ direction: 'sendrecv' });
  }

  change(media: Partial<LocalMedia>): Promise<Negotiated> {
    return this.#session.change(media);
  }

  transfer(to: string | { readonly replacing: SessionControl }, options?: TransferOptions): Promise<TransferResult> {
    return transferTarget(this.#session, to, options);
  }

  sendDigit(digit: string): Promise<InfoResult> {
    return this.#session.sendDigit(digit);
  }

  get replaceable(): SessionControl['replaceable'] {
    return replaceableOf(this.#session.dialog);
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

  answer(sdp: string, ready?: LocalMedia): void {
    if (this.#ended || this.#answer !== undefined) return;
    this.#stopProgress?.();
    const { media } = this.#session;
    media.describe(sdp, this.sdp === '' ? 'ours' : undefined, ready);
    const { headers } = this.#transaction.request;
    const interval = answerInterval(headers);
    this.#session.established(headers, interval.ok ? interval.interval : undefined);
    const response = buildResponse(this.#transaction.request, 200, {
      toTag: this.localTag,
      headers: [...this.#headers(sdp), ['Supported', this.#context.supported], ...interval.headers],
      body: sdp,
    });
    this.#answer = new AnswerRetransmission(this.#context, this.#transaction, response, () => this.#onUnacknowledged());
    this.replaces?.hangup();
  }

  reject(status: number, reasonPhrase?: string, headers: readonly HeaderField[] = []): void {
    if (this.#ended || this.#answer !== undefined) return;
    this.#refuse(status, reasonPhrase, headers);
    this.#end({ by: 'platform', cause: 'rejected', status, reasonPhrase: reasonPhrase ?? '', detail: 'refused by us' });
    this.#release();
  }

  hangup(reason?: HangupReason): void {
    if (this.#ended) return;
    if (this.#answer === undefined)
      return this.reject(480, undefined, reason === undefined ? [] : [['Reason', writeReason(reason)]]);
    // No BYE before the ACK (§15).
    if (this.#answer.running) this.#byeAfterAck = () => this.#session.bye(reason);
    else this.#session.bye(reason);
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

  /** Whether the call has this dialog, and how far it is (RFC 3891 §3). */
  dialogState(remoteTag: string): 'early' | 'confirmed' | undefined {
    if (this.#ended || this.#session.dialog.remoteTag !== remoteTag) return undefined;
    return this.#answer === undefined ? 'early' : 'confirmed';
  }

  /** A request inside the dialog. */
  onRequest(transaction: ServerTransaction): void {
    this.#session.onRequest(transaction);
  }

  onAck(request: SipRequest): void {
    this.#session.onAck(request);
    if (this.#answer?.sequence !== request.cseq.sequence || !this.#answer.running) return;
    this.#answer.stop();
    const bye = this.#byeAfterAck;
    this.#byeAfterAck = undefined;
    if (bye !== undefined) return bye();
    const answer = this.sdp === '' ? sdpOf(request) : undefined;
    if (this.sdp === '') {
      const result = answer === undefined ? undefined : this.#session.media.accept(answer);
      if (result?.ok !== true) {
        this.#session.bye({ protocol: 'SIP', cause: 488, text: 'No answer to our offer' });
        this.#end({ by: 'platform', cause: 'protocol', detail: 'ACK without a usable answer' });
        return;
      }
    }
    this.onAcknowledged?.(answer);
    this.#session.acknowledged();
  }

  #onUnacknowledged(): void {
    this.#byeAfterAck = undefined;
    this.#session.bye({ protocol: 'SIP', cause: 408, text: 'ACK missing' });
    this.#end({ by: 'network', cause: 'ack-timeout', detail: '2xx never acknowledged' });
  }

  #headers(sdp: string | undefined, reason?: string): readonly HeaderField[] {
    const fields: HeaderField[] = [this.#contact, ['Allow', ALLOW], ['Server', this.#context.product]];
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
    this.#session.close();
    this.#released();
  }
}
