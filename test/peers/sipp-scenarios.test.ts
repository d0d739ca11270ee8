import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { createAnswer, createOffer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { IncomingCall, OutgoingCallHandlers, OutgoingCallRequest } from '#telephony/sip/user-agent.ts';
import { accept, placeWatched, testMedia } from '../support/sip-network.ts';
import type { WatchedCall } from '../support/sip-network.ts';
import { answer, ask, call, invited, ok, pause, peerSdp, recv, response, sippXml } from '../support/sipp-script.ts';
import type { Check, Step } from '../support/sipp-script.ts';
import { hasSipp, startSipp } from '../support/sipp.ts';
import type { SippRun } from '../support/sipp.ts';

const has = (header: string, regexp: string): Check => ({ header, regexp });
const reliable = (rseq: number): readonly string[] => ['Require: 100rel', `RSeq: ${rseq}`];
const SDP = { sdp: peerSdp() };
const OK = answer(200, 'OK', { ...SDP, repeat: true });
const WE_HANG_UP = [recv('ACK'), recv('BYE'), ok()];
const PEER_HANGS_UP = (sequence: number): Step[] => [ask('BYE', sequence), response(200)];
const CREDENTIALS = { credentials: { username: 'u', password: 'p' } };
const challenge = (proxy: boolean, rest: string): string =>
  `${proxy ? 'Proxy' : 'WWW'}-Authenticate: Digest realm="r", ${rest}`;

/** What the peer does when it is called; we hang up once answered unless `stay`. */
interface Called {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly request?: Partial<OutgoingCallRequest>;
  readonly handlers?: Partial<OutgoingCallHandlers>;
  readonly stay?: boolean;
  readonly hangUpAfterMs?: number;
  readonly check?: (watched: WatchedCall) => void;
}

const answered = (watched: WatchedCall): void => {
  expect([watched.answers.length, watched.ends.length]).toEqual([1, 1]);
};
const ended = (expected: object) => (watched: WatchedCall) => expect(watched.ends).toMatchObject([expected]);

const CALLED: readonly Called[] = [
  {
    name: 'a forked 200: both are acknowledged, the second is hung up',
    steps: [
      invited(),
      answer(200, 'OK', { ...SDP, tag: 'one' }),
      recv('ACK', [has('To', 'tag=one')]),
      answer(200, 'OK', { ...SDP, tag: 'two' }),
      recv('ACK', [has('To', 'tag=two')]),
      recv('BYE', [has('To', 'tag=two')]),
      ok(),
      recv('BYE', [has('To', 'tag=one')]),
      ok(),
    ],
    hangUpAfterMs: 300,
  },
  {
    name: 'reliable 183 and 180, acknowledged in order',
    steps: [
      invited([has('Supported', '100rel')]),
      answer(183, 'Session Progress', { ...SDP, headers: reliable(10), repeat: true }),
      recv('PRACK', [has('RAck', '10 1 INVITE')]),
      ok(),
      answer(180, 'Ringing', { headers: reliable(11), repeat: true }),
      recv('PRACK', [has('RAck', '11 1 INVITE')]),
      ok(),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a reliable 183 that is repeated: one PRACK',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, headers: reliable(1) }),
      recv('PRACK'),
      ok(),
      answer(183, 'Session Progress', { ...SDP, headers: reliable(1) }),
      pause(200),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'reliable 183 of two forks, each with a PRACK of its own',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, tag: 'a', headers: reliable(1) }),
      recv('PRACK', [has('To', 'tag=a')]),
      ok(),
      answer(183, 'Session Progress', { ...SDP, tag: 'b', headers: reliable(900) }),
      recv('PRACK', [has('To', 'tag=b'), has('RAck', '900 1 INVITE')]),
      ok(),
      answer(200, 'OK', { ...SDP, tag: 'b', repeat: true }),
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'UPDATE of early media after a reliable 183',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, headers: reliable(1) }),
      recv('PRACK'),
      ok(),
      ask('UPDATE', 1, { sdp: peerSdp('0') }),
      response(200, [has('', 'm=audio [0-9]+ RTP/AVP 0')]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: '422, then 200 with a bad Session-Expires',
    steps: [
      invited([has('Session-Expires', '1800')]),
      answer(422, 'Session Interval Too Small', { headers: ['Min-SE: 3600'] }),
      recv('ACK'),
      invited([has('Session-Expires', '3600'), has('Min-SE', '3600'), has('CSeq', '2 INVITE')]),
      answer(200, 'OK', { ...SDP, repeat: true, headers: ['Session-Expires: never;refresher=;x'] }),
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a challenge with two algorithms: SHA-256 is taken',
    request: CREDENTIALS,
    steps: [
      invited(),
      answer(407, 'Proxy Authentication Required', {
        headers: [
          challenge(true, 'nonce="a", algorithm=MD5, qop="auth"'),
          challenge(true, 'nonce="b", algorithm=SHA-256, qop="auth"'),
        ],
      }),
      recv('ACK'),
      invited([has('Proxy-Authorization', 'nonce="b".*algorithm=SHA-256.*qop=auth, nc=00000001')]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'challenges of a proxy, then of the callee, then a stale nonce',
    request: CREDENTIALS,
    steps: [
      invited(),
      answer(407, 'Proxy Authentication Required', { headers: [challenge(true, 'nonce="a"')] }),
      recv('ACK'),
      invited([has('Proxy-Authorization', 'nonce="a"')]),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="b", qop="auth"')] }),
      recv('ACK'),
      invited([has('Proxy-Authorization', 'nonce="a"'), has('', 'nonce="b"')]),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="c", qop="auth", stale=true')] }),
      recv('ACK'),
      invited([has('', 'nonce="c"')]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a BYE that is challenged',
    request: CREDENTIALS,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      recv('BYE'),
      ok(407, 'Proxy Authentication Required', [challenge(true, 'nonce="z", qop="auth"')]),
      recv('BYE', [has('Proxy-Authorization', 'nonce="z"'), has('CSeq', '3 BYE')]),
      ok(),
    ],
  },
  {
    name: 'a wrong password: the second challenge ends the call',
    request: CREDENTIALS,
    stay: true,
    steps: [
      invited(),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="a"')] }),
      recv('ACK'),
      invited([has('Authorization', 'nonce="a"')]),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="b"')] }),
      recv('ACK'),
    ],
    check: ended({ cause: 'rejected', status: 401 }),
  },
  {
    name: '183 and 180 without a To tag',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, tag: '' }),
      answer(180, 'Ringing', { tag: '' }),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'an answer without a To tag (RFC 2543)',
    steps: [invited(), answer(200, 'OK', { ...SDP, tag: '', repeat: true }), ...WE_HANG_UP],
  },
  {
    name: '183 with a codec that nobody offered, then a good answer',
    steps: [invited(), answer(183, 'Session Progress', { sdp: peerSdp('18') }), OK, ...WE_HANG_UP],
  },
  {
    name: 'a strict router: Request-URI and last Route change places',
    steps: [
      invited(),
      answer(200, 'OK', { ...SDP, repeat: true, headers: ['Record-Route: <sip:[local_ip]:[local_port]>'] }),
      recv('ACK', [has('', '^ACK sip:[0-9.:]+ SIP'), has('Route', '<sip:[0-9.:]+>')]),
      recv('BYE', [has('Route', '<sip:[0-9.:]+>')]),
      ok(),
    ],
  },
  {
    name: 'loose routes, nearest first',
    steps: [
      invited(),
      answer(200, 'OK', {
        ...SDP,
        repeat: true,
        headers: ['Record-Route: <sip:192.0.2.1;lr>, <sip:[local_ip]:[local_port];lr>'],
      }),
      recv('ACK', [has('Route', '<sip:127.0.0.1:[0-9]+;lr>')]),
      recv('BYE', [has('Route', '<sip:127.0.0.1:[0-9]+;lr>')]),
      ok(),
    ],
  },
  {
    name: 'an answer in compact form',
    steps: [
      invited(),
      {
        xml: `<send retrans="500"><![CDATA[\nSIP/2.0 200 Fine\nv: [$5]\nf: [$2]\nt: [$3];tag=short\ni: [call_id]\nCSeq: [$6] INVITE\nm: <sip:[local_ip]:[local_port]>\nc: application/sdp\nl: [len]\n\n${peerSdp()}\n]]></send>`,
      },
      recv('ACK', [has('To', 'tag=short')]),
      recv('BYE'),
      ok(),
    ],
  },
  {
    name: 'a re-INVITE that fails, and a good one behind it',
    stay: true,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      ask('INVITE', 1, { sdp: peerSdp('18') }),
      response(488),
      ask('ACK', 1),
      ask('INVITE', 2, { sdp: peerSdp('0') }),
      response(200, [has('', 'm=audio [0-9]+ RTP/AVP 0')]),
      ask('ACK', 2),
      ...PEER_HANGS_UP(3),
    ],
    check: answered,
  },
  {
    name: 'hold and resume by the callee',
    stay: true,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      ask('INVITE', 1, { sdp: peerSdp('8', 'sendonly') }),
      response(200, [has('', 'a=recvonly')]),
      ask('ACK', 1),
      ask('INVITE', 2, { sdp: peerSdp('8') }),
      response(200, [has('', 'a=sendrecv')]),
      ask('ACK', 2),
      ...PEER_HANGS_UP(3),
    ],
    check: answered,
  },
  {
    name: 'a re-INVITE with a branch without the cookie',
    stay: true,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      ask('INVITE', 1, { sdp: peerSdp(), via: 'branch=1' }),
      response(200),
      ask('ACK', 1, { via: 'branch=2' }),
      ...PEER_HANGS_UP(2),
    ],
    check: answered,
  },
  {
    name: 'a re-INVITE without SDP, answered in its ACK',
    stay: true,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      ask('INVITE', 1),
      response(200, [has('', 'm=audio [0-9]+ RTP/AVP 8 0 101')]),
      ask('ACK', 1, { sdp: `${peerSdp()}m=text 0 RTP/AVP 98\n` }),
      ...PEER_HANGS_UP(2),
    ],
    check: answered,
  },
  {
    name: 'requests that we refuse in a call: an unknown extension, method and body, a REFER, an old CSeq',
    stay: true,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      ask('UPDATE', 5, { headers: ['Require: precondition'] }),
      response(420, [has('Unsupported', 'precondition')]),
      ask('DANCE', 6),
      response(501),
      ask('MESSAGE', 7),
      response(405, [has('Allow', 'INVITE')]),
      ask('REFER', 8, { headers: ['Refer-To: <sip:5@192.0.2.1>'] }),
      response(603),
      ask('NOTIFY', 9, { headers: ['Event: refer', 'Subscription-State: active'] }),
      response(481),
      ask('OPTIONS', 4),
      response(500, [has('Retry-After', '1')]),
      ...PEER_HANGS_UP(10),
    ],
    check: answered,
  },
  {
    name: 'a BYE from another dialog, which is none of ours',
    stay: true,
    steps: [invited(), OK, recv('ACK'), ask('BYE', 1, { tag: 'stranger' }), response(481), ...PEER_HANGS_UP(2)],
    check: answered,
  },
  {
    name: 'a CANCEL that crosses a 200: ACK and BYE',
    request: { ringTimeoutMs: 150 },
    stay: true,
    steps: [invited(), answer(180, 'Ringing'), recv('CANCEL'), ok(), OK, recv('ACK'), recv('BYE'), ok()],
    check: ended({ by: 'platform', cause: 'ring-timeout' }),
  },
  {
    name: 'an answer without SDP: ACK and BYE',
    stay: true,
    steps: [invited(), answer(200, 'OK', { repeat: true }), recv('ACK'), recv('BYE'), ok()],
    check: ended({ by: 'platform', cause: 'protocol' }),
  },
  {
    name: 'a redirection that the policy allows',
    request: { mayRedirectTo: () => true },
    steps: [
      invited(),
      answer(302, 'Moved Temporarily', { headers: ['Contact: <sip:moved@[local_ip]:[local_port]>'] }),
      recv('ACK'),
      invited([has('', '^INVITE sip:moved@'), has('CSeq', '2 INVITE')]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a redirection without such a policy: the call ends',
    stay: true,
    steps: [invited(), answer(302, 'Moved Temporarily', { headers: ['Contact: <sip:x@192.0.2.1>'] }), recv('ACK')],
    check: ended({ cause: 'rejected', status: 302 }),
  },
  {
    name: '503 from the only gateway',
    stay: true,
    steps: [invited(), answer(503, 'Service Unavailable', { headers: ['Retry-After: 5'] }), recv('ACK')],
    check: ended({ by: 'network', cause: 'rejected', status: 503 }),
  },
  {
    name: 'a late offer, answered in our ACK',
    request: { sdp: '' },
    handlers: {
      onOffer: (offer) => {
        const result = createAnswer(parseSdp(offer), { ...testMedia, address: '127.0.0.1' });
        return result.ok ? writeSdp(result.answer) : undefined;
      },
    },
    steps: [
      invited([has('Content-Length', ' 0')]),
      OK,
      recv('ACK', [has('Content-Type', 'application/sdp'), has('', 'm=audio 4000 RTP/AVP 8')]),
      recv('BYE'),
      ok(),
    ],
  },
];

/** What the peer does when it calls; our side accepts after 180 unless `take` says otherwise. */
interface Caller {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly take?: (incoming: IncomingCall) => void;
}

const IN = { inside: true };
const CALLING: readonly Caller[] = [
  {
    name: 'its INVITE again after the ACK: nothing is answered twice',
    steps: [
      call('INVITE', 1, { ...SDP, via: 'branch=z9hG4bK[pid]again' }),
      response(100, [], true),
      response(200),
      call('ACK', 1, IN),
      call('INVITE', 1, { ...SDP, via: 'branch=z9hG4bK[pid]again', repeat: false }),
      pause(200),
      call('BYE', 2, IN),
      response(200),
    ],
  },
  {
    name: 'a session interval of 60 s: 422, then 90 s',
    steps: [
      call('INVITE', 1, { ...SDP, headers: ['Supported: timer', 'Session-Expires: 60'] }),
      response(422, [has('Min-SE', '90')]),
      call('ACK', 1, IN),
      call('INVITE', 2, { ...SDP, headers: ['Supported: timer', 'Session-Expires: 90'] }),
      response(100, [], true),
      response(200, [has('Session-Expires', '90;refresher=uac'), has('Require', 'timer')]),
      call('ACK', 2, IN),
      call('BYE', 3, IN),
      response(200),
    ],
  },
  {
    name: 'an INVITE without offer: ours is in the 200, its answer in the ACK',
    take: (incoming) =>
      incoming.answer(writeSdp(createOffer({ ...testMedia, textPort: undefined, address: '127.0.0.1' }))),
    steps: [
      call('INVITE', 1),
      response(100, [], true),
      response(200, [has('', 'm=audio 4000 RTP/AVP 8 0 101')]),
      call('ACK', 1, { ...IN, ...SDP }),
      call('BYE', 2, IN),
      response(200),
    ],
  },
  {
    name: 'an INVITE without offer and an ACK without answer: we hang up',
    take: (incoming) => incoming.answer(writeSdp(createOffer(testMedia))),
    steps: [call('INVITE', 1), response(100, [], true), response(200), call('ACK', 1, IN), recv('BYE'), ok()],
  },
  {
    name: 'an INVITE that it takes back',
    take: (incoming) => incoming.progress(180),
    steps: [
      call('INVITE', 1, { ...SDP, via: 'branch=z9hG4bK[pid]back' }),
      response(100, [], true),
      response(180),
      call('CANCEL', 1, { via: 'branch=z9hG4bK[pid]back' }),
      response(200),
      response(487),
      call('ACK', 1, { ...IN, via: 'branch=z9hG4bK[pid]back' }),
    ],
  },
  {
    name: 'an INVITE that requires what we lack',
    steps: [
      call('INVITE', 1, { ...SDP, headers: ['Require: 100rel, precondition'] }),
      response(420, [has('Unsupported', '100rel, precondition')]),
      call('ACK', 1, IN),
    ],
  },
  {
    name: 'an INVITE that replaces a call that is not there',
    steps: [
      call('INVITE', 1, { ...SDP, headers: ['Replaces: x@y;to-tag=1;from-tag=2', 'Require: replaces'] }),
      response(481),
      call('ACK', 1, IN),
    ],
  },
  {
    name: 'OPTIONS, and a request of a dialog that is over',
    steps: [
      call('OPTIONS', 1),
      response(200, [has('Supported', 'timer'), has('Allow', 'UPDATE')]),
      call('BYE', 2, IN),
      response(481),
    ],
  },
];

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp)('SIPp scenarios', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sipp-script-'));
  const open: SipUserAgent[] = [];
  const runs: SippRun[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((agent) => agent.close('test is over')));
    for (const run of runs.splice(0)) run.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function agent(): Promise<SipUserAgent> {
    const bind = { address: '127.0.0.1', port: 0 };
    const made = await SipUserAgent.open({ clock: systemClock, log: silentLog, bind, product: 'waihu-test' });
    open.push(made);
    return made;
  }

  async function sipp(name: string, steps: readonly Step[], args: readonly string[] = []): Promise<SippRun> {
    const file = join(folder, `${runs.length}-${name.replace(/\W+/g, '-').slice(0, 40)}.xml`);
    writeFileSync(file, sippXml(name, steps));
    const run = await startSipp(['-sf', file, '-recv_timeout', '5000', ...args], 1);
    runs.push(run);
    return run;
  }

  it.each(CALLED.map((one) => [one.name, one] as const))('is called: %s', async (name, one) => {
    const peer = await sipp(name, one.steps);
    const watched = placeWatched(await agent(), peer.port, { ringTimeoutMs: 10_000, ...one.request }, one.handlers);
    watched.onAnswered = () => {
      if (one.stay !== true) systemClock.setTimer(one.hangUpAfterMs ?? 0, () => watched.call.hangup());
    };
    const { status, output } = await peer.done;
    expect({ status, output }).toMatchObject({ status: 0 });
    (one.check ?? answered)(watched);
  });

  it.each(CALLING.map((one) => [one.name, one] as const))('calls: %s', async (name, one) => {
    const callee = await agent();
    callee.onIncomingCall = one.take ?? accept;
    const peer = await sipp(name, one.steps, [`127.0.0.1:${callee.address.port}`]);
    const { status, output } = await peer.done;
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(callee.load.calls).toBe(0);
  });
});
