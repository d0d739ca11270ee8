import type { HeaderField } from '../messages/headers.ts';
import type { SipResponse } from '../messages/message.ts';
import { parseNameAddr } from '../messages/name-addr.ts';
import { buildRequest } from '../messages/write.ts';
import { targetOf } from '../transport/target.ts';
import type { Peer, SipProtocol } from '../transport/transport.ts';
import { contactOf, newVia } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import { DigestAttempt } from './digest.ts';
import type { DigestClient } from './digest.ts';

/** A request outside dialogs: OPTIONS, REGISTER. */
export interface SingleRequest {
  readonly method: string;
  /** The Request-URI, which also says where it goes. */
  readonly uri: string;
  readonly transport?: SipProtocol | undefined;
  /** A loose route that it takes first. */
  readonly route?: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly localTag: string;
  /** Gives the next CSeq: each attempt takes one. */
  readonly sequence: () => number;
  /** Besides Contact, which says where the server reaches us. */
  readonly headers: (contact: HeaderField) => readonly HeaderField[];
}

/** How it ended: the final response and who gave it, or why there is none. */
export type SingleOutcome =
  | { readonly ok: true; readonly response: SipResponse; readonly server: Peer }
  | { readonly ok: false; readonly detail: string };

/**
 * Sends a request until something final comes of it: signed where it is challenged, to the next server after silence,
 * transport errors and 503 (RFC 3263 §4.3). Throws `invalid-input` for fields that make no request.
 */
export function sendSingle(
  context: AgentContext,
  single: SingleRequest,
  digest: DigestClient,
  done: (outcome: SingleOutcome) => void,
): void {
  const { route } = single;
  const target = targetOf(route === undefined ? single.uri : (parseNameAddr(route)?.uri ?? ''));
  if (target === undefined) return done({ ok: false, detail: 'not a SIP URI' });
  const { transport } = single;
  const routed = transport === undefined ? target : { protocol: transport, ...target };
  const attempt = new DigestAttempt();
  const send = (servers: readonly Peer[]): void => {
    const [server, ...others] = servers;
    if (server === undefined) return done({ ok: false, detail: 'name not found' });
    const failed = (detail: string): void => {
      if (others.length === 0) done({ ok: false, detail });
      else send(others);
    };
    const { method, uri, from, to, callId, localTag } = single;
    const fields: HeaderField[] = [
      ['Via', newVia(context)],
      ...(route === undefined ? [] : [['Route', route] as const]),
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=${localTag}`],
      ['To', `<${to}>`],
      ['Call-ID', callId],
      ['CSeq', `${single.sequence()} ${method}`],
      ...single.headers(contactOf(context.transports.choose(server))),
      ['User-Agent', context.product],
      ...digest.fields(method, uri),
    ];
    context.layer.request(buildRequest(method, uri, fields), server, {
      onResponse: (response) => {
        if (response.status < 200) return;
        if (digest.take(response, attempt)) send(servers);
        else if (response.status === 503 && others.length > 0) send(others);
        else done({ ok: true, response, server });
      },
      onTimeout: () => failed('no response'),
      onTransportError: (error) => failed(error.message),
    });
  };
  context.locator.locate(routed, send);
}
