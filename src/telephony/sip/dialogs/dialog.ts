import type { HeaderField } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { parseNameAddr } from '../messages/name-addr.ts';
import { parseSipUri } from '../messages/uri.ts';
import { buildRequest } from '../messages/write.ts';
import { targetOf } from '../transport/target.ts';
import type { Target } from '../transport/target.ts';

/** The state of a dialog (RFC 3261 §12); a new record for every change. */
export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From and To as our requests carry them, tags included. */
  readonly local: string;
  readonly remote: string;
  readonly localSequence: number;
  /** Undefined until the peer has sent a request. */
  readonly remoteSequence: number | undefined;
  readonly remoteTarget: string;
  /** Route values, nearest first. */
  readonly routeSet: readonly string[];
  readonly confirmed: boolean;
}

/** The dialog that a response above 100 makes at the caller (§12.1.2); undefined for a 1xx without To tag. */
export function dialogOfResponse(invite: SipRequest, response: SipResponse): Dialog | undefined {
  // An RFC 2543 callee answers without a tag.
  const remoteTag = tagOf(response.to) ?? (response.status >= 200 ? '' : undefined);
  if (remoteTag === undefined) return undefined;
  return {
    callId: invite.callId,
    localTag: tagOf(invite.from) ?? '',
    remoteTag,
    local: invite.headers.get('From') ?? '',
    remote: response.headers.get('To') ?? '',
    localSequence: invite.cseq.sequence,
    remoteSequence: undefined,
    remoteTarget: contactUri(response) ?? invite.uri,
    routeSet: recordedRoutes(response).toReversed(),
    confirmed: response.status >= 200,
  };
}

/** The dialog that our answer to an INVITE makes at the callee (§12.1.1). */
export function dialogOfRequest(invite: SipRequest, localTag: string): Dialog {
  return {
    callId: invite.callId,
    localTag,
    remoteTag: tagOf(invite.from) ?? '',
    local: `${invite.headers.get('To') ?? ''};tag=${localTag}`,
    remote: invite.headers.get('From') ?? '',
    localSequence: 0,
    remoteSequence: invite.cseq.sequence,
    // RFC 2543 callers may leave Contact out.
    remoteTarget: contactUri(invite) ?? invite.from.uri,
    routeSet: recordedRoutes(invite),
    confirmed: false,
  };
}

/** Whether requests of ours could reach who sent this INVITE: by its Contact, or by From as RFC 2543 callers expect. */
export function isReachable(invite: SipRequest): boolean {
  return contactUri(invite) !== undefined || isRequestUri(invite.from.uri);
}

/** The dialog after a message of the peer that may move its target: re-INVITE, UPDATE or their 2xx (§12.2). */
export function refreshTarget(dialog: Dialog, message: SipRequest | SipResponse): Dialog {
  const target = contactUri(message);
  return target === undefined || target === dialog.remoteTarget ? dialog : { ...dialog, remoteTarget: target };
}

/** The early dialog once a 2xx with the same tag has come: route set and target are those of the 2xx (§13.2.2.4). */
export function confirm(dialog: Dialog, response: SipResponse): Dialog {
  return {
    ...dialog,
    confirmed: true,
    remote: response.headers.get('To') ?? dialog.remote,
    remoteTarget: contactUri(response) ?? dialog.remoteTarget,
    routeSet: recordedRoutes(response).toReversed(),
  };
}

/** Takes the CSeq of a request of the peer; undefined where it is older than what came before (§12.2.2). */
export function acceptSequence(dialog: Dialog, sequence: number): Dialog | undefined {
  if (dialog.remoteSequence !== undefined && sequence <= dialog.remoteSequence) return undefined;
  return { ...dialog, remoteSequence: sequence };
}

/** What a request inside a dialog has besides the dialog's own fields. */
export interface InDialogParts {
  readonly via: string;
  /** The sequence of an ACK, which repeats that of its INVITE; absent: the next one. */
  readonly sequence?: number;
  readonly headers?: readonly HeaderField[];
  readonly body?: string;
}

/** Request-URI, Route values and next hop of a request inside the dialog (§12.2.1.1, strict routers included). */
export function routeOf(dialog: Dialog): {
  readonly uri: string;
  readonly routes: readonly string[];
  readonly to: Target;
} {
  const { remoteTarget, routeSet } = dialog;
  const first = routeSet[0] === undefined ? undefined : parseNameAddr(routeSet[0]);
  const to = targetOf(first?.uri ?? remoteTarget) ?? { host: '', port: 0 };
  if (first === undefined || parseSipUri(first.uri)?.params.has('lr') === true)
    return { uri: remoteTarget, routes: routeSet, to };
  return { uri: first.uri, routes: [...routeSet.slice(1), `<${remoteTarget}>`], to };
}

/** A request inside the dialog, where it goes, and the dialog behind it (§12.2.1.1). */
export function requestInDialog(
  dialog: Dialog,
  method: string,
  parts: InDialogParts,
): { readonly request: SipRequest; readonly to: Target; readonly dialog: Dialog } {
  const sequence = parts.sequence ?? dialog.localSequence + 1;
  const { uri, routes, to } = routeOf(dialog);
  const fields: HeaderField[] = [
    ['Via', parts.via],
    ...routes.map((route): HeaderField => ['Route', route]),
    ['Max-Forwards', '70'],
    ['From', dialog.local],
    ['To', dialog.remote],
    ['Call-ID', dialog.callId],
    ['CSeq', `${sequence} ${method}`],
    ...(parts.headers ?? []),
  ];
  return {
    request: buildRequest(method, uri, fields, parts.body),
    to,
    dialog: parts.sequence === undefined ? { ...dialog, localSequence: sequence } : dialog,
  };
}

/** Record-Route values that can stand in requests of ours; nobody could be reached over the others. */
function recordedRoutes(message: SipRequest | SipResponse): readonly string[] {
  return message.headers.all('Record-Route').filter((value) => isRequestUri(parseNameAddr(value)?.uri));
}

function contactUri(message: SipRequest | SipResponse): string | undefined {
  const value = message.headers.get('Contact');
  const uri = value === undefined ? undefined : parseNameAddr(value)?.uri;
  return isRequestUri(uri) ? uri : undefined;
}

/** A SIP URI without embedded headers (RFC 3261 §19.1.1, table 1). */
function isRequestUri(uri: string | undefined): uri is string {
  const parsed = uri === undefined ? undefined : parseSipUri(uri);
  return parsed !== undefined && parsed.headers === undefined;
}
