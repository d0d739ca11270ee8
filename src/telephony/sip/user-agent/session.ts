import type { LocalMedia, NegotiatedMedia } from '../../sdp/media.ts';
import { acceptSequence, confirm, refreshTarget, requestInDialog, routeOf } from '../dialogs/dialog.ts';
import type { Dialog } from '../dialogs/dialog.ts';
import { Headers } from '../messages/headers.ts';
import type { HeaderField } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { buildResponse } from '../messages/write.ts';
import { writeReason } from '../reason.ts';
import type { ServerTransaction } from '../transactions/server.ts';
import { ALLOW, newBranch, newVia, sendRequest } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { AnswerRetransmission } from './answer-retransmission.ts';
import { reasonText, sdpOf } from './call.ts';
import type { CallEnd, HangupReason, TransferRequest, TransferOptions, TransferResult } from './call.ts';
import { DigestAttempt } from './digest.ts';
import type { DigestClient } from './digest.ts';
import { answerInDialog } from './in-dialog.ts';
import { SessionChanges } from './session-changes.ts';
import { sendDigitByInfo } from './info.ts';
import type { InfoResult } from './info.ts';
import type { Negotiated, SessionMedia } from './session-media.ts';
import { agreedByAnswer, answerInterval, SessionTimer, supports } from './session-timer.ts';
import type { SessionInterval } from './session-timer.ts';
import { Transfers } from './transfer.ts';

/** Extensions that a request inside a dialog may require. */
const KNOWN_OPTIONS: ReadonlySet<string> = new Set(['timer', 'replaces', 'norefersub', '100rel']);
const ACK_MISSING: HangupReason = { protocol: 'SIP', cause: 408, text: 'ACK missing' };

/** How a session ends: what the call adds to it is up to the call. */
export type SessionEnd = Pick<CallEnd, 'by' | 'cause' | 'detail'> & { readonly reason: string | undefined };

/** What a session tells its call. */
export interface SessionHooks {
  /** Whether the answer that began the session still waits for its ACK. */
  unacknowledged?(): boolean;
  onDtmf(digit: string): void;
  onMediaChanged(media: NegotiatedMedia): void;
  readonly onTransferRequested: ((request: TransferRequest) => void) | undefined;
  /** The session ends otherwise than by `bye`; a BYE is on its way where one is due. */
  onEnded(end: SessionEnd): void;
  /** The BYE, ours or theirs, is done with. */
  onReleased(): void;
}

/** What the parts of a request inside the dialog are. */
export interface SessionRequest {
  readonly headers?: readonly HeaderField[];
  readonly body?: string;
}

/** An ACK that was sent. */
export interface Acknowledgement {
  /** Sends it once more. */
  readonly again: () => void;
  readonly branch: string;
  /** Our answer, where the 2xx held an offer. */
  readonly sdp: string | undefined;
}

const NOT_ANSWERED: InfoResult = { ok: false, status: undefined, detail: 'call is not answered' };

/** Who hears how a request inside the dialog ends; repeated 2xx of an INVITE come again. */
export interface SessionRequestHandlers {
  onResponse(response: SipResponse, request: SipRequest, authorization: readonly HeaderField[]): void;
  onFailed(detail: string): void;
}

/**
 * One dialog with its session: requests both ways, changes of the session (RFC 3261 §14, RFC 3311, RFC 3264 §8), session
 * timer (RFC 4028) and transfer (RFC 3515). Early dialogs of a forked call each have their own.
 */
export class CallSession {
  readonly media: SessionMedia;
  readonly transfers: Transfers;
  readonly #context: AgentContext;
  readonly #hooks: SessionHooks;
  readonly #digest: DigestClient;
  readonly #contact: HeaderField;
  readonly #changes: SessionChanges;
  readonly #timer: SessionTimer;
  #dialog: Dialog;
  /** What the peer said when the call was answered: which methods and extensions it knows. */
  #peerHeaders = new Headers([]);
  #reanswer: AnswerRetransmission | undefined;
  #over = false;

