import { createSocket } from 'node:dgram';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainRoute } from '#calls/trunk-route.ts';
import type { TrunkPeer, TrunkRoute } from '#calls/trunk-route.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { IncomingCall } from '#telephony/sip/user-agent.ts';
import { openCallee } from '../support/callee.ts';
import type { CalleeCall, TestCallee } from '../support/callee.ts';
import { openTestCenter, readRecording, shortScript } from '../support/call-center.ts';
import type { TestCenter, WatchedObserver } from '../support/call-center.ts';
import { hasOpenssl, makeCertificate } from '../support/certificates.ts';
import type { TestCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { openLogLines } from '../support/log-lines.ts';
import { amplitudeAt, toneOf } from '../support/tones.ts';

const PHONE = '+8613811112222';
const HOST = '127.0.0.1';

/** A far end that does one thing wrong. */
async function farEnd(take: (call: IncomingCall) => void, certificate?: TestCertificate): Promise<SipUserAgent> {
  const bind = { address: HOST, port: 0 };
  const agent = await SipUserAgent.open({
    clock: systemClock,
    log: silentLog,
    product: 'far end',
    bind: certificate === undefined ? bind : [{ ...bind, protocol: 'TLS', tls: certificate }],
  });
  agent.onIncomingCall = take;
  return agent;
}

/** A trunk to a port of this machine. */
function route(name: string, port: number, rest: Partial<TrunkRoute> = {}, peer: Partial<TrunkPeer> = {}): TrunkRoute {
  const plain = plainRoute(name, { host: HOST, port }, rest);
  return { ...plain, peers: [{ ...plain.peers[0], ...peer }] };
}

const CHALLENGE = 'Digest realm="carrier", nonce="n", algorithm=SHA-256, qop="auth"';

/** Each fault ends in an outcome and one line of its own, while a call beside it goes on. */
describe('a trunk that fails', () => {
  const { log, lines } = openLogLines();
  const agents: SipUserAgent[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'waihu-faults-'));
  const workerLog = join(folder, 'worker.log');
  const workerLogFd = openSync(workerLog, 'a');
  let center: TestCenter;
  let callee: TestCallee;
  let steady: { readonly call: CalleeCall; readonly observer: WatchedObserver; readonly done: Promise<unknown> };

  beforeAll(async () => {
    const open = async (...parameters: Parameters<typeof farEnd>): Promise<number> => {
      const agent = await farEnd(...parameters);
      agents.push(agent);
      return agent.address.port;
    };
    const expired = hasOpenssl ? makeCertificate(folder, 'expired', `IP:${HOST}`, true) : undefined;
    const unknown = hasOpenssl ? makeCertificate(folder, 'unknown', `IP:${HOST}`) : undefined;
    const pcmu = writeSdp(
      createOffer({
        address: HOST,
        audioPort: 40_000,
        textPort: 40_002,
        codecs: ['PCMU'],
        dtmf: false,
        direction: 'sendrecv',
      }),
    );
    callee = await openCallee({ rtp: { first: 24_000, last: 24_199 } });
    const answer = (call: IncomingCall): void => call.answer('');
    const account = { username: 'waihu', credentials: { username: 'waihu', password: 'hunter2' } };
    const refuse = (status: number) => (call: IncomingCall) =>
      status === 401 ? call.reject(401, 'Unauthorized', [['WWW-Authenticate', CHALLENGE]]) : call.reject(status);
    const routes = [
      route('wrong-password', await open(refuse(401)), { account }),
      route('wrong-codec', await open(refuse(488))),
      route('other-codec', await open((call) => call.answer(pcmu)), { codecs: ['PCMA'] }),
      route('no-sdp', await open(answer)),
      route('refused-port', await freePort(), {}, { transport: 'TCP' }),
      route('refused-datagrams', await freePort(), {}, { transport: 'UDP' }),
      ...(expired === undefined ? [] : [route('expired', await open(answer, expired), {}, { transport: 'TLS' })]),
      ...(unknown === undefined
        ? []
        : [route('unknown-authority', await open(answer, unknown), {}, { transport: 'TLS' })]),
    ];
    center = await openTestCenter({
      trunkPort: callee.port,
      routes,
      log,
      workerLogFd,
      rtp: { first: 24_200, last: 24_399 },
      bind: [
        { protocol: 'UDP', address: HOST, port: 0 },
        { protocol: 'TCP', address: HOST, port: 0 },
        {
          protocol: 'TLS',
          address: HOST,
          port: 0,
          tls: expired === undefined ? {} : { authorities: [expired.certificate] },
        },
      ],
    });
    const taken = Promise.withResolvers<CalleeCall>();
    callee.onCall = (call, take) => {
      taken.resolve(call);
      take();
    };
    const placed = center.call('+8613800000000', {
      script: shortScript({ noReply: { waitMs: 60_000, reprompts: 0, hangupMs: 60_000 } }),
    });
    steady = { call: await taken.promise, ...placed };
    await placed.observer.until(() => placed.observer.said.length > 0);
  });
  afterAll(async () => {
    await center.close();
    closeSync(workerLogFd);
    rmSync(folder, { recursive: true });
    await callee.close();
    await Promise.all(agents.map((agent) => agent.close('test is over')));
  });

  it.each([
    ['wrong-password', 'trunk-auth-failed', 'trunk refused our credentials', { status: 401 }],
    ['wrong-codec', 'media-refused', 'no media could be agreed on', { status: 488 }],
    ['other-codec', 'media-refused', 'no media could be agreed on', { why: 'answer has no codec that was offered' }],
    ['no-sdp', 'media-refused', 'no media could be agreed on', { why: 'answer without SDP' }],
    [
      'refused-port',
      'trunk-unreachable',
      'trunk could not be reached',
      { why: expect.stringContaining('ECONNREFUSED') },
    ],
    [
      'refused-datagrams',
      'trunk-unreachable',
      'trunk could not be reached',
      { why: expect.stringContaining('ECONNREFUSED') },
    ],
    ['expired', 'trunk-unreachable', 'trunk could not be reached', { why: 'certificate has expired' }],
    [
      'unknown-authority',
      'trunk-unreachable',
      'trunk could not be reached',
      { why: expect.stringMatching(/self-signed/) },
    ],
  ] as const)('%s: ends as %s with one line, and disturbs nobody', async (trunk, outcome, msg, fields) => {
    if (!hasOpenssl && (trunk === 'expired' || trunk === 'unknown-authority')) return;
    const heardBefore = steady.call.received.length;
    const linesBefore = lines.length;
    const startMs = systemClock.monotonicMs();
    const { attempt, done } = center.call(PHONE, { trunk });
    const finished = await done;
    // No fault of a trunk takes longer to be seen: a closed UDP port is told twice, after 0.5 and 1.5 s.
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(2500);
    expect(finished).toMatchObject({ outcome, talkMs: 0, recording: undefined });
    expect(finished.evidence).not.toEqual([]);
    expect(lines.slice(linesBefore)).toMatchObject([{ msg, call: attempt.id, trunk, ...fields }]);
    expect(JSON.stringify(lines.slice(linesBefore))).not.toMatch(/13811112222|hunter2/);
    // The call beside it hears a frame each 20 ms, now and after.
    await framesOf(steady.call, heardBefore + 4000);
  });

  it('rtp of a stranger: one line, nothing of it is heard or recorded, and it disturbs nobody', async () => {
    const taken = Promise.withResolvers<CalleeCall>();
    callee.onCall = (call, take) => {
      taken.resolve(call);
      take();
    };
    const heardBefore = steady.call.received.length;
    const { attempt, observer, done } = center.call(PHONE);
    const call = await taken.promise;
    await observer.until(() => observer.said.length > 0);
    const flood = floodWith(toneOf(1000, 20, 'PCMA', 12_000), Number(/m=audio (\d+)/.exec(call.incoming.sdp)?.[1]));
    await framesOf(call, call.received.length + 1600);
    call.say('好的');
    const finished = await done;
    const sent = flood.stop();
    expect(finished).toMatchObject({
      outcome: 'answered',
      dialog: { endReason: 'end:yes' },
      media: { packetsLost: 0 },
    });
    expect(sent).toBeGreaterThan(100);
    const recorded = readRecording(join(center.recordings, finished.recording?.path ?? ''));
    expect(amplitudeAt(400, recorded.callee, recorded.codec)).toBeGreaterThan(100);
    expect(amplitudeAt(1000, recorded.callee, recorded.codec)).toBeLessThan(20);
    const said = readFileSync(workerLog, 'utf8').trim().split('\n');
    expect(said.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 40, msg: 'media leg saw packets that it ignored', call: attempt.id, malformed: 0, unusable: 0 },
    ]);
    await framesOf(steady.call, heardBefore + 8000);
  });

  it('leaves the call beside them all whole', async () => {
    steady.call.say('好的');
    expect(await steady.done).toMatchObject({
      outcome: 'answered',
      hangupBy: 'platform',
      dialog: { endReason: 'end:yes' },
      media: { packetsLost: 0 },
    });
  });
});

/** Waits until the callee has heard so many octets. */
function framesOf(call: CalleeCall, octets: number): Promise<void> {
  return new Promise((resolve) => {
    const poll = setInterval(() => {
      if (call.received.length < octets) return;
      clearInterval(poll);
      resolve();
    }, 10);
  });
}

/** Sends RTP that looks valid to a port of this machine, a stream of ten times the pace of a call, until it is stopped. */
function floodWith(payload: Uint8Array, port: number): { stop(): number } {
  const socket = createSocket('udp4');
  let sequence = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 10; i++, sequence++) {
      const packet = Buffer.alloc(12 + payload.length);
      packet.writeUInt16BE(0x80_08);
      packet.writeUInt16BE(sequence & 0xffff, 2);
      packet.writeUInt32BE(sequence * 160, 4);
      packet.writeUInt32BE(0x5eed, 8);
      packet.set(payload, 12);
      socket.send(packet, port, HOST);
    }
  }, 20);
  return {
    stop() {
      clearInterval(timer);
      socket.close();
      return sequence;
    },
  };
}
