import type { Dialog } from '../dialogs/dialog.ts';
import type { HeaderField, Headers } from '../messages/headers.ts';
import type { LocalMedia, NegotiatedMedia } from '../../sdp/media.ts';
import type { Peer, SipProtocol } from '../transport/transport.ts';
import type { Challenge, Credentials } from './digest.ts';
import type { InfoResult } from './info.ts';
import type { Negotiated } from './session-media.ts';

/** How a call ended; `by` is `callee` for whoever is at the other end. */
export interface CallEnd {
  readonly by: 'callee' | 'platform' | 'network';
  readonly cause:
    | 'rejected'
    | 'cancelled'
    | 'ring-timeout'
    | 'no-response'
    | 'transport'
    | 'bye'
    | 'protocol'
    | 'ack-timeout';
  /** The final response to the INVITE, where one came that ended the call. */
  readonly status: number | undefined;
  readonly reasonPhrase: string;
  /** The Reason header as it came; several are joined by a comma. */
  readonly reason: string | undefined;
  readonly detail: string;
  /** What a 401 or 407 that ended the call asked for, where it can be read. */
  readonly challenge?: Challenge;
}

/** Why we end a call, as the Reason header says it (RFC 3326). */
export interface HangupReason {
  readonly protocol: 'SIP' | 'Q.850';
  readonly cause: number;
  readonly text: string;
}

export interface OutgoingCallRequest {
  /** Becomes the Call-ID. */
  readonly callId: string;
  /** For example `sip:13800138000@192.0.2.1:5060`; `;transport=tls` and names with SRV records work too. */
  readonly target: string;
  readonly from: string;
  readonly displayName?: string;
  /** Our offer; empty: the callee offers, and `onOffer` answers. */
  readonly sdp: string;
  /** Fields that go into the INVITE as they are: identity, privacy, user-to-user and whatever a trunk asks for. */
  readonly headers?: readonly HeaderField[];
  readonly credentials?: Credentials;
  readonly ringTimeoutMs: number;
  /** The trunk's transport; the target's own `;transport=` counts more. */
  readonly transport?: SipProtocol;
  /** Where the INVITE goes first in place of its target: loose routes, nearest first (RFC 3261 §8.1.1.1). */
  readonly routes?: readonly string[];
  /** Reliable provisional responses (RFC 3262); `required` makes a callee without them refuse with 420. */
  readonly reliable?: 'supported' | 'required' | 'off';
  /** What we ask for as session interval (RFC 4028); 0 asks for none. */
  readonly sessionSeconds?: number;
  /** Whether a 3xx may lead to this URI; it is followed once. Without it every 3xx ends the call. */
  readonly mayRedirectTo?: (uri: string) => boolean;
}

export interface OutgoingCallHandlers {
  onProgress(progress: {
    readonly status: number;
    readonly reasonPhrase: string;
    readonly sdp: string | undefined;
    readonly reason: string | undefined;
    readonly headers: Headers;
  }): void;
  /** The callee's offer, where the request had none; gives our answer, or undefined to end the call. */
  onOffer?(sdp: string): string | undefined;
  onAnswered(answer: { readonly sdp: string; readonly headers: Headers }): void;
  /** A digit by INFO (application/dtmf-relay or application/dtmf). */
  onDtmf?(digit: string): void;
  /** The peer changed the session by re-INVITE or UPDATE and we agreed. */
  onMediaChanged?(media: NegotiatedMedia): void;
  /** The peer wants the call elsewhere (REFER); without it such requests are declined. */
  onTransferRequested?(request: TransferRequest): void;
  /** Exactly once. */
  onEnded(end: CallEnd): void;
}

/** What either side of an answered call may do. */
export interface SessionControl {
  /** Stops taking the peer's media and says so (RFC 3264 §8.4). */
  hold(): Promise<Negotiated>;
  resume(): Promise<Negotiated>;
  /** Changes codecs, address or direction by re-INVITE; a refusal leaves the session as it was. */
  change(media: Partial<LocalMedia>): Promise<Negotiated>;
  /**
   * Sends the peer to `to`; with `replacing` to the other end of that call of ours, which it takes over (RFC 5589).
   */
  transfer(to: string | { readonly replacing: SessionControl }, options?: TransferOptions): Promise<TransferResult>;
  /** One digit by INFO, for a peer whose Allow has it; resolves with the response. `sendDtmf` chooses among all ways. */
  sendDigit(digit: string): Promise<InfoResult>;
  /** What a peer needs to replace this call (RFC 3891); undefined before there is a dialog. */
  readonly replaceable: { readonly uri: string; readonly replaces: string } | undefined;
}

