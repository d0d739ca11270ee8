import type { Socket } from 'node:dgram';
import { subscribe } from 'node:diagnostics_channel';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { createLog } from '#platform/log.ts';
import { Histogram } from '#telephony/rtp/histogram.ts';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { printFigure } from './figure.ts';
import { hasSipp, startFarEnd, type FarEnd } from './setup-far-end.ts';
import { localMedia } from './setup-media.ts';

const HOST = '127.0.0.1';
const TARGET_CALLS_PER_CORE_SECOND = 200;
/** The last tenth of a run against the second. */
const TARGET_GROWTH_RATIO = 1.05;
/** INVITE, ACK and BYE. */
const SENT_PER_CALL = 3;
/** Transactions linger this long (64·T1), so memory can be level only afterwards. */
const LINGER_MS = 32_000;
const PUMP_MS = 1;
const SAMPLE_MS = 50;
const RING_TIMEOUT_MS = 10_000;
const TENTHS = 10;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Sizes {
  readonly calls: number;
  /** Calls started a second; 0: as fast as the window allows. */
  readonly rate: number;
  /** Calls at once, those whose BYE is not answered yet included. */
  readonly concurrent: number;
  readonly holdMs: number;
}

/**
 * Calls set up and torn down against a process of its own: INVITE, 180, 200, ACK, `--hold` milliseconds, BYE, 200.
 * `--calls`, `--rate`, `--concurrent`; `--uas sipp|own`. Prints one JSON line a figure; CPU and latency leave the first
 * tenth of the calls out.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: 'string', default: '20000' },
      rate: { type: 'string', default: '0' },
      concurrent: { type: 'string', default: '32' },
      hold: { type: 'string', default: '0' },
      uas: { type: 'string', default: hasSipp() ? 'sipp' : 'own' },
    },
  });
  const sizes: Sizes = {
    calls: wholeNumber('calls', values.calls, TENTHS),
    rate: wholeNumber('rate', values.rate, 0),
    concurrent: wholeNumber('concurrent', values.concurrent, 1),
    holdMs: wholeNumber('hold', values.hold, 0),
  };
  if (values.uas !== 'sipp' && values.uas !== 'own') throw new RangeError('--uas takes sipp or own');
  const limitSeconds = Math.ceil(300 + sizes.calls / 50 + (sizes.rate === 0 ? 0 : sizes.calls / sizes.rate));
  const farEnd = await startFarEnd(values.uas, limitSeconds);
  try {
    await measure(sizes, farEnd);
  } finally {
    farEnd.close();
  }
}

async function measure(sizes: Sizes, farEnd: FarEnd): Promise<void> {
  const datagrams = countDatagrams();
  const agent = await SipUserAgent.open({
    clock: systemClock,
    log: createLog({ level: 'error' }),
    bind: { address: HOST, port: 0 },
    product: 'waihu-bench',
    maxDialogs: sizes.concurrent + 1,
  });
  try {
    // sipp does not say when it listens: the first call, which may be repeated, is not counted.
    await new Calls(agent, farEnd, { ...sizes, calls: 1 }).done;
    datagrams.sent = 0;
    const calls = new Calls(agent, farEnd, sizes);
    await calls.done;
    report(sizes, farEnd, datagrams.sent, calls);
  } finally {
    await agent.close('bench over');
  }
}

/** Counts at the sockets that are opened from now on, so that what the user agent repeats by itself shows. */
function countDatagrams(): { sent: number } {
  const counts = { sent: 0 };
  subscribe('udp.socket', (message) => {
    const { socket } = message as { readonly socket: Socket };
    const send = socket.send.bind(socket) as (...parameters: unknown[]) => void;
    socket.send = (...parameters: unknown[]): void => {
      counts.sent++;
      send(...parameters);
    };
  });
  return counts;
}

/** The run itself: starts calls within window and rate, and keeps the tallies. */
class Calls {
  readonly done: Promise<void>;
  readonly setupTimes = new Histogram(0.1, 100_000);
  /** Resident bytes by tenth of the run. */
  readonly resident: number[][] = Array.from({ length: TENTHS }, () => []);
  failed = 0;
  seconds = 0;
  cpuSeconds = 0;
  farCpuSeconds: number | undefined;
  measuredCalls = 0;
  lingering = 0;
  secondTenthMs = 0;
  /** Behind the second and the last tenth of a run long enough to be level; what is live, garbage collected. */
  readonly liveBytes: number[] = [];
  readonly #agent: SipUserAgent;
  readonly #farEnd: FarEnd;
  readonly #sizes: Sizes;
  readonly #sdp: string;
  readonly #startMs = performance.now();
  #started = 0;
  #warm: { readonly cpu: NodeJS.CpuUsage; readonly farCpu: number | undefined; readonly calls: number } | undefined;

