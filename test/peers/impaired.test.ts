import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#platform/log.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { parseWav } from '#voice/tts/wav.ts';
import { ADDRESSES, hairpin, netemOf } from '../support/hairpin.ts';
import type { BadNetwork } from '../support/hairpin.ts';
import { routerInstalled } from '../support/netem-router.ts';
import { LINES } from './impaired/calls.ts';
import type { ImpairedCall, ImpairedTask } from './impaired/calls.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const CLIP = path('../../../shared/speech/clips/aishell_0724.wav');
const CALLS = 2;
const TEXT = LINES.join('');

/** Whether commands succeed in a network namespace of their own; needs root. */
function succeeds(commands: string): boolean {
  try {
    execFileSync('unshare', ['-n', 'sh', '-c', commands], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const LOOPBACK = ['127.0.0.1', '127.0.0.1'] as const;

/** netem in this kernel where its module is there, else in one of its own, else a link of ours between the same sockets. */
const means = succeeds('ip link set lo up && tc qdisc add dev lo root netem delay 1ms')
  ? 'netem'
  : routerInstalled && succeeds(hairpin('tap'))
    ? 'router'
    : succeeds(hairpin('tun'))
      ? 'link'
      : undefined;
const where = {
  netem: 'netem in a network namespace',
  router: 'netem in a router of User-mode Linux, as this kernel has none',
  link: 'a TUN device in a network namespace, as there is no netem',
  none: 'needs root, iproute2 and either netem or TUN',
}[means ?? 'none'];

interface Case {
  readonly name: string;
  readonly network: BadNetwork;
  /** What must be left of the speech: share of the pieces as they should be, and mean distance. */
  readonly intactRatio: number;
  readonly distanceDb: number;
  /** Whether everything that was typed must arrive. */
  readonly text: boolean;
}

/** Each bound leaves room for chance and for a busy machine beside what was measured (docs/benchmarks.md, bad network). */
const still = { delayMs: 20, jitterMs: 0, reorderRatio: 0 };
const CASES: readonly Case[] = [
  { name: '1 % loss', network: { lossRatio: 0.01, ...still }, intactRatio: 0.85, distanceDb: 3.5, text: true },
  { name: '5 % loss', network: { lossRatio: 0.05, ...still }, intactRatio: 0.75, distanceDb: 4, text: true },
  { name: '10 % loss', network: { lossRatio: 0.1, ...still }, intactRatio: 0.6, distanceDb: 5, text: false },
  {
    name: 'delay of 20 ± 10 ms, a quarter overtaking',
    network: { lossRatio: 0, delayMs: 20, jitterMs: 10, reorderRatio: 0.25 },
    intactRatio: 0.75,
    distanceDb: 4,
    text: true,
  },
];

describe.skipIf(means === undefined)(`calls over a bad network (${where})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'impaired-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const speech = join(folder, 'speech.raw');
  beforeAll(async () => writeFileSync(speech, Buffer.from((await spoken()).buffer)));

  // Again where chance had a text packet and both of its repetitions lost: once in some hundred runs at 5 %.
  it.concurrent.for(CASES)(
    'stay up: $name',
    { retry: 1, timeout: 60_000 },
    async ({ network, intactRatio, distanceDb, text }) => {
      const calls = await run({ speech, calls: CALLS }, network);
      expect(calls.map(({ ends, held }) => ({ ends, held }))).toEqual(
        Array.from({ length: CALLS }, () => ({ ends: ['bye', 'bye'], held: true })),
      );
      // Else the network was not as bad as it should have been.
      expect(mean(calls.map((call) => call.lossRatio))).toBeGreaterThanOrEqual(network.lossRatio / 5);
      const whole = calls.flatMap((call) => call.texts).filter((one) => one === TEXT);
      expect(whole.length).toBeGreaterThanOrEqual(text ? 2 * CALLS : 0);
      expect(mean(calls.map((call) => call.intactRatio))).toBeGreaterThan(intactRatio);
      expect(mean(calls.map((call) => call.distanceDb))).toBeLessThan(distanceDb);
    },
  );
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Somebody's sentence where the recordings are there, else the built-in voice's. */
async function spoken(): Promise<Int16Array> {
  if (existsSync(CLIP)) {
    const { samples, rateHz } = parseWav(readFileSync(CLIP));
    const step = rateHz / 8_000;
    // The mean of each two samples is filter enough for what is compared with itself.
    return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, i) => {
      const at = i * step;
      return ((samples[at] ?? 0) + (samples[at + step - 1] ?? 0)) / 2;
    });
  }
  const voice = new EspeakSynthesizer({ log: silentLog });
  try {
    return await voice.synthesize('您好，这里是测试，今天的天气很好，我们来听一听声音怎么样。', {
      voice: 'zh-female',
      language: 'zh',
    });
  } finally {
    voice.close();
  }
}

/** Runs the calls in a process and a network namespace of their own, in a network as bad as that. */
async function run(task: Omit<ImpairedTask, 'addresses'>, network: BadNetwork): Promise<readonly ImpairedCall[]> {
  const addresses = means === 'netem' ? LOOPBACK : ADDRESSES;
  const calls = [path('impaired/calls.ts'), JSON.stringify({ ...task, addresses })];
  const through = (script: string): string[] => [path(script), JSON.stringify(network), process.execPath, ...calls];
  const [setUp, words] =
    means === 'netem'
      ? [`ip link set lo up && tc qdisc add dev lo root netem ${netemOf(network)}`, calls]
      : means === 'router'
        ? [hairpin('tap'), through('../support/netem-router.ts')]
        : [hairpin('tun'), through('../support/bad-link.ts')];
  const child = spawn('unshare', ['-n', 'sh', '-c', `${setUp} && exec "$@"`, 'sh', process.execPath, ...words]);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status !== 0) throw new Error(`the calls ended with ${String(status)}: ${errors}`);
  return JSON.parse(output) as readonly ImpairedCall[];
}
