import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TlsPeer } from '#telephony/sip/transport/tls-identity.ts';
import { checkSipIdentity } from '#telephony/sip/transport/tls-identity.ts';
import { defaultPort } from '#telephony/sip/transport/transport.ts';
import type { SipProtocol } from '#telephony/sip/transport/transport.ts';
import type { SipResolver } from '#telephony/sip/transport/locator.ts';
import type { TrunkPeer } from '#calls/trunk-route.ts';
import { connectFinding, tlsFinding } from './network-words.ts';
import { both } from './finding.ts';
import type { Finding } from './finding.ts';

const CONNECT_MS = 5_000;
const SERVICES: Readonly<Record<SipProtocol, string>> = { UDP: '_sip._udp.', TCP: '_sip._tcp.', TLS: '_sips._tcp.' };

/** Where a server answers, by its name or as configured. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly protocol: SipProtocol;
}

/** Looks the server up as a call would: SRV records where no port is set, then addresses. */
export async function lookUp(
  peer: TrunkPeer,
  protocols: readonly SipProtocol[],
  resolver: SipResolver,
): Promise<{ readonly finding: Finding; readonly endpoints: readonly Endpoint[] }> {
  const base = { step: 'dns', server: peer.key } as const;
  const first = peer.transport ?? protocols[0] ?? 'UDP';
  if (isIP(peer.host) !== 0) {
    const endpoints = [{ host: peer.host, port: peer.port ?? defaultPort(first), protocol: first }];
    const seen = { zh: '配置的是地址，不用查域名。', en: 'An address is configured; nothing to look up.' };
    return { finding: { ...base, state: 'ok', code: 'dns-address', seen }, endpoints };
  }
  const srv = peer.port === undefined ? await services(peer, protocols, resolver) : [];
  const names = srv.length > 0 ? srv : [{ name: peer.host, port: peer.port ?? defaultPort(first), protocol: first }];
  const endpoints: Endpoint[] = [];
  for (const { name, port, protocol } of names)
    for (const host of await resolver.addresses(name).catch(() => [])) endpoints.push({ host, port, protocol });
  if (endpoints.length > 0) {
    const list = endpoints.map(({ host, port, protocol }) => `${host}:${port}/${protocol.toLowerCase()}`).join(', ');
    const by = srv.length > 0 ? 'SRV' : 'A/AAAA';
    return {
      finding: { ...base, state: 'ok', code: 'dns-found', seen: both(`${peer.host} → ${list} (${by})`) },
      endpoints,
    };
  }
  return {
    finding: {
      ...base,
      state: 'failed',
      code: srv.length > 0 ? 'dns-srv-without-address' : 'dns-unknown',
      seen: {
        zh: `域名 ${peer.host} 查不到${srv.length > 0 ? 'SRV 记录所指主机的地址' : '地址'}。`,
        en: `The name ${peer.host} has no ${srv.length > 0 ? 'address behind its SRV records' : 'address'}.`,
      },
      means: { zh: '呼叫不知道该发往哪里。', en: 'Calls do not know where to go.' },
      todo: {
        zh: '检查 host 的拼写和本机的 DNS；或直接写运营商给的 IP 地址。',
        en: "Check the spelling of host and this machine's DNS, or set the address that the carrier gave.",
      },
    },
    endpoints,
  };
}

async function services(peer: TrunkPeer, protocols: readonly SipProtocol[], resolver: SipResolver) {
  for (const protocol of peer.transport === undefined ? protocols : [peer.transport]) {
    const records = await resolver.srv(`${SERVICES[protocol]}${peer.host}`).catch(() => []);
    const usable = records.filter(({ name }) => name !== '' && name !== '.');
    if (usable.length > 0)
      return usable.toSorted((a, b) => a.priority - b.priority).map(({ name, port }) => ({ name, port, protocol }));
  }
  return [];
}

/** Connects by TCP; UDP has no connection, OPTIONS shows whether it arrives. */
export async function connectTo(peer: TrunkPeer, endpoint: Endpoint): Promise<Finding> {
  const { host, port } = endpoint;
  const socket = connect({ host, port });
  const fault = await settled(socket, 'connect');
  socket.destroy();
  return connectFinding(peer.key, `${host}:${port}`, fault);
}

/** Connects by TLS and judges the certificate as a call would. */
export async function secureTo(peer: TrunkPeer, endpoint: Endpoint, tls: TlsPeer): Promise<Finding> {
  const { host, port } = endpoint;
  const { authorities, certificate, key, serverName } = tls;
  const name = serverName ?? peer.host;
  const socket = connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    // The certificate is judged below, so that all of its faults can be named.
    rejectUnauthorized: false,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(certificate === undefined ? {} : { cert: certificate, key }),
    ...(authorities === undefined ? {} : { ca: [...authorities] }),
  });
  const fault = await settled(socket, 'secureConnect');
  const shown = fault === undefined ? socket.getPeerCertificate() : undefined;
  const chain = socket.authorizationError as Error | string | null | undefined;
  const protocol = socket.getProtocol();
  socket.destroy();
  const code = chain instanceof Error ? ((chain as NodeJS.ErrnoException).code ?? chain.message) : (chain ?? undefined);
  // Node checks its own idea of the name last; ours knows SIP domains too.
  const chainFault = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? undefined : code;
  const nameFault = shown === undefined ? undefined : checkSipIdentity(name, shown)?.message;
  return tlsFinding({
    server: peer.key,
    where: `${host}:${port}`,
    name,
    fault,
    chainFault,
    nameFault,
    validTo: shown?.valid_to,
    names: shown?.subjectaltname ?? shown?.subject?.CN?.toString(),
    protocol: protocol ?? undefined,
    verify: tls.verify !== false,
  });
}

/** Resolves with the code of the fault, or with undefined once the event came. */
function settled(socket: ReturnType<typeof connect>, event: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.setTimeout(CONNECT_MS, () => resolve('ETIMEDOUT'));
    socket.once(event, () => resolve(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('ECONNRESET'));
  });
}
