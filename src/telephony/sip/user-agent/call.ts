import type { HeaderField, Headers } from '../messages/headers.ts';
import type { NegotiatedMedia } from '../../sdp/media.ts';

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
  /** For example `sip:13800138000@192.0.2.1:5060`. */
  readonly target: string;
  readonly from: string;
  readonly displayName?: string;
  readonly sdp: string;
  readonly headers?: readonly HeaderField[];
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly ringTimeoutMs: number;
}

export interface OutgoingCallHandlers {
  onProgress(progress: {
    readonly status: number;
    readonly reasonPhrase: string;
    readonly sdp: string | undefined;
    readonly reason: string | undefined;
  }): void;
  onAnswered(answer: { readonly sdp: string; readonly headers: Headers }): void;
  /** A digit by INFO (application/dtmf-relay or application/dtmf). */
  onDtmf?(digit: string): void;
  /** The peer changed the session by re-INVITE or UPDATE and we agreed. */
  onMediaChanged?(media: NegotiatedMedia): void;
  /** Exactly once. */
  onEnded(end: CallEnd): void;
}

/** A call that we placed. */
export interface OutgoingCall {
  readonly callId: string;
  /** CANCEL or BYE as the state demands; a second time does nothing. */
  hangup(reason?: HangupReason): void;
}

/** A call that came in and rings until `answer`, `reject` or `onEnded`. */
export interface IncomingCall {
  readonly callId: string;
  readonly requestUri: string;
  /** URIs. */
  readonly from: string;
  readonly to: string;
  /** The offer; empty where the INVITE had none. */
  readonly sdp: string;
  readonly headers: Headers;
  progress(status: 180 | 181 | 182 | 183, options?: { readonly sdp?: string; readonly reason?: string }): void;
  answer(sdp: string): void;
  reject(status: number, reasonPhrase?: string, headers?: readonly HeaderField[]): void;
  hangup(reason?: HangupReason): void;
  onEnded: ((end: CallEnd) => void) | undefined;
  onAcknowledged: (() => void) | undefined;
  onDtmf: ((digit: string) => void) | undefined;
  onMediaChanged: ((media: NegotiatedMedia) => void) | undefined;
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
