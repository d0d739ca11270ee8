import { networkInterfaces } from 'node:os';
import { AppError } from '#platform/error.ts';
import type { SipProtocol } from './transport.ts';

/** An address that can stand in Via and Contact when the socket listens on all of them. */
export function reachable(address: string): string {
  if (address !== '0.0.0.0' && address !== '::') return address;
  const family = address === '::' ? 'IPv6' : 'IPv4';
  for (const list of Object.values(networkInterfaces()))
    for (const entry of list ?? []) if (!entry.internal && entry.family === family) return entry.address;
  return family === 'IPv6' ? '::1' : '127.0.0.1';
}

/** An IPv4 address that an IPv6 socket saw, as IPv4 (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Why a bind failed: `port-in-use`, or `unavailable` for addresses and certificates that do not work. */
export function bindError(
  bind: { readonly address: string; readonly port: number },
  protocol: SipProtocol,
  error: NodeJS.ErrnoException,
): AppError {
  const where = `${bind.address}:${bind.port}/${protocol.toLowerCase()}`;
  if (error.code === 'EADDRINUSE')
    return new AppError(
      'port-in-use',
      {
        zh: `SIP 端口 ${where} 已被占用，请在配置 sip.port 中换一个端口。`,
        en: `The SIP port ${where} is in use; choose another one with sip.port.`,
      },
      { cause: error },
    );
  return new AppError(
    'unavailable',
    {
      zh: `无法监听 SIP 地址 ${where}（${error.code ?? '未知错误'}），请检查配置 sip.host 与证书。`,
      en: `Cannot listen on the SIP address ${where} (${error.code ?? 'unknown error'}); check sip.host and the certificate.`,
    },
    { cause: error },
  );
}
