import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { isAbandoned, isSystemError } from '#platform/db/data-directory.ts';
import { openDatabase } from '#platform/db/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#platform/db/embedded.ts';
import { ensurePartitions, migrate } from '#platform/db/migrate.ts';
import { stopOrphan } from '#platform/db/postmaster.ts';
import { silentLog } from '#platform/log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A loopback port that answers every connection with the URL of the test server. */
    databaseDoor: number;
  }
}

/** The migrated database that every test's own is copied from. */
export const TEMPLATE = 'waihu_template';

const PREFIX = 'waihu-test-database-';

/** Vitest's global set-up: one server for all test files, started when the first of them asks for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<{ server: EmbeddedPostgres; directory: string }> | undefined;
  const door = createServer((socket) => {
    socket.on('error', () => undefined);
    starting ??= start();
    starting.then(
      ({ server }) => socket.end(server.url),
      (error: unknown) => socket.end(`! ${String(error)}`),
    );
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  project.provide('databaseDoor', (door.address() as AddressInfo).port);
  return async () => {
    door.close();
    const started = await starting?.catch(() => undefined);
    if (started === undefined) return;
    await started.server.close();
    await rm(started.directory, { recursive: true, force: true });
  };
}

async function start(): Promise<{ server: EmbeddedPostgres; directory: string }> {
  await sweep();
  const directory = await mkdtemp(path.join(os.tmpdir(), PREFIX));
  const server = await startEmbeddedPostgres({
    dataDirectory: await openUp(directory),
    log: silentLog,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  const admin = await openDatabase(server.url, { maxConnections: 1 });
  await admin.pool.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.close();
  const template = await openDatabase(server.url.replace(/\/waihu$/, `/${TEMPLATE}`), { maxConnections: 2 });
  await migrate(template.pool, silentLog);
  await ensurePartitions(template.pool, new Date());
  await template.close();
  return { server, directory };
}

/** mkdtemp's mode would close the directory to the unprivileged user that root's server runs under. */
async function openUp(directory: string): Promise<string> {
  await chmod(directory, 0o755);
  return directory;
}

/** Servers of test runs that were killed; another user's, or one that another run sweeps too, are left alone. */
async function sweep(): Promise<void> {
  for (const name of await readdir(os.tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const directory = path.join(os.tmpdir(), name);
    try {
      if (!(await isAbandoned(directory))) continue;
      await stopOrphan(path.join(directory, 'postgresql', 'cluster'), silentLog);
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      if (!isSystemError(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTEMPTY')) throw error;
    }
  }
}
