import type { TrunkConfig } from '#platform/config/config.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { TrunkPeer, TrunkRoute } from '#calls/trunk-route.ts';
import { serverUri } from '#calls/trunk-invite.ts';
import { sipUri } from '#calls/number-format.ts';
import { Trunk } from '#calls/trunk.ts';
import { TrunkWatch } from '#telephony/sip/user-agent/probe.ts';
import type { Registration, RegistrationRequest } from '#telephony/sip/user-agent/registration.ts';
import type { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { routeOf } from './trunk-routes.ts';

/** While a server is down or unknown it is asked this often at the most. */
const RETRY_MS = 5_000;

/** The trunks of a node: who is registered, which servers live. Its owner closes it before the SIP user agent. */
export interface Trunks {
  find(name: string): Trunk | undefined;
  /** Takes registrations back, waiting a bounded time for the registrars, and stops probing. */
  close(): Promise<void>;
}

/** Registers accounts and watches servers from now on; nothing waits for either. */
export function openTrunks(o: {
  readonly trunks: readonly TrunkConfig[];
  readonly sip: Pick<SipUserAgent, 'register' | 'probe'>;
  readonly clock: Clock;
  readonly log: Log;
}): Trunks {
  const known = new Map<string, Trunk>();
  const watches = new Map<TrunkPeer, TrunkWatch>();
  const registrations: Registration[] = [];
  for (const config of o.trunks) {
    const route = routeOf(config);
    const request = registrationOf(config, route);
    const trunk: Trunk = new Trunk(route, {
      clock: o.clock,
      registers: request !== undefined,
      onChange: () => {
        const { hold } = trunk;
        if (hold === undefined) o.log.info({ trunk: route.name }, 'trunk takes calls again');
        else o.log.warn({ trunk: route.name, hold }, 'trunk takes no new calls');
      },
      onHeard: (peer) => watches.get(peer)?.heard(),
    });
    known.set(route.name, trunk);
    if (request !== undefined) registrations.push(register(o, trunk, request));
    if (config.probe.enabled) for (const [peer, one] of watch(o, trunk, config.probe)) watches.set(peer, one);
  }
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const one of watches.values()) one.close();
    await Promise.all(registrations.map((one) => one.close()));
  };
  return { find: (name) => known.get(name), close: () => (closed ??= close()) };
}

function register(
  { sip, log }: Pick<Parameters<typeof openTrunks>[0], 'sip' | 'log'>,
  trunk: Trunk,
  request: RegistrationRequest,
): Registration {
  return sip.register({
    ...request,
    onChange: (state) => {
      if (state.name === 'closed') return;
      trunk.registered(state.name === 'registered' ? { name: 'registered' } : state);
      const { name } = trunk.route;
      if (state.name === 'registered') log.debug({ trunk: name }, 'trunk is registered');
      if (state.name === 'failed')
        log.warn(
          { trunk: name, status: state.status, why: state.detail, final: state.final },
          'trunk could not be registered',
        );
    },
  });
}

function* watch(
  { sip, clock, log }: Parameters<typeof openTrunks>[0],
  trunk: Trunk,
  probe: TrunkConfig['probe'],
): Generator<[TrunkPeer, TrunkWatch]> {
  const { name, account, peers } = trunk.route;
  const intervalMs = probe.intervalSeconds * 1000;
  for (const peer of peers) {
    const request = {
      target: serverUri(peer),
      ...(peer.transport === undefined ? {} : { transport: peer.transport }),
      ...(account === undefined ? {} : { credentials: account.credentials }),
    };
    const opened = new TrunkWatch({
      clock,
      probe: () => sip.probe(request),
      intervalMs,
      retryMs: Math.min(RETRY_MS, intervalMs),
      hysteresis: { up: probe.upAfter, down: probe.downAfter },
      onChange: (state, last) => {
        const why = last.status === undefined ? last.detail : `SIP ${last.status}`;
        trunk.probed(peer.key, state, why);
        if (state === 'down') log.warn({ trunk: name, server: peer.key, why }, 'trunk server does not answer');
        else if (state === 'up') log.info({ trunk: name, server: peer.key }, 'trunk server answers');
      },
    });
    yield [peer, opened];
  }
}

/** How the account of a trunk is registered; undefined where it is not. */
export function registrationOf(config: TrunkConfig, route: TrunkRoute): RegistrationRequest | undefined {
  const registration = config.account?.registration;
  const { account, domain, peers, proxy } = route;
  if (registration === undefined || account === undefined) return undefined;
  const [peer] = peers;
  const host = registration.registrar ?? domain;
  return {
    registrar: host === undefined ? serverUri(peer) : sipUri('', host).replace('sip:@', 'sip:'),
    address: sipUri(account.username, host ?? peer.host),
    credentials: account.credentials,
    expiresSeconds: registration.expiresSeconds,
    ...(peer.transport === undefined ? {} : { transport: peer.transport }),
    ...(proxy === undefined ? {} : { route: proxy }),
  };
}
