/** What carries SIP messages. */
export type SipProtocol = 'UDP' | 'TCP' | 'TLS';

/** Where a message goes or came from; `host` an address, or a name that the transport resolves. */
export interface Peer {
  readonly host: string;
  readonly port: number;
  /** Absent: whatever the user agent prefers. */
  readonly protocol?: SipProtocol;
  /** The name that a TLS peer has to prove where `host` is an address that was looked up for it. */
  readonly serverName?: string;
  /** The connection that the message came over, so that its answer takes the same one. */
  readonly flow?: number;
}

/** What tells a closed port from a silent one. */
export interface RefusalCheck {
  /** Whether the peer's host says that nobody listens there; false where it says nothing. */
  check(to: Peer): Promise<boolean>;
  /** The peer answered although its host refused: it is not asked again. */
  deceived(by: Peer): void;
}

/** One bound transport; the core above it does no IO of its own. */
export interface SipTransport {
  /** As in Via. */
  readonly protocol: SipProtocol;
  /** Whether the transport itself repeats what is lost (RFC 3261 §17). */
  readonly reliable: boolean;
  /** The address that peers reach us under. */
  readonly local: { readonly address: string; readonly port: number };
  /** `failed` is called, never before `send` returns, when the message certainly did not reach the peer. */
  send(bytes: Uint8Array, to: Peer, failed?: (error: Error) => void): void;
  /** One whole message, or a datagram with a keep-alive. */
  onDatagram: ((bytes: Uint8Array, from: Peer) => void) | undefined;
  /** Absent where a failing `send` says it, or nothing does. */
  readonly refusals?: RefusalCheck;
  close(): Promise<void>;
}

/** The port where the URI or record names none (RFC 3261 §19.1.2). */
export function defaultPort(protocol: SipProtocol | undefined): number {
  return protocol === 'TLS' ? 5061 : 5060;
}
