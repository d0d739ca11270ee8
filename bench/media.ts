import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Histogram } from '#telephony/rtp/histogram.ts';
import { printFigure } from './figure.ts';
import {
  INTERVAL_BUCKETS,
  type FromGenerator,
  type FromMediaWorker,
  type MediaWorkerData,
  type ToGenerator,
  type ToMediaWorker,
} from './media-protocol.ts';

const FIRST_PORT = 20_000;
const PORTS_PER_CALL = 4;
/** From the last call on; compilation and memory have settled by then. */
const WARM_UP_MS = 3000;
/** The engine listens so long before the generator sends. */
const HEAD_START_MS = 300;
/** What 1,000 calls on 2 cores leave for one call, the generator beside it. */
const TARGET_CORES_PER_CALL = 1 / 500;
const TARGET_INTERVAL_P99_MS = 25;
const TARGET_SRTP_RATIO = 1.5;
/** The generator's voice says one key in that time. */
const VOICE_LOOP_SECONDS = 2;

/** What one run is made of. */
interface Setting {
  readonly calls: number;
  readonly seconds: number;
  /** So many calls begin in a second. */
  readonly rate: number;
  readonly workers: number;
  readonly vad: boolean;
  readonly srtp: boolean;
  readonly sockets: 'polled' | 'events';
}

