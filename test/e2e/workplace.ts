import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createUser } from '#api/users.ts';
import { publishSampleScripts } from '#bin/runtime/first-start.ts';
import { openPlatform } from '#bin/runtime/platform.ts';
import type { Platform } from '#bin/runtime/platform.ts';
import { SAMPLE_SCRIPT } from '#bin/sample/campaign.ts';
import { startSimulator } from '#bin/simulator/start.ts';
import { simulatorTrunk } from '#bin/simulator/trunk.ts';
import { systemClock } from '#platform/clock.ts';
import { loadConfig } from '#platform/config/config.ts';
import { silentLog } from '#platform/log.ts';
import { testDatabase } from '../support/database.ts';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Who works with the console in the test. */
export const ADMINISTRATOR = { name: 'lead', password: 'correct horse battery' } as const;

/** A whole platform with a freshly built console and a simulated carrier, on loopback. */
export interface Workplace {
  readonly platform: Platform;
  close(): Promise<void>;
}

/**
 * Starts everything; synthesised lines are kept between runs, the rest is thrown away by `close`. With `trunkPort` the
 * trunk leads to whoever listens there, and there is no simulated carrier.
 */
export async function openWorkplace(
  o: { readonly trunkPort?: number; readonly transferTargets?: string } = {},
): Promise<Workplace> {
  await using stack = new AsyncDisposableStack();
  const data = await mkdtemp(path.join(os.tmpdir(), 'waihu-e2e-'));
  stack.defer(() => rm(data, { recursive: true, force: true }));
  const consoleDirectory = path.join(data, 'console');
  await buildConsole(consoleDirectory);
  const database = await testDatabase();
  stack.defer(() => database.close());
  const carrier =
    o.trunkPort === undefined ? await openCarrier(stack, data) : { address: '127.0.0.1', port: o.trunkPort };
  const config = loadConfig({
    env: {},
    flags: {
      dataDirectory: data,
      databaseUrl: database.url,
      'http.port': 0,
      'sip.port': 0,
      'rtp.workers': 1,
      ...(o.transferTargets === undefined ? {} : { 'transfer.targets': o.transferTargets }),
    },
  });
  const platform = await openPlatform({
    config: { ...config, rtp: { ...config.rtp, firstPort: 38_000, lastPort: 39_999 } },
    clock: systemClock,
    log: silentLog,
    trunks: [simulatorTrunk(carrier)],
    consoleDirectory,
    version: 'test',
  });
  stack.defer(() => platform.close('test over'));
  await publishSampleScripts(platform.database.db, systemClock);
  await createUser(platform.database.db, {
    ...ADMINISTRATOR,
    role: 'admin',
    language: 'zh',
    now: systemClock.now(),
  });
  const owned = stack.move();
  return { platform, close: () => owned.disposeAsync() };
}

/** A simulated carrier that `stack` closes. */
async function openCarrier(stack: AsyncDisposableStack, data: string) {
  const cache = path.join(ROOT, 'node_modules', '.cache', 'e2e-voice');
  await mkdir(cache, { recursive: true });
  const simulator = await startSimulator({
    bind: { address: '127.0.0.1', port: 0 },
    rtp: { first: 36_000, last: 37_999 },
    seed: 1,
    pace: 0.2,
    logFile: undefined,
    voiceDirectory: cache,
    announcementsDirectory: path.join(data, 'announcements'),
    scriptKey: SAMPLE_SCRIPT,
    logLevel: 'error',
  });
  stack.defer(() => simulator.close());
  return simulator.address;
}

async function buildConsole(outDirectory: string): Promise<void> {
  const vite = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--outDir', outDirectory, '--emptyOutDir', '--logLevel', 'error'];
  await promisify(execFile)(process.execPath, args, {
    cwd: path.join(ROOT, 'console'),
    // The tests' own NODE_ENV would make a development build.
    env: { ...process.env, NODE_ENV: 'production' },
  });
}
