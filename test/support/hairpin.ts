// Two addresses of one network namespace whose packets to each other leave it through a device and come back by it, so that
// whoever is behind the device can lose, delay and reorder them.

/** What becomes of each packet; `reorderRatio` of them are not delayed and so overtake. */
export interface BadNetwork {
  readonly lossRatio: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly reorderRatio: number;
}

export const DEVICE = 'bad0';
/** The two ends. */
export const ADDRESSES = ['10.9.0.1', '10.9.0.2'] as const;
/** A router behind a device of Ethernet frames, and both sides of that Ethernet. */
export const ROUTER = { address: '10.9.0.254', mac: '02:00:00:00:00:02', peerMac: '02:00:00:00:00:01' } as const;

/**
 * Shell commands that make the device in a namespace of its own (root, iproute2): `tun` for IP packets, `tap` for Ethernet
 * with a router. The table of local addresses is asked for what comes out of the device alone.
 */
export function hairpin(mode: 'tun' | 'tap'): string {
  const gateway = mode === 'tap' ? `via ${ROUTER.address} onlink` : '';
  return [
    'ip link set lo up',
    `ip tuntap add dev ${DEVICE} mode ${mode}`,
    ...(mode === 'tap' ? [`ip link set ${DEVICE} address ${ROUTER.peerMac}`] : []),
    ...ADDRESSES.map((address) => `ip addr add ${address}/32 dev ${DEVICE}`),
    `ip link set ${DEVICE} up`,
    ...['all', DEVICE].flatMap((dev) =>
      ['accept_local=1', 'rp_filter=0'].map((setting) => `sysctl -qw net.ipv4.conf.${dev}.${setting}`),
    ),
    ...(mode === 'tap' ? [`ip neigh add ${ROUTER.address} lladdr ${ROUTER.mac} dev ${DEVICE} nud permanent`] : []),
    `ip route add 10.9.0.0/24 ${gateway} dev ${DEVICE} table 100`,
    `ip rule add pref 1 iif ${DEVICE} lookup local`,
    'ip rule add pref 2 to 10.9.0.0/24 lookup 100',
    'ip rule add pref 3 lookup local',
    'ip rule del pref 0',
  ].join(' && ');
}

/** The network in the words of `tc qdisc ... netem`. */
export function netemOf({ lossRatio, delayMs, jitterMs, reorderRatio }: BadNetwork): string {
  const jitter = jitterMs === 0 ? '' : `${jitterMs}ms`;
  const reorder = reorderRatio === 0 ? '' : `reorder ${reorderRatio * 100}%`;
  return `loss ${lossRatio * 100}% delay ${delayMs}ms ${jitter} ${reorder}`;
}
