import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import { stopSignal } from '../cli/stop-signal.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { publishSampleScripts } from '../runtime/first-start.ts';
import { openPlatform } from '../runtime/platform.ts';
import { SAMPLE_SCRIPT } from '../sample/campaign.ts';
import { presentSample } from '../sample/present.ts';
import { DEFAULT_CONCURRENCY, runSample, SAMPLE_SEED } from '../sample/run.ts';
import { startSimulator } from '../simulator/start.ts';
import { simulatorTrunk } from '../simulator/trunk.ts';
import { SAMPLE_PACE } from './serve.ts';

export interface SampleFlags {
  readonly contacts?: number;
  readonly concurrency?: number;
  readonly seed?: number;
  readonly keep?: string;
  readonly json?: boolean;
}

/** Runs the sample in a data directory of its own and judges it; the exit code is 0 only when it passed. */
export async function sample(o: CommandContext, flags: SampleFlags): Promise<void> {
  const { terminal } = o;
  const stop = stopSignal();
  const clock = systemClock;
  const data = flags.keep === undefined ? mkdtempSync(join(tmpdir(), 'waihu-sample-')) : resolve(flags.keep);
  mkdirSync(data, { recursive: true });
  // Root's database runs as another user, who has to get there.
  if (flags.keep === undefined) chmodSync(data, 0o755);
  const config = settingsOf(o.flags, {
    dataDirectory: data,
    'http.port': 0,
    'sip.port': 0,
    'log.level': o.flags.logLevel ?? 'error',
  });
  const log = createLog({ level: config.log.level });
  const seed = flags.seed ?? SAMPLE_SEED;
  const simulatorLog = join(data, 'simulator', 'calls.jsonl');
  let passed: boolean | undefined;
  try {
    await using stack = new AsyncDisposableStack();
    const simulator = await startSimulator(
      {
        bind: { address: '127.0.0.1', port: 0 },
        rtp: { first: 40_000, last: 47_999 },
        seed,
        pace: SAMPLE_PACE,
        logFile: simulatorLog,
        voiceDirectory: join(data, 'simulator', 'voice'),
        announcementsDirectory: join(data, 'announcements'),
        scriptKey: SAMPLE_SCRIPT,
        logLevel: config.log.level,
      },
      (done, total) => terminal.progress({ zh: '准备模拟运营商', en: 'Preparing the simulated carrier' }, done, total),
    );
    terminal.endProgress();
    stack.defer(() => simulator.close());
    const platform = await openPlatform({
      config,
      clock,
      log,
      trunks: [simulatorTrunk(simulator.address)],
      consoleDirectory: undefined,
      version: o.version,
      throwAway: flags.keep === undefined,
    });
    stack.defer(() => platform.close('sample ended'));
    await publishSampleScripts(platform.database.db, clock);
    const report = await runSample(platform, {
      clock,
      terminal,
      contacts: flags.contacts,
      concurrency: flags.concurrency ?? DEFAULT_CONCURRENCY,
      seed,
      simulatorLog,
      signal: stop,
    });
    if (report !== undefined) {
      const json = flags.json === true || o.flags.json === true;
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : `\n${presentSample(report, terminal.language)}\n`);
      passed = report.passed;
    }
  } finally {
    if (flags.keep === undefined) rmSync(data, { recursive: true, force: true });
  }
  if (passed === undefined) throw new AppError('aborted', { zh: '示例被中断。', en: 'The sample was interrupted.' });
  if (!passed) process.exitCode = 1;
}
