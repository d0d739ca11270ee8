import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { cpuSecondsOf } from './process-cpu.ts';
import type { FromSoakPlatform, SoakSample, SoakSettings } from './soak-protocol.ts';
import { reportSoak } from './soak-report.ts';

const LONGEST_TALK_MS = 120_000;
const SAMPLE_MS = 10_000;
/** Ports of the platform's media, below those that the system gives out by itself; behind them the far end's. */
const FIRST_PORT = 12_000;
const PORTS_PER_CALL = 4;

/**
 * Calls through the real call centre — signalling, workers, conversation, voice activity, recordings — against a far end
 * in a process of its own that answers, refuses, rings out, holds, changes its stream, presses keys, types, hangs up at
 * any moment or vanishes. `--calls` at once for `--seconds`, drawn by `--seed`; `--sample` milliseconds between two looks
 * at what the platform holds, each of which is one line on standard error. Prints one JSON line a figure, and sets the
 * exit code where something is left behind.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '3600' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      sample: { type: 'string', default: String(SAMPLE_MS) },
    },
  });
  const calls = wholeNumber('calls', values.calls, 1, 5_000);
  // Ports rest for a while behind a call, and a call that is cancelled gives its own back later than the next one starts.
  const last = FIRST_PORT + (calls + 100) * PORTS_PER_CALL * 2 - 1;
  const seed = wholeNumber('seed', values.seed, 0, 0x7fff_ffff);
  const farEnd = await startFarEnd(seed, last + 1);
  const settings: SoakSettings = {
    port: farEnd.port,
    calls,
    seconds: wholeNumber('seconds', values.seconds, 1, 1_000_000),
    seed,
    workers: wholeNumber('workers', values.workers, 1, 64),
    longestMs: LONGEST_TALK_MS,
    sampleMs: wholeNumber('sample', values.sample, 100, 3_600_000),
    rtp: { first: FIRST_PORT, last },
  };
  try {
    await watch(settings, farEnd.child);
  } finally {
    farEnd.child.kill();
  }
}

async function startFarEnd(
  seed: number,
  firstPort: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const parameters = [seed, firstPort, LONGEST_TALK_MS].map(String);
  const child = fork(path.join(import.meta.dirname, 'soak-far-end.ts'), parameters);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function watch(settings: SoakSettings, farEnd: ChildProcess): Promise<void> {
  const platform = fork(path.join(import.meta.dirname, 'soak-platform.ts'), [JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  const samples: SoakSample[] = [];
  const logged = { errors: 0, warnings: 0, other: 0 };
  const lines = createInterface({ input: platform.stderr! });
  lines.on('line', (line) => {
    const level = levelOf(line);
    if (level >= 50) logged.errors++;
    else if (level >= 40) logged.warnings++;
    else logged.other++;
    process.stderr.write(`${line}\n`);
  });
  let end: Extract<FromSoakPlatform, { type: 'end' }> | undefined;
  platform.on('message', (message: FromSoakPlatform) => {
    if (message.type === 'end') end = message;
    else {
      samples.push(message.sample);
      process.stderr.write(`${JSON.stringify({ ...message.sample, ...message.tally })}\n`);
    }
  });
  const [code] = (await once(platform, 'exit')) as [number | null];
  if (end === undefined) throw new Error(`the platform ended with ${code} before its time`);
  const counts = once(farEnd, 'message');
  farEnd.send('counts');
  const [far] = (await counts) as [Record<string, number>];
  const whole = reportSoak({ settings, samples, end, logged, far, farCpuSeconds: cpuSecondsOf(farEnd.pid!) });
  if (!whole || code !== 0) process.exitCode = 1;
}

/** The level of a log line; 0 for what is none, which is as unexpected. */
function levelOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { level?: unknown }).level);
  } catch {
    return 0;
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(`--${name} takes a whole number from ${least} to ${most}`);
  return value;
}
