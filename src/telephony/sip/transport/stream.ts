import { connect, createServer, isIP } from 'node:net';
import type { Server, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { Connection } from './connection.ts';
import type { StreamLimits } from './connection.ts';
import { bindError, plainAddress, reachable } from './address.ts';
import { checkSipIdentity } from './tls-identity.ts';
import type { TlsIdentity } from './tls-identity.ts';
import type { Peer, SipTransport } from './transport.ts';

/** Bounds that hold unless a bind says otherwise; the times are RFC 5626's or generous multiples of a round trip. */
const LIMITS: StreamLimits = {
  connections: 2_000,
  perAddress: 100,
  idleMs: 3_600_000,
  connectMs: 5_000,
  messageMs: 10_000,
  messageBytes: 65_536,
  pingMs: 100_000,
  backlogBytes: 1_048_576,
};
const CHECK_MS = 1_000;
/** How a peer says that its connection may be used both ways (RFC 5923 §8.1), and its sent-by. */
const ALIAS =
  /^(?:via|v)[ \t]*:[ \t]*SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*(?:TCP|TLS)[ \t]+[^;\r\n]*?(?::(\d{1,5}))?[ \t]*;[^\r\n,]*\balias\b/im;

/** What a stream transport is opened with. */
export interface StreamOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly protocol: 'TCP' | 'TLS';
  readonly bind: { readonly address: string; readonly port: number };
  readonly tls?: TlsIdentity;
  readonly limits?: Partial<StreamLimits>;
}

/**
 * TCP or TLS (RFC 3261 §18, RFC 5923, RFC 5922): a listener, and connections that are found again by where they lead.
 * An answer goes back over the connection of its request, or over a new one where that is gone (§18.2.2).
 */
export class StreamTransport implements SipTransport {
  readonly protocol: 'TCP' | 'TLS';
  readonly reliable = true;
  readonly local: { readonly address: string; readonly port: number };
  onDatagram: ((bytes: Uint8Array, from: Peer) => void) | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: StreamLimits;
  readonly #tls: TlsIdentity;
  readonly #server: Server | undefined;
  readonly #byFlow = new Map<number, Connection>();
  readonly #byKey = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  #nextFlow = 1;
  #check: Timer | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: StreamOptions, server: Server | undefined, port: number) {
    this.protocol = options.protocol;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#tls = options.tls ?? {};
    this.#server = server;
    this.local = { address: reachable(options.bind.address), port };
    server?.on(options.protocol === 'TLS' ? 'secureConnection' : 'connection', (socket: Socket) =>
      this.#onConnection(socket),
    );
    server?.on('error', (error) => this.#log.error({ err: error }, 'SIP listener failed'));
    server?.on('tlsClientError', (error: Error) =>
      this.#log.info({ reason: error.message }, 'TLS connection to us failed'),
    );
  }

