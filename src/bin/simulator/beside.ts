import { join } from 'node:path';
import type { Config, TrunkConfig } from '#platform/config/config.ts';
import type { Terminal } from '../cli/terminal.ts';
import { SAMPLE_SCRIPT } from '../sample/campaign.ts';
import { startSimulator } from './start.ts';
import type { Simulator } from './start.ts';
import { simulatorTrunk } from './trunk.ts';

/** Ringing in the sample lasts this share of what it does on a real network. */
const SAMPLE_PACE = 0.4;

/** The simulator's own log in a data directory. */
export function simulatorLogOf(data: string): string {
  return join(data, 'simulator', 'calls.jsonl');
}

/** A simulator that starts while its platform's database does; its owner closes it, started or not. */
export interface SimulatorBeside {
  /** Resolves once it answers SIP; rejects with what is wrong, and with `aborted`. */
  readonly started: Promise<Simulator>;
  close(): Promise<void>;
}

export interface BesideOptions {
  readonly data: string;
  readonly port: number;
  readonly seed: number;
  readonly logLevel: Config['log']['level'];
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Starts the simulator that runs beside a platform, whose data directory keeps its log and its announcements. */
export function startSimulatorBeside(o: BesideOptions): SimulatorBeside {
  const givenUp = new AbortController();
  const started = start({ ...o, signal: AbortSignal.any([o.signal, givenUp.signal]) });
  // Who asks for it hears of a fault; where the platform fails first nobody does.
  started.catch(() => undefined);
  return {
    started,
    async close() {
      givenUp.abort();
      await started.then(
        (simulator) => simulator.close(),
        () => undefined,
      );
    },
  };
}

async function start(o: BesideOptions): Promise<Simulator> {
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

/** The trunks of a platform and the one that leads to its simulator, once that is there. */
export async function withSimulatorTrunk(
  trunks: readonly TrunkConfig[],
  simulator: SimulatorBeside | undefined,
): Promise<readonly TrunkConfig[]> {
  if (simulator === undefined) return trunks;
  return [...trunks, simulatorTrunk((await simulator.started).address)];
}
