import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { AppError } from '../error.ts';
import type { Log } from '../log.ts';
import { isOpenToAll, isSystemError, lockDataDirectory, storageFault } from './data-directory.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import {
  dropPostmasterFile,
  freeLoopbackPort,
  runToEnd,
  startPostmaster,
  stopOrphan,
  UNPRIVILEGED,
} from './postmaster.ts';

const USER = 'waihu';
const DATABASE = 'waihu';

/** How the embedded server is started; the settings of tests trade safety for speed. */
export interface EmbeddedPostgresOptions {
  readonly dataDirectory: string;
  readonly log: Log;
  /** A fixed loopback port; a free one otherwise. */
  readonly port?: number;
  /** More `postgresql.conf` settings, for example `fsync: 'off'`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called once when the server ends without being asked to. */
  readonly onExit?: () => void;
}

/** A running server; `close` shuts it down and frees the data directory. */
export interface EmbeddedPostgres {
  readonly url: string;
  /** Where the cluster lies: below the data directory, or below /var/lib/waihu where root's is closed to others. */
  readonly clusterDirectory: string;
  close(): Promise<void>;
  /** Closes, and deletes the cluster with all data: for throw-away data directories. */
  discard(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL of a data directory, making its cluster on the first start. A server that outlived
 * a killed waihu is stopped first. Throws `data-directory-unusable`, `database-locked`, `database-unavailable`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDirectory = path.resolve(options.dataDirectory);
  const lock = await lockDataDirectory(dataDirectory);
  try {
    const home = await clusterHome(dataDirectory);
    const binaries = await postgresBinaries(home, UNPRIVILEGED !== undefined);
    const password = await ownPassword(dataDirectory);
    const cluster = path.join(home, 'cluster');
    await stopOrphan(cluster, options.log);
    await createCluster(binaries.initdb, cluster, password);
    await dropPostmasterFile(cluster);
    const port = options.port ?? (await freeLoopbackPort());
    const server = await startPostmaster({ ...options, executable: binaries.postgres, cluster, port });
    try {
      await createDatabase(connectionUrl(port, password, 'postgres'));
    } catch (error) {
      await server.stop();
      throw error;
    }
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= server.stop().then(() => lock.release()));
    return {
      url: connectionUrl(port, password, DATABASE),
      clusterDirectory: cluster,
      close,
      async discard() {
        await close();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (cause) {
    await lock.release();
    throw cause instanceof AppError ? cause : (storageFault(cause, dataDirectory) ?? cause);
  }
}

/**
 * PostgreSQL refuses to run as root, so root's runs as an unprivileged user, who must be able to reach it: a data
 * directory that only root may enter keeps its cluster below /var/lib/waihu instead.
 */
async function clusterHome(dataDirectory: string): Promise<string> {
  const near = path.join(dataDirectory, 'postgresql');
  const key = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
  const home = UNPRIVILEGED === undefined || (await isOpenToAll(near)) ? near : path.join('/var/lib/waihu', key);
  await mkdir(home, { recursive: true, mode: 0o755 });
  if (UNPRIVILEGED !== undefined) await chmod(home, 0o755);
  return home;
}

async function ownPassword(dataDirectory: string): Promise<string> {
  const file = path.join(dataDirectory, 'database-password');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  const password = randomBytes(24).toString('base64url');
  const partial = `${file}.${randomUUID()}`;
  try {
    await writeFile(partial, password, { mode: 0o600 });
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
  return password;
}

/** A cluster appears under its name only when initdb has finished. */
async function createCluster(initdb: string, cluster: string, password: string): Promise<void> {
  const complete = await readFile(path.join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (complete !== undefined) return;
  const home = path.dirname(cluster);
  const partial = path.join(home, 'cluster.partial');
  const passwordFile = path.join(home, 'initdb-password');
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(partial, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (UNPRIVILEGED !== undefined) {
      await chown(partial, UNPRIVILEGED, UNPRIVILEGED);
      await chown(passwordFile, UNPRIVILEGED, UNPRIVILEGED);
    }
    const encoding = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const result = await runToEnd(
      initdb,
      ['-D', partial, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, ...encoding, '--no-instructions'],
      home,
    );
    if (result.status !== 0)
      throw (
        storageFault(result.output, cluster) ??
        new AppError(
          'database-unavailable',
          {
            zh: `内置数据库无法初始化：${result.lastLine}`,
            en: `The embedded database cannot be initialised: ${result.lastLine}`,
          },
          { cause: new Error(result.output) },
        )
      );
    await rename(partial, cluster);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(partial, { recursive: true, force: true });
  }
}

async function createDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function connectionUrl(port: number, password: string, database: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}
