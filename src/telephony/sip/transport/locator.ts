import { lookup, Resolver } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import type { Clock } from '#platform/clock.ts';
import { peerOf } from './target.ts';
import type { Target } from './target.ts';
import { defaultPort } from './transport.ts';
import type { Peer, SipProtocol } from './transport.ts';
import type { Transports } from './transports.ts';

/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The name service; both reject or give nothing for names that are unknown. */
export interface SipResolver {
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6 addresses, the preferred ones first. */
  addresses(name: string): Promise<readonly string[]>;
}

const TTL_MS = 60_000;
const MAX_NAMES = 1_000;
const SERVICES: Readonly<Record<SipProtocol, string>> = { UDP: '_sip._udp.', TCP: '_sip._tcp.', TLS: '_sips._tcp.' };

/** The system's name service: SRV by DNS, addresses with the hosts file too. */
export const systemResolver: SipResolver = {
  srv: async (name) => new Resolver({ timeout: 2_000, tries: 2 }).resolveSrv(name),
  addresses: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
};

/** Finds the servers of a target in the order in which to try them (RFC 3263 §4, without NAPTR). */
export class Locator {
  readonly #resolver: SipResolver;
  readonly #clock: Clock;
  readonly #transports: Transports;
  readonly #random: () => number;
  readonly #found = new Map<string, { readonly servers: readonly Server[]; readonly untilMs: number }>();
  /** Servers that asked for rest, until when. */
  readonly #resting = new Map<string, number>();

  constructor(options: {
    readonly resolver: SipResolver;
    readonly clock: Clock;
    readonly transports: Transports;
    readonly random: () => number;
  }) {
    this.#resolver = options.resolver;
    this.#clock = options.clock;
    this.#transports = options.transports;
    this.#random = options.random;
  }

  /** Tells the servers, none where the name is unknown; before it returns where the target is an address. */
  locate(target: Target, done: (servers: readonly Peer[]) => void): void {
    if (isIP(target.host) !== 0 || target.host === '') return done([peerOf(target)]);
    const key = `${target.host} ${target.port ?? ''} ${target.protocol ?? ''}`;
    const known = this.#found.get(key);
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return done(this.#order(known.servers));
    void this.#remember(key, target, done);
  }

  /** The server asked for rest (503 with Retry-After, RFC 3261 §21.5.4): others are tried first until then. */
  rest(server: Peer, restMs: number): void {
    if (this.#resting.size >= MAX_NAMES) this.#resting.clear();
    this.#resting.set(`${server.host}:${server.port}`, this.#clock.monotonicMs() + restMs);
  }

  async #remember(key: string, target: Target, done: (servers: readonly Peer[]) => void): Promise<void> {
    // An unknown name is an error to the resolver; to us it has no servers.
    const servers = await this.#lookUp(target).catch(() => []);
    if (this.#found.size >= MAX_NAMES) this.#found.clear();
    if (servers.length > 0) this.#found.set(key, { servers, untilMs: this.#clock.monotonicMs() + TTL_MS });
    done(this.#order(servers));
  }

  async #lookUp(target: Target): Promise<readonly Server[]> {
    const { host, port } = target;
    if (port === undefined) {
      const spoken =
        target.protocol === undefined ? this.#transports.all.map((one) => one.protocol) : [target.protocol];
      for (const protocol of new Set(spoken)) {
        // A missing record is an error to the resolver, and no more than that to us.
        const records = await this.#resolver.srv(`${SERVICES[protocol]}${host}`).catch(() => []);
        // A single "." says that the service is not there (RFC 2782).
        const servers = await Promise.all(
          records
            .filter((record) => record.name !== '' && record.name !== '.')
            .map(async (record) => ({
              ...record,
              protocol,
              serverName: host,
              addresses: await this.#resolver.addresses(record.name).catch(() => []),
            })),
        );
        if (servers.length > 0) return servers;
      }
    }
    const addresses = await this.#resolver.addresses(host);
    return [
      {
        port: port ?? defaultPort(target.protocol),
        priority: 0,
        weight: 0,
        protocol: target.protocol,
        serverName: host,
        addresses,
      },
    ];
  }

  #order(servers: readonly Server[]): readonly Peer[] {
    const peers = drawOrder(servers, this.#random).flatMap(({ addresses, port, protocol, serverName }) =>
      addresses
        .filter((host) => this.#reaches(host))
        .map((host): Peer => ({ host, port, serverName, ...(protocol === undefined ? {} : { protocol }) })),
    );
    const nowMs = this.#clock.monotonicMs();
    const rests = (peer: Peer): boolean => (this.#resting.get(`${peer.host}:${peer.port}`) ?? 0) > nowMs;
    return [...peers.filter((peer) => !rests(peer)), ...peers.filter(rests)];
  }

  #reaches(address: string): boolean {
    return this.#transports.all.some((one) => isIPv6(one.local.address) === isIPv6(address));
  }
}

interface Server {
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
  readonly protocol: SipProtocol | undefined;
  readonly serverName: string;
  readonly addresses: readonly string[];
}

/** Lower priorities first; within one a draw in which the chance of a record is its share of the weight (RFC 2782). */
function drawOrder(servers: readonly Server[], random: () => number): readonly Server[] {
  // Records without weight stand first, so that they are drawn only when the draw is 0.
  const left = servers.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight);
  const drawn: Server[] = [];
  while (left.length > 0) {
    const group = left.filter((one) => one.priority === left[0]!.priority);
    const total = group.reduce((sum, one) => sum + one.weight, 0);
    let rest = random() * total;
    const index = group.findIndex((one) => (rest -= one.weight) <= 0);
    drawn.push(...left.splice(Math.max(index, 0), 1));
  }
  return drawn;
}
