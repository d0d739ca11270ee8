/**
 * Called for every datagram. `bytes` may be changed and are reused after the call; `atMs` is when it arrived, on the
 * engine's monotonic clock.
 */
export type DatagramHandler = (bytes: Uint8Array, address: string, port: number, atMs: number) => void;

/** One bound UDP socket that sends to numeric addresses only and never resolves a name. */
export interface UdpPort {
  readonly port: number;
  onDatagram: DatagramHandler | undefined;
  /** Datagrams that the system refused to send, or said it could not deliver, e.g. while the far end's port is closed. */
  readonly sendFailures: number;
  /** Hands a datagram to the kernel; what cannot be sent is counted. `bytes` are free again once it returns. */
  send(bytes: Uint8Array, address: string, port: number): void;
  /** From now on the kernel exchanges datagrams with this peer only, and `send` disregards its destination. */
  connect(address: string, port: number): void;
  /** Back to any peer. */
  disconnect(): void;
  /** Delivers what has arrived, where that does not happen by itself. Not to be called from a handler. */
  drain(): void;
  /** Throws away what has arrived and was not delivered. */
  discard(): void;
  /** Resolves when the port is free; idempotent. */
  close(): Promise<void>;
}

/** Ten seconds of a call's packets; the kernel doubles it for its own needs and lowers it to what the system allows. */
export const RECEIVE_BUFFER_BYTES = 512 * 1024;
