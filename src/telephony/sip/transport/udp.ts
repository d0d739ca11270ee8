import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { bindError, plainAddress, reachable } from './address.ts';
import { LARGE_BYTES } from './transports.ts';
import { RefusedPorts } from './refused-ports.ts';
import type { Peer, SipTransport } from './transport.ts';

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const NAME_TTL_MS = 60_000;

interface KnownName {
  readonly address: string;
  readonly untilMs: number;
}

/** One UDP socket for everything that is sent and received (RFC 3581 §4: symmetric). */
export class UdpTransport implements SipTransport {
  readonly protocol = 'UDP';
  readonly reliable = false;
  readonly local: { readonly address: string; readonly port: number };
  readonly refusals: RefusedPorts;
  onDatagram: ((bytes: Uint8Array, from: Peer) => void) | undefined;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #names = new Map<string, KnownName>();
  readonly #six: boolean;
  #largeSent = 0;
  #closed: Promise<void> | undefined;

  private constructor(socket: Socket, clock: Clock, log: Log) {
    this.#socket = socket;
    this.#clock = clock;
    this.#log = log;
    const bound = socket.address();
    this.#six = bound.family === 'IPv6';
    this.refusals = new RefusedPorts(clock, bound.address);
    this.local = { address: reachable(bound.address), port: bound.port };
    socket.on('message', (bytes, from) =>
      this.onDatagram?.(bytes, { host: plainAddress(from.address), port: from.port, protocol: 'UDP' }),
    );
    socket.on('error', (error) => log.error({ err: error }, 'SIP socket failed'));
  }

  /** Binds the socket; throws `port-in-use` or `unavailable`. */
  static async open(options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly bind: { readonly address: string; readonly port: number };
  }): Promise<UdpTransport> {
    const { bind } = options;
    const socket = createSocket({
      type: isIP(bind.address) === 6 ? 'udp6' : 'udp4',
      // Peers are addressed by number; names are resolved and cached by #resolve, so no send asks the resolver.
      lookup: (host, _options, done) => done(null, host, isIP(host)),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close();
        reject(bindError(bind, 'UDP', error));
      });
      socket.bind({ address: bind.address, port: bind.port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch (error) {
      options.log.warn({ err: error }, 'SIP receive buffer kept at the default of the system');
    }
    return new UdpTransport(socket, options.clock, options.log);
  }

  send(bytes: Uint8Array, to: Peer, failed?: (error: Error) => void): void {
    if (this.#closed !== undefined) return;
    if (bytes.length > LARGE_BYTES && this.#largeSent++ === 0)
      this.#log.warn({ bytes: bytes.length }, 'SIP message over 1300 bytes sent over UDP; later ones are not logged');
    const address = isIP(to.host) === 0 ? this.#known(to.host) : to.host;
    if (address === undefined) this.#resolve(bytes, to, failed);
    else this.#sendTo(bytes, address, to.port, failed);
  }

  close(): Promise<void> {
    this.onDatagram = undefined;
    this.refusals.close();
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }

  #known(host: string): string | undefined {
    const known = this.#names.get(host);
    return known !== undefined && known.untilMs > this.#clock.monotonicMs() ? known.address : undefined;
  }

  #resolve(bytes: Uint8Array, to: Peer, failed: ((error: Error) => void) | undefined): void {
    const family = this.#six ? 6 : 4;
    lookup(to.host, { family }, (error, address) => {
      if (this.#closed !== undefined) return;
      if (error !== null) {
        failed?.(error);
        return;
      }
      this.#names.set(to.host, { address, untilMs: this.#clock.monotonicMs() + NAME_TTL_MS });
      this.#sendTo(bytes, address, to.port, failed);
    });
  }

  #sendTo(bytes: Uint8Array, address: string, port: number, failed: ((error: Error) => void) | undefined): void {
    if (port < 1 || port > 65_535) {
      // Later, as any other failure: the caller does not have its transaction yet.
      if (failed !== undefined) queueMicrotask(() => failed(new RangeError('port out of range')));
      return;
    }
    const written = this.#six && !address.includes(':') ? `::ffff:${address}` : address;
    if (failed === undefined) this.#socket.send(bytes, port, written, ignoreError);
    else this.#socket.send(bytes, port, written, (error) => error !== null && failed(error));
  }
}

/** Lost responses come again when the peer repeats its request. */
function ignoreError(): void {
  return undefined;
}
