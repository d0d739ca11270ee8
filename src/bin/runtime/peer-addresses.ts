import { isIP } from 'node:net';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { PeerList } from '#calls/peer-list.ts';
import type { AllowedPeer } from '#calls/peer-list.ts';
import type { TrunkRoute } from '#calls/trunk-route.ts';
import { parseNameAddr } from '#telephony/sip/messages/name-addr.ts';
import { parseSipUri } from '#telephony/sip/messages/uri.ts';
import { systemResolver } from '#telephony/sip/transport/locator.ts';
import type { SipResolver } from '#telephony/sip/transport/locator.ts';

/** Carriers move their names to other addresses without notice; a minute is what DNS lets us cache anyway. */
const LOOK_UP_MS = 60_000;

export interface PeerAddressesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly trunks: readonly Pick<TrunkRoute, 'name' | 'peers' | 'proxy'>[];
  /** Further addresses and prefixes. */
  readonly allow: readonly string[];
  readonly resolver?: SipResolver;
}

/** The addresses that trunks may call from, kept up to date where they have names. */
export class PeerAddresses {
  #list: PeerList;
  readonly #o: PeerAddressesOptions;
  /** What a name led to last; kept while the name service does not answer. */
  readonly #found = new Map<string, readonly string[]>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: PeerAddressesOptions) {
    this.#o = options;
    this.#list = this.#build();
  }

  get list(): PeerList {
    return this.#list;
  }

  /** Looks every name up, now and from then on once a minute. */
  async start(): Promise<void> {
    const names = [...new Set(this.#o.trunks.flatMap(hostsOf))].filter((host) => isIP(host) === 0);
    if (names.length === 0) return;
    await Promise.all(names.map((name) => this.#lookUp(name)));
    this.#list = this.#build();
    if (this.#closed) return;
    this.#timer = this.#o.clock.setTimer(LOOK_UP_MS, () => void this.start(), { unref: true });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #build(): PeerList {
    const peers: AllowedPeer[] = this.#o.allow.map((address) => ({ address, trunk: undefined }));
    for (const trunk of this.#o.trunks)
      for (const host of hostsOf(trunk))
        for (const address of isIP(host) === 0 ? (this.#found.get(host) ?? []) : [host])
          peers.push({ address, trunk: trunk.name });
    return new PeerList(peers);
  }

  async #lookUp(name: string): Promise<void> {
    const { resolver = systemResolver, log } = this.#o;
    // The servers behind SRV records call us too, whichever of them we call ourselves (RFC 3263 §4).
    const records = await Promise.allSettled(
      ['_sip._udp.', '_sip._tcp.', '_sips._tcp.'].map((service) => resolver.srv(`${service}${name}`)),
    );
    const hosts = records.flatMap((result) =>
      result.status === 'fulfilled' ? result.value.map((record) => record.name) : [],
    );
    const addresses = await Promise.allSettled([name, ...hosts].map((host) => resolver.addresses(host)));
    const found = addresses.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (found.length > 0) this.#found.set(name, found);
    else log.warn({ name }, 'the name of a trunk was not found; calls from it are refused until it is');
  }
}

/** The servers of a trunk, and the proxy before them. */
function hostsOf({ peers, proxy }: Pick<TrunkRoute, 'peers' | 'proxy'>): readonly string[] {
  const edge = proxy === undefined ? undefined : parseSipUri(parseNameAddr(proxy)?.uri ?? '')?.host;
  return [...peers.map(({ host }) => host), ...(edge === undefined ? [] : [edge])];
}
