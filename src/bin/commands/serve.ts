import { join, resolve } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { countRows } from '../runtime/count-rows.ts';
import { aborted, stopSignal } from '../cli/stop-signal.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { consoleDirectory } from '../runtime/console-files.ts';
import { createFirstAdministrator, PASSWORD_FILE, publishSampleScripts } from '../runtime/first-start.ts';
import { openPlatform } from '../runtime/platform.ts';
import { removeServerFile, writeServerFile } from '../runtime/server-file.ts';
import { SAMPLE_SCRIPT } from '../sample/campaign.ts';
import { presentSample } from '../sample/present.ts';
import { DEFAULT_CONCURRENCY, runSample, SAMPLE_SEED } from '../sample/run.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import { startSimulator } from '../simulator/start.ts';
import { simulatorTrunk } from '../simulator/trunk.ts';

/** Ringing in the sample lasts this share of what it does on a real network. */
export const SAMPLE_PACE = 0.4;

/** Starts everything and stays until it is told to stop; on an empty database with `sample` runs the sample campaign first. */
export async function serve(o: CommandContext & { readonly sample: boolean }): Promise<void> {
  const { terminal } = o;
  const config = settingsOf(o.flags);
  const clock = systemClock;
  const log = createLog({ level: o.flags.logLevel === undefined && o.sample ? 'warn' : config.log.level });
  const stop = stopSignal();
  const data = resolve(config.dataDirectory);
  await using stack = new AsyncDisposableStack();
  checkDataDirectory(data);

  terminal.say({ zh: '正在启动……', en: 'Starting …' });
  const simulatorLog = join(data, 'simulator', 'calls.jsonl');
  const simulator = config.simulator.enabled
    ? await startSimulator(
        {
          bind: { address: '127.0.0.1', port: config.simulator.port },
          rtp: { first: 40_000, last: 47_999 },
          seed: SAMPLE_SEED,
          pace: SAMPLE_PACE,
          logFile: simulatorLog,
          voiceDirectory: join(data, 'simulator', 'voice'),
          announcementsDirectory: join(data, 'announcements'),
          scriptKey: SAMPLE_SCRIPT,
          logLevel: 'warn',
        },
        (done, total) =>
          terminal.progress({ zh: '准备模拟运营商', en: 'Preparing the simulated carrier' }, done, total),
      )
    : undefined;
  terminal.endProgress();
  if (simulator !== undefined) stack.defer(() => simulator.close());
  if (stop.aborted) return;
  const trunks = [...config.trunks, ...(simulator === undefined ? [] : [simulatorTrunk(simulator.address)])];
  const platform = await openPlatform({
    config: { ...config, log: { level: config.log.level === 'info' && o.sample ? 'warn' : config.log.level } },
    clock,
    log,
    trunks,
    consoleDirectory: consoleDirectory(),
    version: o.version,
  });
  stack.defer(async () => {
    removeServerFile(data);
    await platform.close('stopped');
    terminal.say({
      zh: '已停止：通话已挂断，数据库已关闭。',
      en: 'Stopped: calls are hung up, the database is closed.',
    });
  });
  const { db } = platform.database;
  const empty = (await countRows(db, 'campaigns')) === 0;
  await publishSampleScripts(db, clock);
  const admin = await createFirstAdministrator(db, { dataDirectory: data, language: config.language, clock });
  writeServerFile(data, { url: platform.url, token: platform.operatorToken, pid: process.pid });
  if (platform.recovered > 0) {
    terminal.say({
      zh: `上次没有正常结束：${platform.recovered} 次拨打已按记录收尾，任务继续。`,
      en: `The last run did not end properly: ${platform.recovered} attempts were settled, campaigns go on.`,
    });
  }
  if (admin !== undefined) {
    terminal.say({
      zh: `控制台：${platform.url}\n管理员：${admin.name}  密码：${admin.password}\n（密码也在 ${join(config.dataDirectory, PASSWORD_FILE)}，登录后请删除该文件）`,
      en: `Console: ${platform.url}\nAdministrator: ${admin.name}  password: ${admin.password}\n(also in ${join(config.dataDirectory, PASSWORD_FILE)}; delete that file after signing in)`,
    });
  }
  if (o.sample && empty && simulator !== undefined && !stop.aborted) {
    const report = await runSample(platform, {
      clock,
      terminal,
      contacts: undefined,
      concurrency: DEFAULT_CONCURRENCY,
      seed: SAMPLE_SEED,
      simulatorLog,
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
  terminal.say({ zh: '正在停止：挂断通话、关闭数据库……', en: 'Stopping: hanging up calls, closing the database …' });
}
