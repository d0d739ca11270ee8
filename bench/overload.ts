import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Attempt } from '#domain/call.ts';
import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { LoadMeter } from '#platform/load-meter.ts';
import { silentLog } from '#platform/log.ts';
import { openCallCenter } from '#calls/call-center.ts';
import { PeerList } from '#calls/peer-list.ts';
import { Strangers } from '#calls/strangers.ts';
import { Trunk } from '#calls/trunk.ts';
import { plainRoute } from '#calls/trunk-route.ts';
import { inboundScreen, ownNumbers } from '#bin/runtime/inbound-screen.ts';
import { announcementScript } from '#dialog/announcement.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import { printFigure } from './figure.ts';
import type { FloodOrder, FromFlood } from './overload-far-end.ts';

const HOST = '127.0.0.1';
const OWN = '+862155550000';
/** Long enough for two load reports of the worker. */
const QUIET_MS = 3000;
/** How long the far end waits for late answers. */
const SETTLE_SECONDS = 2;
/** The calls talk, or keep silent, for longer than any run of this bench. */
const TALK_SECONDS = 600;

/**
 * An INVITE flood of an allowed peer on a node that is full, beside live calls with media, recording and dialog
 * (`--calls`, `--rate` INVITEs a second, `--seconds`). Prints one JSON line a figure.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: 'string', default: '50' },
      rate: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '10' },
    },
  });
  const calls = Number(values.calls);
  const clock = systemClock;
  const log = silentLog;
  const recordings = mkdtempSync(path.join(tmpdir(), 'waihu-bench-'));
  const far = fork(path.join(import.meta.dirname, 'overload-far-end.ts'));
  const sip = await SipUserAgent.open({ clock, log, bind: { address: HOST, port: 0 }, product: 'bench' });
  const trunk = new Trunk(plainRoute('peer', { host: HOST, port: 5060 }), { clock });
  const center = await openCallCenter({
    clock,
    log,
    sip,
    trunk: () => trunk,
    workers: 1,
    rtp: { address: HOST, first: 30_000, last: 35_999 },
    recordingsDirectory: recordings,
    fingerprints: new FingerprintLibrary().toJson(),
    logLevel: 'silent',
    phrase: ({ text }) => Promise.resolve(new Uint8Array(text.length * 800).fill(0xb5)),
  });
  const settings = { maxCalls: calls, frameLatenessMs: 60, loopDelayMs: 250, retryAfterSeconds: 5 };
  const meter = new LoadMeter({
    clock,
    log,
    settings,
    calls: () => ({ calls: sip.load.calls, capacity: center.capacity }),
    workers: () => center.workerLoads,
  });
  const peers = new PeerList([{ address: HOST, trunk: 'peer' }]);
  const { screen, counts } = inboundScreen({
    peers: () => peers,
    strangers: new Strangers({ clock, log }),
    policy: 'drop',
    own: ownNumbers([], [OWN]),
    admission: () => meter.admission,
    random: Math.random,
  });
  sip.screen = screen;
  const announcement = announcementScript({ text: '请稍等。', language: 'zh', voice: 'cmn' });
  const noReply = { waitMs: TALK_SECONDS * 1000, reprompts: 1, hangupMs: TALK_SECONDS * 1000 };
  const script = { ...announcement, settings: { ...announcement.settings, maxSeconds: TALK_SECONDS, noReply } };
  sip.onIncomingCall = (incoming) => {
    const attempt: Attempt = {
      id: newId<'attempt'>(),
      direction: 'inbound',
      campaignId: undefined,
      leadId: undefined,
      contactId: undefined,
      number: 1,
      phone: '',
      callerNumber: OWN,
      timeZone: undefined,
      trunk: 'peer',
      ringTimeoutMs: 0,
      script,
      variables: {},
      createdAt: clock.now(),
    };
    const observer = { onState: () => undefined, onSaid: () => undefined, onOptOut: () => undefined };
    center.answerCall(incoming, attempt, new AbortController().signal, observer).catch(() => incoming.reject(503));
  };
  const order: FloodOrder = {
    port: sip.address.port,
    to: OWN,
    calls,
    rate: Number(values.rate),
    seconds: Number(values.seconds),
  };
  try {
    far.send(order);
    await said();
    const idle = process.cpuUsage();
    await delay(QUIET_MS);
    const { user: quietUser, system: quietSystem } = process.cpuUsage(idle);
    const before = { ...facts(), load: meter.load };
    const cpu = process.cpuUsage();
    far.send('flood');
    const worst = watch(() => meter.load);
    const done = (await said()) as Extract<FromFlood, { type: 'done' }>;
    const { user, system } = process.cpuUsage(cpu);
    const after = facts();
    const peak = worst();
    const figure = (name: string, value: number, unit: string, target?: number, atLeast = false): void =>
      printFigure({
        bench: 'overload',
        figure: name,
        value,
        unit,
        ...(target === undefined ? {} : { target }),
        atLeast,
      });
    figure('INVITEs sent', done.sent, 'requests');
    figure('refused with 503 and Retry-After', done.refused / done.sent, 'ratio', 0.999, true);
    figure('answered otherwise', done.others, 'requests', 0);
    figure('INVITE to 503 p50', done.p50Ms, 'ms');
    figure('INVITE to 503 p99', done.p99Ms, 'ms', 100);
    figure('live calls', sip.load.calls, 'calls', calls, true);
    figure('packets of live calls lost at the far end', done.packetsLost, 'packets', 0);
    figure('packets of live calls that arrived', done.packetsReceived, 'packets');
    figure('frame lateness p99 before', before.load.frameLatenessMs, 'ms');
    figure('frame lateness p99 at worst in the flood', peak.frameLatenessMs, 'ms');
    figure('frames given up in the flood', peak.framesDropped, 'frames', 0);
    figure('event loop delay p90 at worst in the flood', peak.loopDelayMs, 'ms');
    figure('transactions kept of the flood', after.transactions - before.transactions, 'transactions', 0);
    figure('memory of the process grown by', (after.bytes - before.bytes) / 2 ** 20, 'MiB', 32);
    const quietCores = (quietUser + quietSystem) / 1000 / QUIET_MS;
    const busySeconds = (user + system) / 1e6 - quietCores * (order.seconds + SETTLE_SECONDS);
    figure('CPU of the live calls alone', quietCores, 'cores');
    figure('CPU a refused INVITE', (busySeconds * 1000) / done.sent, 'ms');
    figure(
      'counted as refused',
      Object.values(counts.refused).reduce((sum, count) => sum + count, 0),
      'requests',
    );
  } finally {
    far.kill();
    meter.close();
    await center.close('bench is over');
    await sip.close('bench is over');
    rmSync(recordings, { recursive: true, force: true });
  }

  /** The far end's next word; throws where it ended instead. */
  async function said(): Promise<FromFlood> {
    const [message] = (await Promise.race([once(far, 'message'), once(far, 'exit').then(() => [])])) as FromFlood[];
    if (message === undefined) throw new Error('the far end has ended');
    return message;
  }

  function facts() {
    return { transactions: sip.load.transactions, bytes: process.memoryUsage.rss() };
  }
}

/** Notes the worst of a load until it is asked for. */
function watch(
  load: () => LoadMeter['load'],
): () => Pick<LoadMeter['load'], 'frameLatenessMs' | 'framesDropped' | 'loopDelayMs'> {
  const worst = { frameLatenessMs: 0, framesDropped: 0, loopDelayMs: 0 };
  const timer = setInterval(() => {
    const now = load();
    worst.frameLatenessMs = Math.max(worst.frameLatenessMs, now.frameLatenessMs);
    worst.loopDelayMs = Math.max(worst.loopDelayMs, now.loopDelayMs);
    worst.framesDropped += now.framesDropped;
  }, 1000);
  return () => {
    clearInterval(timer);
    return worst;
  };
}