/** How a transfer is asked for. */
export interface TransferOptions {
  /** Waits for the outcome also where the peer could do without reports (RFC 4488). */
  readonly report?: boolean;
  /** The peer agreed to try (2xx); what comes of it, it may report or not. */
  readonly onAccepted?: () => void;
}

/** How a transfer went, as the final response of the call that the peer placed: `ok` for a 2xx. */
export interface TransferResult {
  readonly ok: boolean;
  /** Undefined where the peer reports none: then `ok` only says that it agreed to try. */
  readonly status: number | undefined;
  readonly detail: string;
}

/** A REFER of the peer (RFC 3515). */
export interface TransferRequest {
  /** Refer-To without its embedded headers. */
  readonly to: string;
  /** The dialog to replace, as a Replaces value, for an attended transfer. */
  readonly replaces: string | undefined;
  readonly referredBy: string | undefined;
  /** Agrees to try; what it gives back reports the outcome, once. */
  accept(): (status: number, reasonPhrase?: string) => void;
  reject(status: number): void;
}

/** A call that we placed. */
export interface OutgoingCall extends SessionControl {
  readonly callId: string;
  /** CANCEL or BYE as the state demands; a second time does nothing. */
  hangup(reason?: HangupReason): void;
}

/** A call that came in and rings until `answer`, `reject` or `onEnded`. */
export interface IncomingCall extends SessionControl {
  readonly callId: string;
  /** Where the INVITE came from. */
  readonly source: Peer;
  readonly requestUri: string;
  /** URIs. */
  readonly from: string;
  readonly to: string;
  /** The offer; empty where the INVITE had none. */
  readonly sdp: string;
  readonly headers: Headers;
  progress(status: 180 | 181 | 182 | 183, options?: { readonly sdp?: string; readonly reason?: string }): void;
  /** `ready` is what later offers of the peer may choose from; absent: what the answer holds. */
  answer(sdp: string, ready?: LocalMedia): void;
  reject(status: number, reasonPhrase?: string, headers?: readonly HeaderField[]): void;
  hangup(reason?: HangupReason): void;
  onEnded: ((end: CallEnd) => void) | undefined;
  /** With the answer where the INVITE had no offer and `answer` gave ours. */
  onAcknowledged: ((answer: string | undefined) => void) | undefined;
  onTransferRequested: ((request: TransferRequest) => void) | undefined;
  /** The call of ours that this one takes over (RFC 3891); `answer` hangs it up. */
  readonly replaces: SessionControl | undefined;
  onDtmf: ((digit: string) => void) | undefined;
  onMediaChanged: ((media: NegotiatedMedia) => void) | undefined;
}

/** What `replaceable` says of a dialog. */
export function replaceableOf(dialog: Dialog | undefined): SessionControl['replaceable'] {
  if (dialog === undefined) return undefined;
  const { callId, remoteTag, localTag, remoteTarget } = dialog;
  return { uri: remoteTarget, replaces: `${callId};to-tag=${remoteTag};from-tag=${localTag}` };
}

/** Runs `transfer` on the session of a call; the other call of an attended transfer must have a dialog. */
export function transferTarget(
  session:
    | { transfer(to: string, replaces: string | undefined, options: TransferOptions): Promise<TransferResult> }
    | undefined,
  to: string | { readonly replacing: SessionControl },
  options: TransferOptions = {},
): Promise<TransferResult> {
  const refuse = (detail: string) => Promise.resolve({ ok: false, status: undefined, detail });
  if (session === undefined) return refuse('call is not answered');
  if (typeof to === 'string') return session.transfer(to, undefined, options);
  const other = to.replacing.replaceable;
  return other === undefined
    ? refuse('the other call has no dialog')
    : session.transfer(other.uri, other.replaces, options);
}

/** The Reason values of a message as one text, undefined where it has none. */
export function reasonText(headers: Headers): string | undefined {
  const values = headers.all('Reason');
  return values.length === 0 ? undefined : values.join(', ');
}

/** Whether the body is SDP: by Content-Type, or without one by its first line. */
export function sdpOf(message: { readonly headers: Headers; readonly body: string }): string | undefined {
  if (message.body === '') return undefined;
  const type = message.headers.get('Content-Type');
  if (type === undefined) return message.body.startsWith('v=0') ? message.body : undefined;
  return type.trim().toLowerCase().startsWith('application/sdp') ? message.body : undefined;
}
