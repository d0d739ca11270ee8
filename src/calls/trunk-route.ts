import type { NetworkOutcome } from '#domain/outcome.ts';
import type { TonePlan } from '#telephony/progress/cadence.ts';
import type { AudioCodec, SrtpPolicy } from '#telephony/sdp/media.ts';
import type { SipProtocol } from '#telephony/sip/transport/transport.ts';
import type { Credentials } from '#telephony/sip/user-agent/digest.ts';
import type { NumberRules } from './number-format.ts';

/** One server of a trunk. */
export interface TrunkPeer {
  /** For example `udp:192.0.2.1:5060`; tells the servers of a trunk apart in states and logs. */
  readonly key: string;
  readonly host: string;
  /** Undefined: SRV records decide (RFC 3263). */
  readonly port: number | undefined;
  /** Undefined: what SRV records or the user agent prefer. */
  readonly transport: SipProtocol | undefined;
  /** Lower ones first. */
  readonly priority: number;
  /** Share among those of one priority, at least 1. */
  readonly weight: number;
  /** Most calls at once; undefined: the trunk's own bound. */
  readonly channels: number | undefined;
  /** Most new calls a second; undefined as above. */
  readonly callsPerSecond: number | undefined;
}

/** Who we are to a trunk. */
export interface TrunkAccount {
  /** User part of the address of record. */
  readonly username: string;
  readonly credentials: Credentials;
}

/** How a trunk shows our number; a hidden number needs an identity by which the carrier learns it. */
export type CallerForm = {
  readonly from: 'number' | 'account';
  readonly displayName: string | undefined;
} & (
  | { readonly identity: 'from'; readonly privacy: 'none' }
  | { readonly identity: 'asserted' | 'preferred'; readonly privacy: 'none' | 'id' }
);

/** Where and how a trunk takes calls. */
export interface TrunkRoute {
  readonly name: string;
  readonly peers: readonly [TrunkPeer, ...TrunkPeer[]];
  /** A loose route that requests take first, for example `<sip:edge.example;lr>`. */
  readonly proxy: string | undefined;
  /** Host part of addresses; undefined: the server's. */
  readonly domain: string | undefined;
  readonly account: TrunkAccount | undefined;
  readonly codecs: readonly AudioCodec[];
  readonly numbers: NumberRules;
  readonly caller: CallerForm;
  /** Templates of further header fields, by name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Media encryption with keys in the SDP; off unless said. */
  readonly srtp: SrtpPolicy | undefined;
  /** Whose ringback, busy and congestion tones are listened for. */
  readonly tonePlan: TonePlan;
  /** What this trunk means by a code, where it differs: by `SIP N` or `Q.850;cause=N`. */
  readonly overrides: Readonly<Record<string, NetworkOutcome>>;
  /** Session interval that is asked for (RFC 4028); 0 asks for none. */
  readonly sessionSeconds: number;
  readonly reliable: 'supported' | 'required' | 'off';
}

/** A route to one server with nothing special about it; `rest` says what is. */
export function plainRoute(
  name: string,
  server: { readonly host: string; readonly port: number },
  rest: Partial<TrunkRoute> = {},
): TrunkRoute {
  const peer: TrunkPeer = {
    key: `udp:${server.host}:${server.port}`,
    ...server,
    transport: 'UDP',
    priority: 0,
    weight: 1,
    channels: undefined,
    callsPerSecond: undefined,
  };
  return {
    name,
    peers: [peer],
    proxy: undefined,
    domain: undefined,
    account: undefined,
    codecs: ['PCMA', 'PCMU'],
    numbers: { format: 'e164', stripPrefix: undefined, addPrefix: undefined },
    caller: { from: 'number', displayName: undefined, identity: 'from', privacy: 'none' },
    headers: {},
    srtp: undefined,
    tonePlan: 'cn',
    overrides: {},
    sessionSeconds: 1800,
    reliable: 'supported',
    ...rest,
  };
}
