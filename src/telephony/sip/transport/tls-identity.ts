import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';

/** TLS of one bind: PEM texts. */
export interface TlsIdentity {
  /** Our certificate with its chain; without it nobody can connect to us and only outgoing connections are made. */
  readonly certificate?: string;
  readonly key?: string;
  /** Whom we trust in place of the authorities of the system. */
  readonly authorities?: readonly string[];
  /** What differs for a peer that we connect to, by the name or address under which it was looked for. */
  readonly peers?: (host: string) => TlsPeer | undefined;
  /** Peers that connect to us must show a certificate that the authorities signed. */
  readonly requireClientCertificate?: boolean;
}

/** TLS towards one peer, where it differs from that of the bind: PEM texts. */
export interface TlsPeer {
  readonly certificate?: string;
  readonly key?: string;
  readonly authorities?: readonly string[];
  /** The name that the peer has to prove in place of the one under which it was looked for. */
  readonly serverName?: string;
  /** False: whoever answers is taken for the peer. */
  readonly verify?: boolean;
}

/** Reads an identity from PEM files; throws what the file system throws. */
export function readTlsIdentity(files: {
  readonly certificate?: string;
  readonly key?: string;
  readonly authorities?: readonly string[];
}): TlsIdentity {
  const { certificate, key, authorities } = files;
  return {
    ...(certificate === undefined ? {} : { certificate: readFileSync(certificate, 'utf8') }),
    ...(key === undefined ? {} : { key: readFileSync(key, 'utf8') }),
    ...(authorities === undefined ? {} : { authorities: authorities.map((file) => readFileSync(file, 'utf8')) }),
  };
}

/**
 * Whether the certificate proves the SIP domain (RFC 5922 §7.1): a URI name `sip:domain` does; without any such name DNS
 * names, addresses and the common name count as in HTTPS. Gives back the fault.
 */
export function checkSipIdentity(host: string, certificate: PeerCertificate): Error | undefined {
  const domains = (certificate.subjectaltname ?? '')
    .split(/,\s*/)
    .flatMap((name) => /^URI:sips?:([^;?]+)$/i.exec(name)?.[1]?.toLowerCase() ?? []);
  if (domains.length > 0 && isIP(host) === 0) {
    if (domains.includes(host.toLowerCase())) return undefined;
    if (!/DNS:/.test(certificate.subjectaltname ?? '')) return new Error('certificate names another SIP domain');
  }
  return checkServerIdentity(host, certificate);
}