  constructor(
    context: AgentContext,
    options: {
      readonly dialog: Dialog;
      readonly owner: boolean;
      readonly contact: HeaderField;
      readonly media: SessionMedia;
      readonly digest: DigestClient;
      readonly hooks: SessionHooks;
    },
  ) {
    this.#context = context;
    this.#dialog = options.dialog;
    this.#contact = options.contact;
    this.media = options.media;
    this.#digest = options.digest;
    this.#hooks = options.hooks;
    this.transfers = new Transfers(context, this, options.contact, () => options.hooks.onTransferRequested);
    this.#timer = new SessionTimer(
      context.clock,
      () => this.#changes.refresh(),
      () => this.#endByUs('no-response', { protocol: 'SIP', cause: 408, text: 'Session expired' }, 'session expired'),
    );
    this.#changes = new SessionChanges(context, {
      media: options.media,
      timer: this.#timer,
      owner: options.owner,
      contact: options.contact,
      unacknowledged: () => this.#reanswer?.running === true || this.#hooks.unacknowledged?.() === true,
      peerHeaders: () => this.#peerHeaders,
      request: (method, parts, handlers) => this.request(method, parts, handlers),
      acknowledge: (sequence, authorization) => this.acknowledge(sequence, authorization),
      refreshTarget: (response) => {
        this.#dialog = refreshTarget(this.#dialog, response);
      },
      onMediaChanged: (media) => options.hooks.onMediaChanged(media),
      onLost: (detail) => this.#onLost(detail),
    });
  }

  get dialog(): Dialog {
    return this.#dialog;
  }

  /** The 2xx of our INVITE came. */
  confirm(response: SipResponse): void {
    this.#dialog = confirm(this.#dialog, response);
    this.established(response.headers, agreedByAnswer(response.headers));
  }

  /** The call is answered: `peer` are the fields that say what the other side knows. */
  established(peer: Headers, interval: SessionInterval | undefined): void {
    this.#dialog = { ...this.#dialog, confirmed: true };
    this.#peerHeaders = peer;
    this.#timer.restart(interval);
  }

  /** Sends a request in the dialog, once more where it is challenged. */
  request(
    method: string,
    parts: SessionRequest,
    handlers: SessionRequestHandlers,
    attempt = new DigestAttempt(),
  ): void {
    const authorization = this.#digest.fields(method, routeOf(this.#dialog).uri);
    const { request, to, dialog } = requestInDialog(this.#dialog, method, {
      via: newVia(this.#context),
      headers: [...(parts.headers ?? []), ...authorization, ['User-Agent', this.#context.product]],
      ...(parts.body === undefined ? {} : { body: parts.body }),
    });
    this.#dialog = dialog;
    sendRequest(this.#context, request, to, {
      onResponse: (response) => {
        if (this.#digest.take(response, attempt)) this.request(method, parts, handlers, attempt);
        else handlers.onResponse(response, request, authorization);
      },
      onTimeout: () => handlers.onFailed('no response'),
      onTransportError: (error) => handlers.onFailed(error.message),
    });
  }

  /** Acknowledges a 2xx; gives back what repeats the very same ACK (RFC 3261 §13.2.2.4). */
  acknowledge(
    sequence: number,
    authorization: readonly HeaderField[],
    sdp?: string,
    branch = newBranch(),
  ): Acknowledgement {
    const { request, to } = requestInDialog(this.#dialog, 'ACK', {
      via: newVia(this.#context, branch),
      sequence,
      headers: [
        ...authorization,
        ['User-Agent', this.#context.product],
        ...(sdp === undefined ? [] : [['Content-Type', 'application/sdp'] as const]),
      ],
      ...(sdp === undefined ? {} : { body: sdp }),
    });
    const sent: { again: () => void; branch: string; sdp: string | undefined } = { again: nothing, branch, sdp };
    this.#context.locator.locate(to, ([server]) => {
      if (server !== undefined) sent.again = this.#context.layer.sendStateless(request, server);
    });
    return sent;
  }

  /** Ends the session with BYE; `onReleased` follows when it is answered. */
  bye(reason?: HangupReason): void {
    if (this.#over) return;
    this.close();
    const released = (): void => this.#hooks.onReleased();
    this.request('BYE', reason === undefined ? {} : { headers: [['Reason', writeReason(reason)]] }, {
      onResponse: ({ status }) => status >= 200 && released(),
      onFailed: released,
    });
  }

  /** Ends timers and whoever waits; sends nothing. */
  close(): void {
    this.#over = true;
    this.#timer.stop();
    this.#reanswer?.stop();
    this.#changes.close();
    this.transfers.close();
  }

  /** Changes what we send and take (hold, resume, codecs) by re-INVITE; waits and tries again after glare. */
  change(change: Partial<LocalMedia>): Promise<Negotiated> {
    if (!this.#dialog.confirmed)
      return Promise.resolve({ ok: false, status: undefined, detail: 'call is not answered' });
    return this.#changes.change(change);
  }

  /** One digit by INFO. */
  sendDigit(digit: string): Promise<InfoResult> {
    if (this.#over || !this.#dialog.confirmed) return Promise.resolve(NOT_ANSWERED);
    return sendDigitByInfo(this, this.#peerHeaders, digit, this.#context.clock);
  }

  /** A request inside the dialog. */
  onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    const server: HeaderField = ['Server', this.#context.product];
    if ((tagOf(request.from) ?? '') !== this.#dialog.remoteTag || this.#over)
      return transaction.respond(buildResponse(request, 481, { headers: [server] }));
    const next = acceptSequence(this.#dialog, request.cseq.sequence);
    if (next === undefined)
      return transaction.respond(buildResponse(request, 500, { headers: [['Retry-After', '1'], server] }));
    this.#dialog = next;
    const unknown = request.headers
      .all('Require')
      .flatMap((value) => value.split(',').map((one) => one.trim()))
      .filter((option) => option !== '' && !KNOWN_OPTIONS.has(option.toLowerCase()));
    if (unknown.length > 0 && request.method !== 'BYE')
      return transaction.respond(
        buildResponse(request, 420, { headers: [['Unsupported', unknown.join(', ')], server] }),
      );
    switch (request.method) {
      case 'BYE':
        transaction.respond(buildResponse(request, 200, { headers: [server] }));
        this.close();
        this.#hooks.onEnded({
          by: 'callee',
          cause: 'bye',
          reason: reasonText(request.headers),
          detail: 'BYE received',
        });
        this.#hooks.onReleased();
        return;
      case 'INVITE':
      case 'UPDATE':
        this.#onOffer(transaction);
        return;
      case 'REFER':
        this.transfers.onRefer(transaction);
        return;
      case 'NOTIFY':
        this.transfers.onNotify(transaction);
        return;
      default:
        answerInDialog(transaction, (digit) => this.#hooks.onDtmf(digit), this.#context);
    }
  }

  /** The ACK of a re-INVITE, with the answer where its 2xx held our offer. */
  onAck(request: SipRequest): void {
    if (this.#reanswer?.sequence !== request.cseq.sequence || !this.#reanswer.running) return;
    this.#reanswer.stop();
    if (this.media.pending === 'ours') {
      const answer = sdpOf(request);
      const result = answer === undefined ? undefined : this.media.accept(answer);
      if (result?.ok === true) this.#hooks.onMediaChanged(result.media);
      else this.media.withdraw();
    }
    this.acknowledged();
  }

  /** No INVITE of the peer waits for its ACK any more: changes that waited go out. */
  acknowledged(): void {
    this.#changes.acknowledged();
  }

  #onOffer(transaction: ServerTransaction): void {
    const { request } = transaction;
    const invite = request.method === 'INVITE';
    const server: HeaderField = ['Server', this.#context.product];
    const refuse = (status: number, headers: readonly HeaderField[] = []): void =>
      transaction.respond(buildResponse(request, status, { headers: [...headers, server] }));
    const offer = sdpOf(request);
    if (request.body !== '' && offer === undefined) return refuse(415, [['Accept', 'application/sdp']]);
    if (invite || offer !== undefined) {
      // RFC 3261 §14.2, RFC 3311 §5.2: whose offer is open decides how soon to try again.
      if (this.media.pending === 'ours' || this.#reanswer?.running === true) return refuse(491);
      if (this.media.pending === 'theirs' || (invite && !this.#dialog.confirmed))
        return refuse(500, [['Retry-After', String(Math.trunc(this.#context.random() * 11))]]);
    }
    const interval = answerInterval(request.headers);
    if (!interval.ok) return refuse(422, interval.headers);
    let sdp: string | undefined;
    let media: NegotiatedMedia | undefined;
    if (offer !== undefined) {
      const answered = this.media.answer(offer);
      if (!answered.result.ok)
        return refuse(answered.result.status ?? 488, [['Warning', `399 waihu "${answered.result.detail}"`]]);
      ({ sdp } = answered);
      ({ media } = answered.result);
    } else if (invite) {
      sdp = this.media.fullOffer();
      if (sdp === undefined) return refuse(488);
    }
    this.#dialog = refreshTarget(this.#dialog, request);
    const response = buildResponse(request, 200, {
      headers: [
        this.#contact,
        ['Allow', ALLOW],
        ['Supported', this.#context.supported],
        ...interval.headers,
        ...(sdp === undefined ? [] : [['Content-Type', 'application/sdp'] as const]),
        server,
      ],
      ...(sdp === undefined ? {} : { body: sdp }),
    });
    if (this.#dialog.confirmed && (invite || interval.interval !== undefined)) this.#timer.restart(interval.interval);
    if (invite)
      this.#reanswer = new AnswerRetransmission(this.#context, transaction, response, () =>
        this.#endByUs('ack-timeout', ACK_MISSING, 're-INVITE never acknowledged'),
      );
    else transaction.respond(response);
    if (media !== undefined) this.#hooks.onMediaChanged(media);
  }

  #onLost(detail: string): void {
    this.#endByUs('no-response', { protocol: 'SIP', cause: 408, text: 'Dialog lost' }, detail);
  }

  #endByUs(cause: 'ack-timeout' | 'no-response', reason: HangupReason, detail: string): void {
    if (this.#over) return;
    this.bye(reason);
    this.#hooks.onEnded({ by: 'network', cause, reason: undefined, detail });
  }

  /** Hands the call over to `to`, where `replaces` an existing call there (RFC 3515, RFC 3891). */
  transfer(
    to: string,
    replaces: string | undefined,
    { report = false, onAccepted }: TransferOptions,
  ): Promise<TransferResult> {
    if (this.#over || !this.#dialog.confirmed)
      return Promise.resolve({ ok: false, status: undefined, detail: 'call is not answered' });
    return this.transfers.refer(to, {
      ...(replaces === undefined ? {} : { replaces }),
      ...(onAccepted === undefined ? {} : { onAccepted }),
      withoutSubscription: !report && supports(this.#peerHeaders, 'norefersub'),
    });
  }
}

/** There is no server, or not yet. */
function nothing(): void {
  return undefined;
}
