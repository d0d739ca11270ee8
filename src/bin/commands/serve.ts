import { join, resolve } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import type { Config } from '#platform/config/config.ts';
import { AppError } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import { countRows } from '../runtime/count-rows.ts';
import { aborted, stopSignals } from '../cli/stop-signal.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { consoleDirectory } from '../runtime/console-files.ts';
import { createFirstAdministrator, PASSWORD_FILE, publishSampleScripts } from '../runtime/first-start.ts';
import { openPlatform } from '../runtime/platform.ts';
import type { Platform } from '../runtime/platform.ts';
import { checkPorts } from '../runtime/ports.ts';
import { removeServerFile, runningServer, writeServerFile } from '../runtime/server-file.ts';
import { presentSample } from '../sample/present.ts';
import { DEFAULT_CONCURRENCY, runSample, SAMPLE_SEED } from '../sample/run.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import { simulatorLogOf, startSimulatorBeside, withSimulatorTrunk } from '../simulator/beside.ts';

/** Starts everything and stays until it is told to stop; on an empty database with `sample` runs the sample campaign first. */
export async function serve(o: CommandContext & { readonly sample: boolean }): Promise<void> {
  const config = settingsOf(o.flags);
  const signals = stopSignals();
  try {
    await run(o, config, signals);
  } catch (error) {
    if (!anyOf(signals).aborted || !(error instanceof AppError) || error.code !== 'aborted') throw error;
    o.terminal.endProgress();
    o.terminal.say({ zh: '启动已取消，没有留下任何进程。', en: 'The start was cancelled; nothing is left running.' });
  }
}

type StopSignals = ReturnType<typeof stopSignals>;

function anyOf({ drain, stop }: StopSignals): AbortSignal {
  return AbortSignal.any([drain, stop]);
}

async function run(
  o: CommandContext & { readonly sample: boolean },
  config: Config,
  signals: StopSignals,
): Promise<void> {
  const stop = anyOf(signals);
  const { terminal } = o;
  const clock = systemClock;
  // Beside the messages for a person only what is wrong; a server without the sample is a service with a log.
  const level = o.flags.logLevel === undefined && o.sample && config.log.level === 'info' ? 'warn' : config.log.level;
  const log = createLog({ level });
  const data = resolve(config.dataDirectory);
  await checkFree(config, data);
  checkDataDirectory(data);

  await using stack = new AsyncDisposableStack();
  terminal.say({ zh: '正在启动……', en: 'Starting …' });
  const simulator = config.simulator.enabled
    ? startSimulatorBeside({
        data,
        port: config.simulator.port,
        seed: SAMPLE_SEED,
        logLevel: 'warn',
        terminal,
        signal: stop,
      })
    : undefined;
  if (simulator !== undefined) stack.defer(() => simulator.close());
  const platform = await openPlatform({
    config: { ...config, log: { level } },
    clock,
    log,
    trunks: () => withSimulatorTrunk(config.trunks, simulator),
    consoleDirectory: consoleDirectory(),
    version: o.version,
    signal: stop,
  });
  stack.defer(async () => {
    removeServerFile(data);
    await platform.close('stopped');
    terminal.say({
      zh: '已停止：通话已挂断，数据库已关闭。',
      en: 'Stopped: calls are hung up, the database is closed.',
    });
  });
  const empty = (await countRows(platform.database.db, 'campaigns')) === 0;
  await welcome(o, config, platform, data);
  if (o.sample && empty && simulator !== undefined && !stop.aborted) {
    const report = await runSample(platform, {
      clock,
      terminal,
      contacts: undefined,
      concurrency: DEFAULT_CONCURRENCY,
      seed: SAMPLE_SEED,
      simulatorLog: simulatorLogOf(data),
      signal: stop,
    });
    if (report !== undefined) process.stdout.write(`\n${presentSample(report, terminal.language)}\n\n`);
  }
  if (!stop.aborted) {
    terminal.say({
      zh: `控制台：${platform.url}（Ctrl-C 停止）`,
      en: `Console: ${platform.url} (Ctrl-C stops)`,
    });
  }
  await aborted(stop);
  if (!signals.stop.aborted) await finishCalls(o, config, platform, signals.stop);
  terminal.say({ zh: '正在停止：挂断通话、关闭数据库……', en: 'Stopping: hanging up calls, closing the database …' });
}

/** Lets the calls that go on come to their ends, for a bounded time. */
async function finishCalls(o: CommandContext, config: Config, platform: Platform, stop: AbortSignal): Promise<void> {
  const { terminal } = o;
  const { limitSeconds } = config.drain;
  await platform.drain({
    limitMs: limitSeconds * 1000,
    stop,
    onLeft(calls) {
      if (calls > 0)
        terminal.say({
          zh: `不再接受新呼叫；等待 ${calls} 通电话结束，最多 ${limitSeconds} 秒（再发一次信号立即挂断）。`,
          en: `No new calls are taken; waiting for ${calls} calls to end, ${limitSeconds} s at most (another signal hangs up).`,
        });
    },
  });
}

/** Whatever is in use already is said before anything is started or made. */
async function checkFree(config: Config, data: string): Promise<void> {
  const running = await runningServer(data);
  if (running !== undefined)
    throw new AppError('database-locked', {
      zh: `Waihu 已在这个数据目录上运行（进程 ${running.pid}），控制台：${running.url}。请先停止它，或用 --data-directory 指定别的目录。`,
      en: `Waihu runs on this data directory already (process ${running.pid}), console: ${running.url}. Stop it first, or name another directory with --data-directory.`,
    });
  await checkPorts([
    { kind: 'tcp', ...config.http, option: '--http-port' },
    { kind: 'udp', ...config.sip, option: '--sip-port' },
    ...(config.simulator.enabled
      ? [
          {
            kind: 'udp' as const,
            host: '127.0.0.1',
            port: config.simulator.port,
            option: '--set simulator.port=…',
          },
        ]
      : []),
  ]);
}

/** Makes what an installation starts with and says where it is. */
async function welcome(o: CommandContext, config: Config, platform: Platform, data: string): Promise<void> {
  const { terminal } = o;
  const { db } = platform.database;
  await publishSampleScripts(db, systemClock);
  const admin = await createFirstAdministrator(db, {
    dataDirectory: data,
    language: config.language,
    clock: systemClock,
  });
  writeServerFile(data, { url: platform.url, token: platform.operatorToken, pid: process.pid });
  if (platform.recovered > 0) {
    terminal.say({
      zh: `上次没有正常结束：${platform.recovered} 次拨打已按记录收尾，任务继续。`,
      en: `The last run did not end properly: ${platform.recovered} attempts were settled, campaigns go on.`,
    });
  }
  if (consoleDirectory() === undefined) {
    terminal.say({
      zh: '控制台网页还没有构建，现在只有 API；用 npm start 启动会自动构建。',
      en: 'The console has not been built, so there is only the API; npm start builds it.',
    });
  }
  if (admin !== undefined) {
    const file = join(config.dataDirectory, PASSWORD_FILE);
    terminal.say({
      zh: `控制台：${platform.url}\n管理员：${admin.name}  密码：${admin.password}\n（密码也在 ${file}，登录后请删除该文件）`,
      en: `Console: ${platform.url}\nAdministrator: ${admin.name}  password: ${admin.password}\n(also in ${file}; delete that file after signing in)`,
    });
  }
}
