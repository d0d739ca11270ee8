import type { Config, TrunkConfig } from '#platform/config/config.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { systemResolver } from '#telephony/sip/transport/locator.ts';
import type { SipResolver } from '#telephony/sip/transport/locator.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { sipBinds } from '../runtime/sip-binds.ts';
import { routeOf } from '../runtime/trunk-routes.ts';
import { registrationOf } from '../runtime/trunks.ts';
import { tryCall } from './call-step.ts';
import type { Finding } from './finding.ts';
import { connectTo, lookUp, secureTo } from './network-steps.ts';
import { askOptions, tryRegistration } from './sip-steps.ts';

/** What a trunk is tested with; `config` holds where we listen. */
export interface TrunkTest {
  readonly config: Config;
  readonly trunk: TrunkConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Whom to call; nobody unless set. */
  readonly phone?: PhoneNumber | undefined;
  readonly resolver?: SipResolver;
  readonly listenMs?: number;
  /** Each finding as soon as it is there. */
  readonly onFinding: (finding: Finding) => void;
}

/** Tests a trunk step by step, over sockets of its own beside a server that may be running. */
export async function testTrunk(o: TrunkTest): Promise<readonly Finding[]> {
  const { clock, config, log, resolver = systemResolver, trunk } = o;
  const findings: Finding[] = [];
  const tell = (...found: readonly Finding[]): void => {
    for (const one of found) {
      findings.push(one);
      o.onFinding(one);
    }
  };
  const route = routeOf(trunk);
  const servers = route.peers.map(({ key }) => key).join(', ');
  tell({
    step: 'configuration',
    state: 'ok',
    code: 'configuration',
    seen: { zh: `配置正确；服务器：${servers}。`, en: `The configuration is valid; servers: ${servers}.` },
  });
  // Ports of its own: a server that runs has the configured ones.
  const { authorities } = config.sip.tls;
  const tls = { port: 0, requireClientCertificate: false, ...(authorities === undefined ? {} : { authorities }) };
  const binds = sipBinds({ ...config.sip, port: 0, tls }, [trunk]);
  const peerTls = binds.find(({ protocol }) => protocol === 'TLS')?.tls;
  await using stack = new AsyncDisposableStack();
  const sip = await SipUserAgent.open({ clock, log, bind: binds, product: `Waihu/${o.version}`, resolver });
  stack.defer(() => sip.close('test is over'));
  const request = registrationOf(trunk, route);
  let server: string | undefined;
  let reachable = false;
  for (const peer of route.peers) {
    const { finding, endpoints } = await lookUp(
      peer,
      binds.map(({ protocol }) => protocol),
      resolver,
    );
    tell(finding);
    const [endpoint] = endpoints;
    if (endpoint === undefined) continue;
    server ??= endpoint.host;
    if (endpoint.protocol === 'TCP') tell(await connectTo(peer, endpoint));
    if (endpoint.protocol === 'TLS')
      tell(await secureTo(peer, endpoint, { ...peerTls, ...peerTls?.peers?.(peer.host) }));
    const options = await askOptions(sip, route, peer, request !== undefined || o.phone !== undefined);
    tell(options);
    reachable ||= options.state !== 'failed';
  }
  if (reachable || request === undefined || route.proxy !== undefined)
    tell(await tryRegistration(sip, clock, request, trunk.account?.realm));
  else
    tell({
      step: 'registration',
      state: 'skipped',
      code: 'registration-unreachable',
      seen: { zh: '没有服务器应答，不试注册。', en: 'No server answers, so registering is not tried.' },
    });
  if (o.phone !== undefined) {
    const callerNumber = trunk.callerNumbers[0] ?? '';
    const listening = o.listenMs === undefined ? {} : { listenMs: o.listenMs };
    tell(
      ...(await tryCall({
        sip,
        clock,
        log,
        rtp: config.rtp,
        route,
        phone: o.phone,
        callerNumber,
        server,
        ...listening,
      })),
    );
  }
  return findings;
}
