import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import { stopSignal } from '../cli/stop-signal.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import { publishSampleScripts } from '../runtime/first-start.ts';
import { openPlatform } from '../runtime/platform.ts';
import { presentSample } from '../sample/present.ts';
import { DEFAULT_CONCURRENCY, runSample, SAMPLE_SEED } from '../sample/run.ts';
import { simulatorLogOf, startSimulatorBeside, withSimulatorTrunk } from '../simulator/beside.ts';

export interface SampleFlags {
  readonly contacts?: number;
  readonly concurrency?: number;
  readonly seed?: number;
  readonly keep?: string;
}

/** Runs the sample in a data directory of its own and judges it; the exit code is 0 only when it passed. */
export async function sample(o: CommandContext, flags: SampleFlags): Promise<void> {
  const { terminal } = o;
  const stop = stopSignal();
  const clock = systemClock;
  const data = directoryOf(flags.keep);
  const config = settingsOf(o.flags, {
    dataDirectory: data,
    'http.port': 0,
    'sip.port': 0,
    'log.level': o.flags.logLevel ?? 'error',
  });
  const log = createLog({ level: config.log.level });
  const seed = flags.seed ?? SAMPLE_SEED;
  let passed: boolean | undefined;
  try {
    await using stack = new AsyncDisposableStack();
    const simulator = startSimulatorBeside({
      data,
      port: 0,
      seed,
      logLevel: config.log.level,
      terminal,
      signal: stop,
    });
    stack.defer(() => simulator.close());
    const platform = await openPlatform({
      config,
      clock,
      log,
      trunks: () => withSimulatorTrunk([], simulator),
      consoleDirectory: undefined,
      version: o.version,
      throwAway: flags.keep === undefined,
      signal: stop,
    });
    stack.defer(() => platform.close('sample ended'));
    await publishSampleScripts(platform.database.db, clock);
    const report = await runSample(platform, {
      clock,
      terminal,
      contacts: flags.contacts,
      concurrency: flags.concurrency ?? DEFAULT_CONCURRENCY,
      seed,
      simulatorLog: simulatorLogOf(data),
      signal: stop,
    });
    if (report !== undefined) {
      process.stdout.write(
        o.flags.json === true ? `${JSON.stringify(report)}\n` : `\n${presentSample(report, terminal.language)}\n`,
      );
      passed = report.passed;
    }
  } finally {
    terminal.endProgress();
    if (flags.keep === undefined) rmSync(data, { recursive: true, force: true });
  }
  if (passed === undefined) throw new AppError('aborted', { zh: '示例被中断。', en: 'The sample was interrupted.' });
  if (!passed) process.exitCode = 1;
}

function directoryOf(keep: string | undefined): string {
  const directory = keep === undefined ? temporaryDirectory() : resolve(keep);
  checkDataDirectory(directory);
  return directory;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'waihu-sample-'));
  // Root's database runs as another user, who has to get there.
  chmodSync(directory, 0o755);
  return directory;
}
