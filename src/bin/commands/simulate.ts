import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError } from '#platform/error.ts';
import { aborted, stopSignal } from '../cli/stop-signal.ts';
import type { CommandContext } from '../cli/settings.ts';
import { checkPorts } from '../runtime/ports.ts';
import { startSimulator } from '../simulator/start.ts';

export interface SimulateFlags {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly pace: number;
  readonly log?: string;
  readonly script: string;
  readonly announcements?: string;
  /** Seconds. */
  readonly callBack?: number;
}

/** Runs the simulated carrier until it is told to stop. */
export async function simulate(o: CommandContext, flags: SimulateFlags): Promise<void> {
  const stop = stopSignal();
  await checkPorts([{ kind: 'udp', host: flags.host, port: flags.port, option: '--port' }]);
  const voiceDirectory = mkdtempSync(join(tmpdir(), 'waihu-simulator-'));
  try {
    const simulator = await startSimulator(
      {
        bind: { address: flags.host, port: flags.port },
        rtp: { first: 40_000, last: 47_999 },
        seed: flags.seed,
        pace: flags.pace,
        logFile: flags.log === undefined ? undefined : resolve(flags.log),
        voiceDirectory,
        announcementsDirectory: flags.announcements === undefined ? undefined : resolve(flags.announcements),
        scriptKey: flags.script,
        logLevel: 'warn',
        ...(flags.callBack === undefined ? {} : { callBackMs: flags.callBack * 1000 }),
      },
      {
        signal: stop,
        onWarming: (done, total) => o.terminal.progress({ zh: '准备语音', en: 'Preparing voices' }, done, total),
      },
    );
    o.terminal.endProgress();
    const { address, port } = simulator.address;
    o.terminal.say({
      zh: `模拟运营商在 ${address}:${port}（UDP）。用任意 SIP 客户端呼叫 sip:13800000000@${address}:${port}；Ctrl-C 停止。`,
      en: `The simulated carrier is at ${address}:${port} (UDP). Call sip:13800000000@${address}:${port} with any SIP client; Ctrl-C stops.`,
    });
    if (o.flags.json === true) process.stdout.write(`${JSON.stringify({ address, port, pid: simulator.pid })}\n`);
    await aborted(stop);
    await simulator.close();
  } catch (error) {
    if (!stop.aborted || !(error instanceof AppError) || error.code !== 'aborted') throw error;
  } finally {
    o.terminal.endProgress();
    rmSync(voiceDirectory, { recursive: true, force: true });
  }
}