  constructor(agent: SipUserAgent, farEnd: FarEnd, sizes: Sizes) {
    this.#agent = agent;
    this.#farEnd = farEnd;
    this.#sizes = sizes;
    this.#sdp = writeSdp(createOffer(localMedia(20_000)));
    this.done = new Promise((resolve) => {
      const sampler = setInterval(() => this.#sample(), SAMPLE_MS);
      const pump = setInterval(() => {
        this.#pump();
        if (this.#started < sizes.calls || agent.load.calls > 0) return;
        clearInterval(pump);
        clearInterval(sampler);
        this.#finish();
        resolve();
      }, PUMP_MS);
      this.#pump();
    });
  }

  #pump(): void {
    const { calls, rate, concurrent } = this.#sizes;
    const due = rate === 0 ? calls : Math.min(calls, Math.ceil(((performance.now() - this.#startMs) * rate) / 1000));
    while (this.#started < due && this.#agent.load.calls < concurrent) this.#place();
  }

  #place(): void {
    const index = this.#started++;
    if (this.#warm === undefined && index >= this.#sizes.calls / TENTHS) {
      this.secondTenthMs = performance.now() - this.#startMs;
      this.#warm = { cpu: process.cpuUsage(), farCpu: this.#farEnd.cpuSeconds(), calls: index };
    }
    const startMs = performance.now();
    const call = this.#agent.placeCall(
      {
        callId: newId(),
        target: `sip:1${String(index).padStart(10, '0')}@${HOST}:${this.#farEnd.port}`,
        from: `sip:4000000000@${HOST}`,
        sdp: this.#sdp,
        ringTimeoutMs: RING_TIMEOUT_MS,
      },
      {
        onProgress: () => undefined,
        onAnswered: () => {
          this.#pump();
          if (this.#warm !== undefined) this.setupTimes.add(performance.now() - startMs);
          if (this.#sizes.holdMs === 0) call.hangup();
          else setTimeout(() => call.hangup(), this.#sizes.holdMs);
        },
        onEnded: (end) => {
          if (end.cause !== 'bye' || end.by !== 'platform') this.failed++;
          this.#pump();
        },
      },
    );
  }

  #sample(): void {
    const tenth = Math.min(TENTHS - 1, Math.floor((this.#started * TENTHS) / this.#sizes.calls));
    this.resident[tenth]!.push(process.memoryUsage.rss());
    if (tenth === 2 && this.liveBytes.length === 0) this.#measureLive();
    this.lingering = Math.max(this.lingering, this.#agent.load.transactions);
  }

  #measureLive(): void {
    if (this.secondTenthMs < LINGER_MS) return;
    collectGarbage();
    this.liveBytes.push(process.memoryUsage().heapUsed);
  }

  #finish(): void {
    this.#sample();
    this.#measureLive();
    this.seconds = (performance.now() - this.#startMs) / 1000;
    if (this.#warm === undefined) return;
    const cpu = process.cpuUsage(this.#warm.cpu);
    this.cpuSeconds = (cpu.user + cpu.system) / 1e6;
    const farCpu = this.#farEnd.cpuSeconds();
    if (farCpu !== undefined && this.#warm.farCpu !== undefined) this.farCpuSeconds = farCpu - this.#warm.farCpu;
    this.measuredCalls = this.#started - this.#warm.calls;
  }
}

function report(sizes: Sizes, farEnd: FarEnd, sent: number, calls: Calls): void {
  const figure = (name: string, value: number, unit: string, target?: number, atLeast = false): void =>
    printFigure({ bench: 'setup', figure: name, value, unit, ...(target === undefined ? {} : { target }), atLeast });
  const { measuredCalls, cpuSeconds, farCpuSeconds, setupTimes } = calls;
  figure('calls', sizes.calls, 'calls');
  figure('calls failed', calls.failed, 'calls', 0);
  figure('messages repeated by us', sent - SENT_PER_CALL * sizes.calls, 'messages');
  figure('calls a second', sizes.calls / calls.seconds, '1/s');
  figure('calls a second a core', measuredCalls / cpuSeconds, '1/s', TARGET_CALLS_PER_CORE_SECOND, true);
  figure('CPU a call', (cpuSeconds / measuredCalls) * 1000, 'ms');
  if (farCpuSeconds !== undefined && farCpuSeconds > 0) {
    const name = farEnd.kind === 'sipp' ? 'sipp' : 'our user agent as callee';
    figure(`CPU a call of ${name}`, (farCpuSeconds / measuredCalls) * 1000, 'ms');
    figure(`CPU against ${name}`, cpuSeconds / farCpuSeconds, 'ratio');
  }
  figure('INVITE to 200 p50', setupTimes.percentileMs(0.5), 'ms');
  figure('INVITE to 200 p99', setupTimes.percentileMs(0.99), 'ms');
  const early = median(calls.resident[1]!);
  const late = median(calls.resident[TENTHS - 1]!);
  for (const [tenth, samples] of calls.resident.entries()) {
    const resident = median(samples);
    if (resident !== undefined) figure(`resident memory, tenth ${tenth + 1}`, resident / 2 ** 20, 'MiB');
  }
  if (early !== undefined && late !== undefined) {
    // A run whose second tenth comes before the first transactions are gone is still filling.
    const level = calls.secondTenthMs >= LINGER_MS;
    figure('resident memory, last to second tenth', late / early, 'ratio', level ? TARGET_GROWTH_RATIO : undefined);
  }
  const [earlyLive, lateLive] = calls.liveBytes;
  if (earlyLive !== undefined && lateLive !== undefined) {
    figure('live memory behind the last tenth', lateLive / 2 ** 20, 'MiB');
    figure('live memory, last to second tenth', lateLive / earlyLive, 'ratio', TARGET_GROWTH_RATIO);
  }
  figure('resident memory, peak', Math.max(...calls.resident.flat()) / 2 ** 20, 'MiB');
  figure('transactions lingering, peak', calls.lingering, 'transactions');
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`--${name} takes a whole number ≥ ${least}`);
  return value;
}
