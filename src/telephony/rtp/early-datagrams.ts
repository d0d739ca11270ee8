import type { UdpPort } from './udp-port.ts';

/** Ten seconds of a typing hand; longer datagrams are no text of a call. */
const MAX_KEPT = 32;
const MAX_BYTES = 1500;

export interface EarlyDatagram {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
  readonly atMs: number;
}

/**
 * What arrives on a port before signalling has said who sends there: who has offered must be ready for it (RFC 3264 §5.1),
 * and an answer that is lost comes again only half a second later or more.
 */
export class EarlyDatagrams {
  readonly #port: UdpPort;
  #kept: EarlyDatagram[] = [];

  /** Listens on the port until somebody else does. */
  constructor(port: UdpPort) {
    this.#port = port;
    port.onDatagram = (bytes, address, from, atMs) => {
      if (this.#kept.length < MAX_KEPT && bytes.length <= MAX_BYTES)
        this.#kept.push({ bytes: bytes.slice(), address, port: from, atMs });
    };
  }

  /** Ends the listening; what came from there, the rest is forgotten. */
  take(address: string, port: number): readonly EarlyDatagram[] {
    const kept = this.#kept;
    this.#kept = [];
    this.#port.onDatagram = undefined;
    return kept.filter((one) => one.address === address && one.port === port);
  }
}
