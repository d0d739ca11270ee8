import type { Timer } from '#platform/clock.ts';
import type { LocalMedia } from '../../sdp/media.ts';
import { dialogOfResponse } from '../dialogs/dialog.ts';
import type { HeaderField } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { buildResponse } from '../messages/write.ts';
import { writeReason } from '../reason.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { TIMEOUT_MS } from '../transactions/timers.ts';
import { newTag } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { reasonText, replaceableOf, sdpOf, transferTarget } from './call.ts';
import type {
  CallEnd,
  HangupReason,
  OutgoingCall,
  OutgoingCallHandlers,
  OutgoingCallRequest,
  SessionControl,
  TransferOptions,
  TransferResult,
} from './call.ts';
import { DigestClient, readChallenges } from './digest.ts';
import { InviteSender } from './invite-sender.ts';
import { ReliableOrder } from './reliable.ts';
import { CallSession } from './session.ts';
import type { Acknowledgement } from './session.ts';
import { SessionMedia } from './session-media.ts';
import type { InfoResult } from './info.ts';
import type { Negotiated } from './session-media.ts';

/** 486, 600, 603 and 607 are a decision of the callee; other refusals are the network's. */
const CALLEE_STATUSES: ReadonlySet<number> = new Set([486, 600, 603, 607]);
/** Early dialogs of one call at the most: no real fork is wider. */
const MAX_FORKS = 32;

/** What we know of one early dialog. */
interface EarlyDialog {
  readonly session: CallSession;
  readonly order: ReliableOrder;
  sdp: string | undefined;
}

/**
 * A call that we place (RFC 3261 §13.2, §9.1, §15; reliable provisional responses by RFC 3262).
 *
 *   [calling] -- 1xx --> [ringing] -- 2xx: ACK --> [confirmed] -- BYE either way --> [ended]
 *       |                    |
 *       | hangup: wait       | hangup, ring time-out: CANCEL
 *       v                    v
 *   (a 1xx sends it) --> [cancelling] -- 487 --> [ended]
 *                            +---------- 2xx: ACK, BYE --> [ended]
 *   every other final response, timer B, transport error --> [ended]
 */
