import { BlockList, isIP } from 'node:net';

/** One peer that may call us: an address, or a prefix as `192.0.2.0/24` or `2001:db8::/32`. */
export interface AllowedPeer {
  readonly address: string;
  /** Whose it is; undefined for further addresses of carriers, which may use any trunk's numbers. */
  readonly trunk: string | undefined;
}

/** Who may call us, by source address; IPv4 and IPv6. */
export class PeerList {
  readonly #lists = new Map<string | undefined, BlockList>();

  /** Entries that are neither address nor prefix are left out; the configuration refuses them before. */
  constructor(peers: readonly AllowedPeer[]) {
    for (const { address, trunk } of peers) {
      const list = this.#lists.get(trunk) ?? new BlockList();
      this.#lists.set(trunk, list);
      const [host = '', prefix] = address.split('/');
      const family = isIP(host);
      if (family === 0) continue;
      const type = family === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) list.addAddress(host, type);
      else list.addSubnet(host, Number(prefix), type);
    }
  }

  /** The trunks that an address belongs to, none of them for one that is merely allowed; undefined for a stranger. */
  trunksOf(address: string): readonly string[] | undefined {
    const family = isIP(address);
    if (family === 0) return undefined;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    const found = [...this.#lists].filter(([, list]) => list.check(address, type));
    return found.length === 0 ? undefined : found.flatMap(([trunk]) => trunk ?? []);
  }
}
