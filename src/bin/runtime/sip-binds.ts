import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config, TrunkConfig } from '#platform/config/config.ts';
import { AppError } from '#platform/error.ts';
import type { SipBind } from '#telephony/sip/transport/open.ts';
import type { TlsIdentity, TlsPeer } from '#telephony/sip/transport/tls-identity.ts';

/** The transports that the configuration asks for, the preferred one first; throws `config-invalid` for certificate files. */
export function sipBinds(config: Config['sip'], trunks: readonly TrunkConfig[]): readonly SipBind[] {
  const { host: address, port, transports, tls } = config;
  return transports.map((transport): SipBind => {
    if (transport === 'udp') return { protocol: 'UDP', address, port };
    if (transport === 'tcp') return { protocol: 'TCP', address, port };
    return { protocol: 'TLS', address, port: tls.port, tls: identityOf(tls, tlsPeers(trunks)) };
  });
}

function identityOf(tls: Config['sip']['tls'], peers: ReadonlyMap<string, TlsPeer>): TlsIdentity {
  return {
    ...pems('sip.tls', tls),
    requireClientCertificate: tls.requireClientCertificate,
    peers: (host) => peers.get(host),
  };
}

/** The TLS settings of trunks by the host under which their servers are looked for. */
function tlsPeers(trunks: readonly TrunkConfig[]): ReadonlyMap<string, TlsPeer> {
  const peers = new Map<string, TlsPeer>();
  trunks.forEach((trunk, index) => {
    const { tls, outboundProxy } = trunk;
    if (tls === undefined) return;
    const { serverName, verify } = tls;
    const peer: TlsPeer = {
      ...pems(`trunks[${index}].tls`, tls),
      verify,
      ...(serverName === undefined ? {} : { serverName }),
    };
    const proxy = /^sips?:(\[[^\]]+\]|[^:;]+)/.exec(outboundProxy ?? '')?.[1]?.replace(/^\[|\]$/g, '');
    const hosts = trunk.peers?.map(({ host }) => host) ?? (trunk.host === undefined ? [] : [trunk.host]);
    for (const host of proxy === undefined ? hosts : [proxy]) peers.set(host, peer);
  });
  return peers;
}

interface PemFiles {
  readonly certificate?: string;
  readonly key?: string;
  readonly authorities?: string;
}

/** The files' texts, each proved to be what its setting says. */
function pems(path: string, files: PemFiles): Pick<TlsIdentity, 'certificate' | 'key' | 'authorities'> {
  const { certificate, key, authorities } = files;
  return {
    ...(certificate === undefined ? {} : { certificate: read(`${path}.certificate`, certificate, isCertificate) }),
    ...(key === undefined ? {} : { key: read(`${path}.key`, key, isKey) }),
    ...(authorities === undefined ? {} : { authorities: [read(`${path}.authorities`, authorities, isCertificate)] }),
  };
}

function read(path: string, file: string, check: (pem: string) => void): string {
  try {
    const pem = readFileSync(file, 'utf8');
    check(pem);
    return pem;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = {
      zh: `${path}：读不出 PEM 文件 ${file}（${reason}）。请检查路径、权限和格式。`,
      en: `${path}: the PEM file ${file} cannot be used (${reason}). Check its path, permissions and format.`,
    };
    throw new AppError('config-invalid', message, { cause: error, problems: [{ path, message }] });
  }
}

function isCertificate(pem: string): void {
  void new X509Certificate(pem).fingerprint256;
}

function isKey(pem: string): void {
  createPrivateKey(pem);
}
