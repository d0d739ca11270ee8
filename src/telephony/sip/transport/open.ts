import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { StreamLimits } from './connection.ts';
import { StreamTransport } from './stream.ts';
import type { TlsIdentity } from './tls-identity.ts';
import type { SipProtocol, SipTransport } from './transport.ts';
import { UdpTransport } from './udp.ts';

/** One transport of a user agent; IPv6 where the address is. */
export interface SipBind {
  readonly protocol: SipProtocol;
  readonly address: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly tls?: TlsIdentity;
  readonly limits?: Partial<StreamLimits>;
}

/** Opens one transport; throws `port-in-use` or `unavailable`. */
export function openTransport(bind: SipBind, clock: Clock, log: Log): Promise<SipTransport> {
  const { protocol, ...rest } = bind;
  return protocol === 'UDP'
    ? UdpTransport.open({ clock, log, bind })
    : StreamTransport.open({ clock, log, protocol, bind, ...rest });
}
