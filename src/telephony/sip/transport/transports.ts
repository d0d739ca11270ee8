import type { Clock } from '#platform/clock.ts';
import { hostText } from '../messages/uri.ts';
import type { Peer, SipProtocol, SipTransport } from './transport.ts';

/** RFC 3261 §18.1.1: a larger request goes over TCP. */
export const LARGE_BYTES = 1_300;
/** How long a peer that took no TCP is spared from further tries. */
const NO_TCP_MS = 600_000;
const MAX_REMEMBERED = 1_000;

/**
 * The Via of a request that takes the transport (RFC 3261 §18.1.1), with rport (RFC 3581 §3); over streams the peer may
 * use our connection for its own requests (RFC 5923 §8.1).
 */
export function viaOf(branch: string, transport: SipTransport | undefined): string {
  const { address, port } = transport?.local ?? { address: '127.0.0.1', port: 5060 };
  const via = `SIP/2.0/${transport?.protocol ?? 'UDP'} ${hostText(address)}:${port};branch=${branch};rport`;
  return transport?.reliable === true ? `${via};alias` : via;
}

/** The transports of a user agent, and which one a message takes. */
export class Transports {
  readonly all: readonly SipTransport[];
  readonly #clock: Clock;
  readonly #hasTcp: boolean;
  readonly #noTcp = new Map<string, number>();

  constructor(all: readonly SipTransport[], clock: Clock) {
    this.all = all;
    this.#hasTcp = all.some((one) => one.protocol === 'TCP');
    this.#clock = clock;
  }

  /** The transport that says what the peer asks for and speaks its family of addresses; one that fails where none does. */
  choose(to: Peer): SipTransport {
    const six = to.host.includes(':');
    let other: SipTransport | undefined;
    for (const one of this.all) {
      if (to.protocol !== undefined && one.protocol !== to.protocol) continue;
      if (one.local.address.includes(':') === six) return one;
      other ??= one;
    }
    return other ?? this.#missing(to.protocol);
  }

  /** TCP in place of UDP for a request that is too large for a datagram (RFC 3261 §18.1.1), where both sides have it. */
  forLarge(to: Peer): SipTransport | undefined {
    if (to.protocol !== undefined || !this.#hasTcp) return undefined;
    if ((this.#noTcp.get(`${to.host}:${to.port}`) ?? 0) > this.#clock.monotonicMs()) return undefined;
    return this.choose({ ...to, protocol: 'TCP' });
  }

  /** The peer refused TCP: its large requests take UDP for a while. */
  refusedTcp(to: Peer): void {
    if (this.#noTcp.size >= MAX_REMEMBERED) this.#noTcp.clear();
    this.#noTcp.set(`${to.host}:${to.port}`, this.#clock.monotonicMs() + NO_TCP_MS);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((one) => one.close()));
  }

  #missing(protocol: SipProtocol | undefined): SipTransport {
    const fault = `no ${protocol ?? 'SIP'} transport is bound`;
    return {
      protocol: protocol ?? 'UDP',
      reliable: protocol !== 'UDP',
      local: this.all[0]?.local ?? { address: '127.0.0.1', port: 5060 },
      onDatagram: undefined,
      send: (_bytes, _to, failed) => failed !== undefined && queueMicrotask(() => failed(new Error(fault))),
      close: () => Promise.resolve(),
    };
  }
}
