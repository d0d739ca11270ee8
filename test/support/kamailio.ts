import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const BINARY = '/usr/sbin/kamailio';
const MODULES = ['/usr/lib/x86_64-linux-gnu/kamailio/modules', '/usr/lib/aarch64-linux-gnu/kamailio/modules'].find(
  (path) => existsSync(path),
);

/** Without Kamailio (Debian: kamailio, kamailio-tls-modules) its tests are skipped. */
export const kamailioInstalled = existsSync(BINARY) && MODULES !== undefined && existsSync(join(MODULES, 'tls.so'));

export const PASSWORD = 'not a secret';

/** A running edge. */
export interface Edge {
  readonly port: number;
  readonly tlsPort: number;
  /** What it printed of its decisions, without the prefix. */
  readonly said: () => readonly string[];
  /** Resolves when it has printed this, in a line of its own or as a part of one. */
  says(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Kamailio with the configuration in test/peers/kamailio, gateways in the order in which it tries them. */
export async function startEdge(options: {
  readonly gateways: readonly string[];
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly tls?: { readonly key: string; readonly certificate: string; readonly authority: string };
}): Promise<Edge> {
  const { gateways, algorithm, tls } = options;
  const folder = await mkdtemp(join(tmpdir(), 'kamailio-'));
  const [port, tlsPort] = [await freePort(), await freePort()];
  const list = gateways.map((uri, index) => `1 ${uri} 0 ${gateways.length - index}`);
  await writeFile(join(folder, 'dispatcher.list'), `${list.join('\n')}\n`);
  if (tls !== undefined)
    await writeFile(
      join(folder, 'tls.cfg'),
      fill('tls.cfg', { KEY: tls.key, CERTIFICATE: tls.certificate, AUTHORITY: tls.authority }),
    );
  const config = fill('edge.cfg', {
    PORT: String(port),
    MODULES: MODULES ?? '',
    ALGORITHM: algorithm === 'MD5' ? '' : algorithm,
    LIST: join(folder, 'dispatcher.list'),
    PASSWORD,
    TLS_LISTEN: tls === undefined ? 'disable_tcp=yes' : `enable_tls=yes\nlisten=tls:127.0.0.1:${tlsPort}`,
    TLS_MODULE: tls === undefined ? '' : `loadmodule "tls.so"\nmodparam("tls", "config", "${join(folder, 'tls.cfg')}")`,
  });
  await writeFile(join(folder, 'edge.cfg'), config);
  // -DD: it stays our child, so that we can end it.
  const child = spawn(BINARY, ['-DD', '-E', '-m', '32', '-M', '4', '-f', 'edge.cfg', '-Y', folder, '-w', folder], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const look of waiting) look();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const said = (): readonly string[] => [...output.matchAll(/edge: (.*)/g)].map(([, text]) => text ?? '');
  const edge: Edge = {
    port,
    tlsPort,
    said,
    says: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!said().some((line) => line.includes(text))) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
  const up = await Promise.race([listens(port, tls === undefined ? undefined : tlsPort), exited]);
  if (up !== true) throw new Error(`Kamailio ended: ${output}`);
  return edge;
}

function fill(name: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(fileURLToPath(new URL(`../peers/kamailio/${name}`, import.meta.url)), 'utf8');
  return text.replace(/@([A-Z_]+)@/g, (_, key: string) => values[key] ?? '');
}

/** Its sockets are there before its workers are; those read what has come meanwhile. */
async function listens(port: number, tlsPort: number | undefined): Promise<true> {
  const there = (file: string, number: number): boolean =>
    readFileSync(file, 'utf8').includes(`:${number.toString(16).toUpperCase().padStart(4, '0')} `);
  for (let tries = 0; tries < 1_000; tries++) {
    if (there('/proc/net/udp', port) && (tlsPort === undefined || there('/proc/net/tcp', tlsPort))) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('Kamailio does not listen');
}