/**
 * N concurrent two-way G.711 calls in worker threads of this process (`--calls`, `--seconds`, `--workers`), each recorded and
 * listened to for voice and for keys in the audio, against a generator in a process of its own. Calls begin one after another,
 * `--rate` a second, and are measured once all are there. `--srtp` runs them once in the clear and once encrypted both ways
 * and compares the two; `--no-vad` and `--sockets events` leave something out. Prints
 * one JSON line a figure.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      calls: { type: 'string', default: '300' },
      seconds: { type: 'string', default: '20' },
      rate: { type: 'string', default: '100' },
      // The generator needs a good part of the second core of two; one thread alone would be full before the machine is.
      workers: { type: 'string', default: '2' },
      vad: { type: 'boolean', default: true },
      srtp: { type: 'boolean', default: false },
      sockets: { type: 'string', default: 'polled' },
    },
  });
  const { sockets } = values;
  if (sockets !== 'polled' && sockets !== 'events') throw new RangeError('--sockets takes polled or events');
  const calls = wholeNumber('calls', values.calls);
  const seconds = wholeNumber('seconds', values.seconds);
  const rate = wholeNumber('rate', values.rate);
  const workers = Math.min(calls, wholeNumber('workers', values.workers));
  const plain: Setting = { calls, seconds, rate, workers, vad: values.vad, srtp: false, sockets };
  const plainCores = await runOnce(plain);
  if (!values.srtp) return;
  const srtpCores = await runOnce({ ...plain, srtp: true });
  printFigure({
    bench: 'media',
    figure: 'CPU with SRTP against plain',
    value: srtpCores / plainCores,
    unit: 'ratio',
    target: TARGET_SRTP_RATIO,
  });
}

/** Returns the cores that were busy. */
async function runOnce(setting: Setting): Promise<number> {
  const directory = await mkdtemp(path.join(tmpdir(), 'waihu-bench-'));
  const generator = fork(path.join(import.meta.dirname, 'media-generator.ts'));
  try {
    return await measure({ ...setting, directory, generator });
  } finally {
    generator.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(o: Setting & { directory: string; generator: ChildProcess }): Promise<number> {
  const { calls, generator } = o;
  const idleBytes = process.memoryUsage.rss();
  const opened = await ask(generator, { type: 'open', calls, srtp: o.srtp }, 'opened');
  const threads: Worker[] = [];
  const ports: number[] = [];
  const beginsMs: number[] = [];
  for (let w = 0, done = 0; w < o.workers; w++) {
    const share = Math.ceil((calls - done) / (o.workers - w));
    const begins = Array.from({ length: share }, (_, call) => (call * o.workers * 1000) / o.rate);
    beginsMs.push(...begins);
    const firstPort = FIRST_PORT + done * PORTS_PER_CALL + w * 100;
    const workerData: MediaWorkerData = {
      firstPort,
      lastPort: firstPort + share * PORTS_PER_CALL + 99,
      remotePorts: opened.ports.slice(done, done + share),
      directory: o.directory,
      vad: o.vad,
      srtp: o.srtp,
      sockets: o.sockets,
      beginsMs: begins,
      firstCall: done,
    };
    const thread = new Worker(path.join(import.meta.dirname, 'media-worker.ts'), { workerData });
    threads.push(thread);
    const started = await reply(thread, 'started');
    ports.push(...started.ports);
    done += share;
  }
  for (const thread of threads) thread.postMessage({ type: 'begin' } satisfies ToMediaWorker);
  await delay(HEAD_START_MS);
  tell(generator, { type: 'send', ports, beginsMs });
  await delay(Math.max(...beginsMs) + WARM_UP_MS);
  for (const thread of threads) thread.postMessage({ type: 'warm' } satisfies ToMediaWorker);
  tell(generator, { type: 'warm' });
  const cpuStart = process.cpuUsage();
  const startMs = performance.now();
  await delay(o.seconds * 1000);
  const cpu = process.cpuUsage(cpuStart);
  const microseconds = 1000 * (performance.now() - startMs);
  const coresBusy = (cpu.user + cpu.system) / microseconds;
  const loadedBytes = process.memoryUsage.rss();
  const far = await ask(generator, { type: 'stop' }, 'stopped');
  const results = [];
  for (const thread of threads) {
    const stopped = reply(thread, 'stopped');
    thread.postMessage({ type: 'stop' } satisfies ToMediaWorker);
    results.push(await stopped);
  }
  await Promise.all(threads.map((thread) => thread.terminate()));
  report(o, { coresBusy, kernelCores: cpu.system / microseconds, bytes: loadedBytes - idleBytes }, far, results);
  return coresBusy;
}

function report(
  o: Setting,
  cost: { coresBusy: number; kernelCores: number; bytes: number },
  far: Extract<FromGenerator, { type: 'stopped' }>,
  results: readonly Extract<FromMediaWorker, { type: 'stopped' }>[],
): void {
  const { calls, seconds } = o;
  const total = (pick: (result: (typeof results)[number]) => number): number =>
    results.reduce((sum, result) => sum + pick(result), 0);
  const intervals = new Histogram(INTERVAL_BUCKETS.ms, INTERVAL_BUCKETS.count);
  for (const result of results) intervals.merge(result.intervalCounts);
  const arrivals = new Histogram(INTERVAL_BUCKETS.ms, INTERVAL_BUCKETS.count);
  arrivals.merge(far.intervalCounts);
  const figure = (name: string, value: number, unit: string, target?: number, atLeast = false): void =>
    printFigure({
      bench: 'media',
      figure: o.srtp ? `SRTP: ${name}` : name,
      value,
      unit,
      ...(target === undefined ? {} : { target }),
      atLeast,
    });
  const late = total((r) => r.late);
  const dropped = total((r) => r.framesDropped);
  figure('calls', calls, 'calls', 1000, true);
  figure('packets lost on the way in', far.sent - total((r) => r.received), 'packets', 0);
  figure('packets lost on the way out', far.lost + far.refused, 'packets', 0);
  figure('packets the generator gave up', far.givenUp, 'packets');
  figure('packets too late for playout', late, 'packets');
  figure('frames given up by the tick', dropped, 'frames', 0);
  figure(
    'frames given up while calls began',
    total((r) => r.framesDroppedBefore),
    'frames',
  );
  figure('send interval p50', intervals.percentileMs(0.5), 'ms');
  figure('send interval p99', intervals.percentileMs(0.99), 'ms', TARGET_INTERVAL_P99_MS);
  figure('arrival interval at the far end p99', arrivals.percentileMs(0.99), 'ms');
  figure('tick lateness p99', Math.max(...results.map((r) => r.tickLatenessP99Ms)), 'ms');
  figure('jitter of what was received', total((r) => r.jitterMs) / results.length, 'ms');
  if (o.vad) figure('frames with voice', total((r) => r.voicedFrames) / (calls * seconds * 50), 'ratio');
  figure('keys heard', total((r) => r.keys) / (calls * (seconds / VOICE_LOOP_SECONDS)), 'ratio');
  figure('CPU a call', cost.coresBusy / calls, 'cores', TARGET_CORES_PER_CALL);
  figure('CPU a call, in the kernel', cost.kernelCores / calls, 'cores');
  figure('CPU of the generator a call', far.cpuSeconds / seconds / calls, 'cores');
  figure('resident memory a call', cost.bytes / calls / 1024, 'KiB');
  figure('recorded', total((r) => r.recordedMs) / 1000, 's');
}

function tell(generator: ChildProcess, message: ToGenerator): void {
  generator.send(message);
}

async function ask<Type extends FromGenerator['type']>(
  generator: ChildProcess,
  message: ToGenerator,
  type: Type,
): Promise<Extract<FromGenerator, { type: Type }>> {
  const answered = once(generator, 'message') as Promise<[FromGenerator]>;
  tell(generator, message);
  const [answer] = await answered;
  if (answer.type !== type) throw new Error(`the generator said ${answer.type}`);
  return answer as Extract<FromGenerator, { type: Type }>;
}

async function reply<Type extends FromMediaWorker['type']>(
  thread: Worker,
  type: Type,
): Promise<Extract<FromMediaWorker, { type: Type }>> {
  const [answer] = (await once(thread, 'message')) as [FromMediaWorker];
  if (answer.type !== type) throw new Error(`a worker said ${answer.type}`);
  return answer as Extract<FromMediaWorker, { type: Type }>;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name} takes a whole number`);
  return value;
}
