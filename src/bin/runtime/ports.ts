import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { AppError } from '#platform/error.ts';

/** One address that a process is about to listen on. */
export interface PortUse {
  readonly kind: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  /** What a person changes to have another port. */
  readonly option: string;
}

/** Why an address cannot be listened on, as Node's error code; undefined where it can. */
export async function portFault({ kind, host, port }: PortUse): Promise<string | undefined> {
  if (port === 0) return undefined;
  return new Promise((done) => {
    const onError = (error: NodeJS.ErrnoException): void => done(error.code ?? 'EIO');
    if (kind === 'tcp') {
      const server = createServer();
      server.once('error', onError);
      server.listen(port, host, () => server.close(() => done(undefined)));
    } else {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.once('error', onError);
      socket.bind(port, host, () => socket.close(() => done(undefined)));
    }
  });
}

/** Throws `port-in-use` before anything has been made where an address cannot be listened on. */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  for (const use of uses) {
    const fault = await portFault(use);
    if (fault === undefined) continue;
    const where = `${use.host}:${use.port}/${use.kind}`;
    if (fault === 'EADDRINUSE')
      throw new AppError('port-in-use', {
        zh: `端口 ${where} 已被占用：请停止占用它的程序，或用 ${use.option} 换一个端口。`,
        en: `Port ${where} is in use: stop the program that uses it, or choose another with ${use.option}.`,
      });
    throw new AppError('unavailable', {
      zh: `无法监听 ${where}（${fault}）：请检查地址和权限，或用 ${use.option} 换一个端口。`,
      en: `It is not possible to listen on ${where} (${fault}): check the address and your permissions, or choose another port with ${use.option}.`,
    });
  }
}