export class UacCall implements OutgoingCall {
  readonly callId: string;
  readonly localTag = newTag();
  readonly #context: AgentContext;
  readonly #asked: OutgoingCallRequest;
  readonly #handlers: OutgoingCallHandlers;
  readonly #released: () => void;
  readonly #digest: DigestClient;
  readonly #sender: InviteSender;
  /** By the callee's tag. */
  readonly #early = new Map<string, EarlyDialog>();
  /** The ACK of each dialog's 2xx. */
  readonly #acks = new Map<string, Acknowledgement>();
  #session: CallSession | undefined;
  #provisional = false;
  #stop: { readonly cause: 'cancelled' | 'ring-timeout'; readonly reason: HangupReason | undefined } | undefined;
  #cancelSent = false;
  #ended = false;
  #ringTimer: Timer | undefined;
  #cancelTimer: Timer | undefined;

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
    this.#digest = new DigestClient(request.credentials);
    this.#sender = new InviteSender(context, request, this.localTag, this.#digest, {
      onProvisional: (response) => this.#onProvisional(response),
      onSuccess: (response, invite, authorization, wanted) => this.#onSuccess(response, invite, authorization, wanted),
      onFailure: (response) => this.#onFailure(response),
      onLost: (cause, detail) => this.#onLost(cause, detail),
      onRetry: () => {
        this.#closeEarly();
        this.#provisional = false;
      },
    });
  }

  /** Sends the INVITE. */
  start(): void {
    this.#ringTimer = this.#context.clock.setTimer(this.#asked.ringTimeoutMs, () =>
      this.#cancel('ring-timeout', { protocol: 'Q.850', cause: 19, text: 'No answer from user' }),
    );
    this.#sender.start();
  }

  hangup(reason?: HangupReason): void {
    if (this.#ended) return;
    if (this.#session === undefined) this.#cancel('cancelled', reason);
    else this.#bye({ by: 'platform', cause: 'bye', reason, detail: 'hung up by us' });
  }

  hold(): Promise<Negotiated> {
    return this.change({ direction: 'sendonly' });
  }

  resume(): Promise<Negotiated> {
    return this.change({ direction: 'sendrecv' });
  }

  change(media: Partial<LocalMedia>): Promise<Negotiated> {
    return (
      this.#session?.change(media) ??
      Promise.resolve({ ok: false, status: undefined, detail: 'call is not answered' } as const)
    );
  }

  transfer(to: string | { readonly replacing: SessionControl }, options?: TransferOptions): Promise<TransferResult> {
    return transferTarget(this.#session, to, options);
  }

  sendDigit(digit: string): Promise<InfoResult> {
    return (
      this.#session?.sendDigit(digit) ??
      Promise.resolve({ ok: false, status: undefined, detail: 'call is not answered' })
    );
  }

  get replaceable(): SessionControl['replaceable'] {
    return replaceableOf(this.#session?.dialog);
  }

  /** Ends without waiting for the peer any longer: the user agent closes. */
  abandon(): void {
    this.#sender.stop();
    this.#end({ by: 'platform', cause: this.#stop?.cause ?? 'cancelled', detail: 'user agent closed' });
    this.#release();
  }

  /** Whether the call has this dialog, and how far it is (RFC 3891 §3). */
  dialogState(remoteTag: string): 'early' | 'confirmed' | undefined {
    if (this.#ended) return undefined;
    if (this.#session !== undefined) return this.#session.dialog.remoteTag === remoteTag ? 'confirmed' : undefined;
    return this.#early.has(remoteTag) ? 'early' : undefined;
  }

  /** A request inside one of this call's dialogs. */
  onRequest(transaction: ServerTransaction): void {
    const session = this.#sessionOf(transaction.request);
    if (session === undefined) transaction.respond(buildResponse(transaction.request, 481));
    else session.onRequest(transaction);
  }

  onAck(request: SipRequest): void {
    this.#sessionOf(request)?.onAck(request);
  }

  #sessionOf(request: SipRequest): CallSession | undefined {
    const tag = tagOf(request.from) ?? '';
    return this.#session?.dialog.remoteTag === tag ? this.#session : this.#early.get(tag)?.session;
  }

  #onLost(cause: 'no-response' | 'transport', detail: string): void {
    const cancelled = this.#stop?.cause === 'cancelled' && cause === 'no-response';
    if (cancelled) this.#end({ by: 'platform', cause: 'cancelled', detail: 'cancelled, nobody responded' });
    else this.#end({ by: 'network', cause, detail });
    this.#release();
  }

  #onProvisional(response: SipResponse): void {
    this.#provisional = true;
    if (this.#stop !== undefined && !this.#cancelSent) this.#sendCancel();
    if (this.#ended || this.#session !== undefined) return;
    const early = response.status > 100 ? this.#earlyOf(response) : undefined;
    const reliability = early?.order.next(response);
    if (reliability?.type === 'ignore') return;
    const sdp = sdpOf(response);
    let answer: string | undefined;
    if (early !== undefined && sdp !== undefined) {
      const reliable = reliability?.type === 'acknowledge';
      if (this.#asked.sdp === '') {
        // Our answer can only go into a PRACK; an offer without reliability is a preview (RFC 3262 §5).
        if (reliable && !early.session.media.described) {
          answer = this.#handlers.onOffer?.(sdp);
          if (answer !== undefined) early.session.media.describe(answer);
          early.sdp = sdp;
        }
      } else {
        // One offer, one answer: what comes later in the same dialog repeats it (RFC 3264 §4).
        early.sdp ??= sdp;
        if (reliable) early.session.media.pending = undefined;
      }
    }
    if (early !== undefined && reliability?.type === 'acknowledge')
      this.#prack(early.session, reliability.rack, answer);
    if (this.#stop !== undefined) return;
    const { status, reasonPhrase, headers } = response;
    this.#handlers.onProgress({ status, reasonPhrase, sdp, reason: reasonText(headers), headers });
  }

  #prack(session: CallSession, rack: string, answer: string | undefined): void {
    const headers: HeaderField[] = [['RAck', rack]];
    if (answer !== undefined) headers.push(['Content-Type', 'application/sdp']);
    session.request(
      'PRACK',
      { headers, ...(answer === undefined ? {} : { body: answer }) },
      {
        onResponse: () => undefined,
        // The callee gives its provisional response, and with it the call, up by itself (RFC 3262 §3).
        onFailed: () => undefined,
      },
    );
  }

  #earlyOf(response: SipResponse): EarlyDialog | undefined {
    const tag = tagOf(response.to);
    if (tag === undefined) return undefined;
    const known = this.#early.get(tag);
    if (known !== undefined || this.#early.size >= MAX_FORKS) return known;
    const session = this.#newSession(response);
    if (session === undefined) return undefined;
    const early = { session, order: new ReliableOrder(), sdp: undefined };
    this.#early.set(tag, early);
    return early;
  }

  #newSession(response: SipResponse): CallSession | undefined {
    const dialog = dialogOfResponse(this.#sender.invite, response);
    if (dialog === undefined) return undefined;
    const { sdp } = this.#asked;
    const session: CallSession = new CallSession(this.#context, {
      dialog,
      owner: true,
      contact: this.#sender.contact,
      media: sdp === '' ? new SessionMedia(undefined, 'theirs') : new SessionMedia(sdp, 'ours'),
      digest: this.#digest,
      hooks: {
        onDtmf: (digit) => this.#handlers.onDtmf?.(digit),
        onMediaChanged: (media) => this.#handlers.onMediaChanged?.(media),
        onTransferRequested: this.#handlers.onTransferRequested?.bind(this.#handlers),
        onEnded: (end) => this.#end(end),
        onReleased: () => session === this.#session && this.#release(),
      },
    });
    return session;
  }

  #onSuccess(response: SipResponse, invite: SipRequest, authorization: readonly HeaderField[], wanted: boolean): void {
    const remoteTag = tagOf(response.to) ?? '';
    const known = this.#acks.get(remoteTag);
    if (known !== undefined) return known.again();
    const early = this.#early.get(remoteTag);
    const session = early?.session ?? this.#newSession(response);
    if (session === undefined) return;
    const offer = sdpOf(response);
    const ours = wanted && this.#session === undefined && !this.#ended;
    session.confirm(response);
    let answer: string | undefined;
    if (this.#asked.sdp === '' && !session.media.described && offer !== undefined && ours && this.#stop === undefined)
      answer = this.#handlers.onOffer?.(offer);
    if (answer !== undefined) session.media.describe(answer);
    session.media.pending = undefined;
    this.#acks.set(remoteTag, session.acknowledge(invite.cseq.sequence, authorization, answer));
    // Another fork or server answered too, or the answer came after we gave up (§13.2.2.4).
    if (!ours) return session.bye();
    this.#session = session;
    this.#early.delete(remoteTag);
    this.#closeEarly();
    this.#stopTimers();
    if (this.#stop !== undefined) {
      const { cause, reason } = this.#stop;
      this.#bye({ by: 'platform', cause, reason, detail: 'answered while being cancelled' });
      return;
    }
    const sdp = offer ?? early?.sdp;
    if (sdp === undefined)
      this.#bye({ by: 'platform', cause: 'protocol', reason: undefined, detail: 'answer without SDP' });
    else if (!session.media.described)
      this.#bye({ by: 'platform', cause: 'protocol', reason: undefined, detail: 'offer not answered by us' });
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
      const challenge = status === 401 || status === 407 ? readChallenges(response)[0] : undefined;
      const asks = challenge === undefined ? {} : { challenge };
      this.#end({ by, cause: 'rejected', status, reasonPhrase, reason, detail, ...asks });
    }
    this.#release();
  }

  #cancel(cause: 'cancelled' | 'ring-timeout', reason: HangupReason | undefined): void {
    if (this.#ended || this.#session !== undefined || this.#stop !== undefined) return;
    this.#stop = { cause, reason };
    this.#ringTimer?.cancel();
    if (this.#sender.stop()) {
      this.#end({ by: 'platform', cause, detail: 'cancelled before the INVITE' });
      this.#release();
    } else if (this.#provisional) this.#sendCancel();
  }

  #sendCancel(): void {
    this.#cancelSent = true;
    const reason = this.#stop?.reason;
    this.#sender.cancel(reason === undefined ? [] : [['Reason', writeReason(reason)]]);
    this.#cancelTimer = this.#context.clock.setTimer(TIMEOUT_MS, () => {
      this.#sender.abandon();
      this.#end({ by: 'platform', cause: this.#stop?.cause ?? 'cancelled', detail: 'no final response after CANCEL' });
      this.#release();
    });
  }

  #bye(end: Pick<CallEnd, 'by' | 'cause' | 'detail'> & { readonly reason: HangupReason | undefined }): void {
    if (this.#session === undefined || this.#ended) return;
    this.#session.bye(end.reason);
    this.#end({ by: end.by, cause: end.cause, detail: end.detail });
  }

  #closeEarly(): void {
    for (const { session } of this.#early.values()) session.close();
    this.#early.clear();
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
    this.#closeEarly();
    this.#session?.close();
    this.#sender.leave(this.#acks);
    this.#released();
  }
}
