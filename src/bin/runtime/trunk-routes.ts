import type { TrunkConfig } from '#platform/config/config.ts';
import type { CallerForm, TrunkPeer, TrunkRoute } from '#calls/trunk-route.ts';
import type { SipProtocol } from '#telephony/sip/transport/transport.ts';

const PROTOCOLS = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' } as const satisfies Record<string, SipProtocol>;

/** A trunk of the configuration as the call centre takes it. */
export function routeOf(trunk: TrunkConfig): TrunkRoute {
  const { name, account, caller, codecs, domain, headers = {}, outboundProxy, progress = {}, srtp } = trunk;
  const overrides = Object.entries(progress).map(([code, outcome]) => [
    code.startsWith('cause-') ? `Q.850;cause=${code.slice(6)}` : `SIP ${code}`,
    outcome,
  ]);
  const form = { from: caller.from, displayName: caller.displayName };
  const shown: CallerForm =
    caller.identity === 'from'
      ? { ...form, identity: 'from', privacy: 'none' }
      : { ...form, identity: caller.identity, privacy: caller.privacy };
  return {
    name,
    peers: peersOf(trunk),
    proxy: outboundProxy === undefined ? undefined : `<${outboundProxy};lr>`,
    domain,
    account:
      account === undefined
        ? undefined
        : {
            username: account.username,
            credentials: {
              username: account.authUser ?? account.username,
              password: account.password,
              ...(account.realm === undefined ? {} : { realm: account.realm }),
            },
          },
    codecs,
    numbers: { format: trunk.numberFormat, stripPrefix: trunk.stripPrefix, addPrefix: trunk.addPrefix },
    caller: shown,
    headers,
    srtp,
    tonePlan: trunk.tonePlan,
    overrides: Object.fromEntries(overrides),
    sessionSeconds: trunk.sessionSeconds,
    reliable: trunk.reliable,
  };
}

/** The servers of a trunk, whichever way they are written. */
function peersOf(trunk: TrunkConfig): TrunkRoute['peers'] {
  const { host = '', port, transport } = trunk;
  const alone = { host, port, transport, priority: 0, weight: 1 };
  const [first, ...others] = (trunk.peers ?? [alone]).map((peer): TrunkPeer => {
    const { channels, callsPerSecond } = { channels: undefined, callsPerSecond: undefined, ...peer };
    const name = peer.host.includes(':') ? `[${peer.host}]` : peer.host;
    return {
      key: `${peer.transport ?? 'sip'}:${name}${peer.port === undefined ? '' : `:${peer.port}`}`,
      host: peer.host,
      port: peer.port,
      transport: peer.transport === undefined ? undefined : PROTOCOLS[peer.transport],
      priority: peer.priority,
      weight: peer.weight,
      channels,
      callsPerSecond,
    };
  });
  if (first === undefined) throw new TypeError('a trunk without servers');
  return [first, ...others];
}