  /** Listens, unless it is TLS without a certificate; throws `port-in-use`, `unavailable` or `config-invalid`. */
  static async open(options: StreamOptions): Promise<StreamTransport> {
    const { bind, protocol, tls } = options;
    if (protocol === 'TLS' && tls?.certificate === undefined) return new StreamTransport(options, undefined, bind.port);
    let server: Server;
    try {
      server =
        protocol === 'TCP'
          ? createServer()
          : createTlsServer({
              cert: tls?.certificate,
              key: tls?.key,
              minVersion: 'TLSv1.2',
              handshakeTimeout: options.limits?.connectMs ?? LIMITS.connectMs,
              requestCert: tls?.requireClientCertificate === true,
              rejectUnauthorized: tls?.requireClientCertificate === true,
              ...(tls?.authorities === undefined ? {} : { ca: [...tls.authorities] }),
            });
    } catch (error) {
      throw bindError(bind, protocol, error as NodeJS.ErrnoException);
    }
    server.maxConnections = options.limits?.connections ?? LIMITS.connections;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(bind, protocol, error)));
      server.listen({ host: bind.address, port: bind.port, exclusive: true }, () => {
        server.removeAllListeners('error');
        resolve();
      });
    });
    const bound = server.address();
    return new StreamTransport(options, server, typeof bound === 'object' && bound !== null ? bound.port : bind.port);
  }

  /** Open connections, both ways together. */
  get connections(): number {
    return this.#byFlow.size;
  }

  send(bytes: Uint8Array, to: Peer, failed?: (error: Error) => void): void {
    if (this.#closed !== undefined) return;
    const known = (to.flow === undefined ? undefined : this.#byFlow.get(to.flow)) ?? this.#byKey.get(keyOf(to));
    const connection = known ?? this.#connect(to);
    if (typeof connection === 'string') {
      if (failed !== undefined) queueMicrotask(() => failed(new Error(connection)));
    } else connection.send(bytes, this.#clock.monotonicMs(), failed);
  }

  close(): Promise<void> {
    this.onDatagram = undefined;
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#check?.cancel();
    const server = this.#server;
    const stopped =
      server === undefined ? undefined : new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const connection of this.#byFlow.values()) connection.close('user agent closed');
    await stopped;
  }

  #connect(to: Peer): Connection | string {
    if (this.#byFlow.size >= this.#limits.connections) return 'too many connections';
    if (to.port < 1 || to.port > 65_535) return 'port out of range';
    let socket: Socket;
    if (this.protocol === 'TCP') socket = connect({ host: to.host, port: to.port });
    else {
      const asked = to.serverName ?? to.host;
      const peer = this.#tls.peers?.(asked);
      const name = peer?.serverName ?? asked;
      const { certificate, key, authorities } = { ...this.#tls, ...peer };
      socket = connectTls({
        host: to.host,
        port: to.port,
        minVersion: 'TLSv1.2',
        checkServerIdentity: (_host, shown) => checkSipIdentity(name, shown),
        rejectUnauthorized: peer?.verify !== false,
        // Server name indication carries names only (RFC 6066 §3).
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ...(certificate === undefined ? {} : { cert: certificate, key }),
        ...(authorities === undefined ? {} : { ca: [...authorities] }),
      });
    }
    const connection = this.#add(socket, { host: to.host, port: to.port, protocol: this.protocol }, true);
    socket.once(this.protocol === 'TLS' ? 'secureConnect' : 'connect', () => {
      connection.ready();
      // Requests inside a dialog name the address of the Contact: they take the connection that proved whose it is.
      const bare = keyOf({ host: to.host, port: to.port });
      if (!this.#byKey.has(bare)) this.#key(connection, bare);
    });
    this.#key(connection, keyOf(to));
    return connection;
  }

  #onConnection(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const count = this.#perAddress.get(address) ?? 0;
    if (
      this.#closed !== undefined ||
      address === '' ||
      count >= this.#limits.perAddress ||
      this.#byFlow.size >= this.#limits.connections
    ) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count + 1);
    const peer: Peer = { host: address, port: socket.remotePort ?? 0, protocol: this.protocol };
    const connection = this.#add(socket, peer, false);
    this.#key(connection, keyOf(peer));
  }

  #add(socket: Socket, peer: Peer, outgoing: boolean): Connection {
    const flow = this.#nextFlow++;
    const connection: Connection = new Connection({
      socket,
      peer,
      flow,
      outgoing,
      limits: this.#limits,
      nowMs: () => this.#clock.monotonicMs(),
      handlers: {
        onMessage: (bytes, from) => {
          if (!outgoing) this.#learnAlias(connection, bytes, from);
          this.onDatagram?.(bytes, from);
        },
        onClosed: (reason) => this.#remove(connection, peer, reason),
      },
    });
    this.#byFlow.set(flow, connection);
    this.#check ??= this.#clock.setTimer(CHECK_MS, this.#checkAll, { unref: true });
    return connection;
  }

  #remove(connection: Connection, peer: Peer, reason: string): void {
    this.#byFlow.delete(connection.flow);
    for (const key of connection.keys) if (this.#byKey.get(key) === connection) this.#byKey.delete(key);
    if (!connection.outgoing) {
      const count = (this.#perAddress.get(peer.host) ?? 1) - 1;
      if (count === 0) this.#perAddress.delete(peer.host);
      else this.#perAddress.set(peer.host, count);
    }
    if (this.#closed === undefined)
      this.#log.debug({ protocol: this.protocol, outgoing: connection.outgoing, reason }, 'SIP connection closed');
  }

  #key(connection: Connection, key: string): void {
    connection.keys.add(key);
    this.#byKey.set(key, connection);
  }

  /** A connection whose requests carry `alias` serves requests to the peer's listening port too (RFC 5923 §8). */
  #learnAlias(connection: Connection, bytes: Uint8Array, from: Peer): void {
    if (connection.keys.size > 1) return;
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1_024)).toString('latin1');
    const match = ALIAS.exec(head);
    if (match === null) return;
    const key = keyOf({ host: from.host, port: Number(match[1] ?? (this.protocol === 'TLS' ? 5061 : 5060)) });
    if (!this.#byKey.has(key)) this.#key(connection, key);
  }

  readonly #checkAll = (): void => {
    this.#check = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const connection of this.#byFlow.values()) connection.check(nowMs);
    if (this.#byFlow.size > 0 && this.#closed === undefined)
      this.#check = this.#clock.setTimer(CHECK_MS, this.#checkAll, { unref: true });
  };
}

/** A connection may serve several names of one address only where TLS proved each of them. */
function keyOf(to: Peer): string {
  return `${to.host} ${to.port} ${to.serverName ?? ''}`;
}
