import { parseSipUri } from '../messages/uri.ts';
import { defaultPort } from './transport.ts';
import type { Peer, SipProtocol } from './transport.ts';

/** Where a URI points (RFC 3263 §4): what it leaves open, the look-up decides. */
export interface Target {
  readonly host: string;
  readonly port?: number;
  readonly protocol?: SipProtocol;
}

const PROTOCOLS: Readonly<Record<string, SipProtocol>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' };

/** The target of a sip or sips URI with its maddr and transport; undefined for other URIs and unknown transports. */
export function targetOf(uri: string): Target | undefined {
  const parsed = parseSipUri(uri);
  if (parsed === undefined) return undefined;
  const asked = parsed.params.get('transport')?.toLowerCase();
  // sips with transport=tcp is TLS over TCP (RFC 3261 §26.2.2).
  const protocol = parsed.scheme === 'sips' ? 'TLS' : PROTOCOLS[asked ?? ''];
  if (asked !== undefined && protocol === undefined) return undefined;
  const host = (parsed.params.get('maddr') ?? parsed.host).replace(/^\[|\]$/g, '');
  return {
    host,
    ...(parsed.port === undefined ? {} : { port: parsed.port }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

/** The target as it stands, with the default port. */
export function peerOf(target: Target): Peer {
  return { ...target, port: target.port ?? defaultPort(target.protocol) };
}
