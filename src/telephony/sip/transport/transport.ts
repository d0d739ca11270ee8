/** Where a message goes or came from; `host` an address, or a name that the transport resolves and caches. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** What carries messages; the core above it does no IO of its own. */
export interface SipTransport {
  /** As in Via. */
  readonly protocol: 'UDP';
  /** Whether the transport itself repeats what is lost (RFC 3261 §17). */
  readonly reliable: boolean;
  /** The address that peers reach us under. */
  readonly local: { readonly address: string; readonly port: number };
  /** `failed` is called when the message certainly did not leave or the peer refused it. */
  send(bytes: Uint8Array, to: Peer, failed?: (error: Error) => void): void;
  onDatagram: ((bytes: Uint8Array, from: Peer) => void) | undefined;
  close(): Promise<void>;
}
