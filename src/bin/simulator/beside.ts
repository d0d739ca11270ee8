import { join } from 'node:path';
import type { Config } from '#platform/config/config.ts';
import type { Terminal } from '../cli/terminal.ts';
import { SAMPLE_SCRIPT } from '../sample/campaign.ts';
import { startSimulator } from './start.ts';
import type { Simulator } from './start.ts';

/** Ringing in the sample lasts this share of what it does on a real network. */
const SAMPLE_PACE = 0.4;

/** The simulator's own log in a data directory. */
export function simulatorLogOf(data: string): string {
  return join(data, 'simulator', 'calls.jsonl');
}

/** Starts the simulator that runs beside a platform, whose data directory keeps its log and its announcements. */
export async function startSimulatorBeside(o: {
  readonly data: string;
  readonly port: number;
  readonly seed: number;
  readonly logLevel: Config['log']['level'];
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}): Promise<Simulator> {
  try {
    return await startSimulator(
      {
        bind: { address: '127.0.0.1', port: o.port },
        rtp: { first: 40_000, last: 47_999 },
        seed: o.seed,
        pace: SAMPLE_PACE,
        logFile: simulatorLogOf(o.data),
        voiceDirectory: join(o.data, 'simulator', 'voice'),
        announcementsDirectory: join(o.data, 'announcements'),
        scriptKey: SAMPLE_SCRIPT,
        logLevel: o.logLevel,
      },
      {
        signal: o.signal,
        onWarming: (done, total) =>
          o.terminal.progress({ zh: '准备模拟运营商', en: 'Preparing the simulated carrier' }, done, total),
      },
    );
  } finally {
    o.terminal.endProgress();
  }
}
