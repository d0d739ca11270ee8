import { describe, expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork } from '../../../test/support/sip-network.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { tagOf } from './messages/message.ts';
import type { SipRequest } from './messages/message.ts';
import { buildRequest, buildResponse, writeMessage } from './messages/write.ts';
import { parseReason } from './reason.ts';
import { SipUserAgent } from './user-agent.ts';
import type { CallEnd, IncomingCall } from './user-agent.ts';

/** Two agents; the callee's side is up to each test. */
function pair(take: (call: IncomingCall) => void, options: { readonly maxDialogs?: number } = {}) {
  const network = new SipNetwork();
  const caller = network.agent(5060);
  const callee = network.agent(5070, options);
  callee.onIncomingCall = take;
  return { network, caller, callee };
}

/** A peer that a test plays itself: what came to the port, and raw answers. */
function rawPeer(network: SipNetwork, port: number) {
  const transport = network.transport(port);
  const send = (bytes: Uint8Array): void => transport.send(bytes, { host: '10.0.0.1', port: 5060 });
  const requests = (method: string): readonly SipRequest[] =>
    network.log
      .filter((sent) => sent.from === 5060 && !sent.lost)
      .flatMap(({ message }) => (message?.kind === 'request' && message.method === method ? [message] : []));
  const one = (method: string): SipRequest => {
    const found = requests(method)[0];
    if (found === undefined) throw new Error(`no ${method} sent`);
    return found;
  };
  const respond = (request: SipRequest, status: number, parts: Parameters<typeof buildResponse>[2] = {}): void =>
    send(writeMessage(buildResponse(request, status, parts)));
  return { requests, one, respond, send };
}

const SDP = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n';
const answerParts = (toTag: string) => ({
  toTag,
  headers: [
    ['Contact', '<sip:10.0.0.1:5070>'],
    ['Content-Type', 'application/sdp'],
  ] as const,
  body: SDP,
});

describe('a call between two user agents', () => {
  it('rings, is answered, acknowledged and hung up, and leaves no timer and no transaction', () => {
    const ends: CallEnd[] = [];
    let acknowledged = 0;
    const { network, caller, callee } = pair((call) => {
      call.progress(180);
      call.onAcknowledged = () => acknowledged++;
      call.onEnded = (end) => ends.push(end);
      accept(call);
    });
    const watched = placeWatched(caller, 5070);
    network.clock.advance(100);
    // RFC 3261 §18.1.1: what is larger should not take UDP.
    expect(network.log[0]?.text.length).toBeLessThan(1_300);
    expect(watched.progress).toEqual([100, 180]);
    expect(watched.answers).toHaveLength(1);
    expect(acknowledged).toBe(1);
    watched.call.hangup({ protocol: 'Q.850', cause: 16, text: 'Normal "clearing"' });
    watched.call.hangup();
    network.clock.advance(100);
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'bye' }]);
    expect(ends).toMatchObject([{ by: 'callee', cause: 'bye' }]);
    expect(parseReason(ends[0]?.reason ?? '')).toEqual([{ protocol: 'Q.850', cause: 16, text: 'Normal "clearing"' }]);
    expect(network.labels).toEqual([
      '5060 INVITE',
      '5070 100 INVITE',
      '5070 180 INVITE',
      '5070 200 INVITE',
      '5060 ACK',
      '5060 BYE',
      '5070 200 BYE',
    ]);
    network.clock.advance(64_000);
    expect([caller.load, callee.load]).toEqual([
      { calls: 0, transactions: 0 },
      { calls: 0, transactions: 0 },
    ]);
    expect(network.clock.running).toBe(0);
  });

  it('ends by the callee with its Reason', () => {
    let incoming: IncomingCall | undefined;
    const { network, caller } = pair((call) => {
      incoming = call;
      accept(call);
    });
    const watched = placeWatched(caller, 5070);
    network.clock.advance(100);
    incoming?.hangup({ protocol: 'SIP', cause: 200, text: 'bye' });
    network.clock.advance(100);
    expect(watched.ends).toMatchObject([{ by: 'callee', cause: 'bye', reason: 'SIP;cause=200;text="bye"' }]);
  });

  it.each([486, 404, 603, 503])('reports a refusal with %i and its Reason once', (status) => {
    const { network, caller, callee } = pair((call) => call.reject(status, undefined, [['Reason', 'Q.850;cause=17']]));
    const watched = placeWatched(caller, 5070);
    network.clock.advance(70_000);
    expect(watched.ends).toMatchObject([
      {
        cause: 'rejected',
        status,
        reason: 'Q.850;cause=17',
        by: status === 486 || status === 603 ? 'callee' : 'network',
      },
    ]);
    expect(network.labels.filter((label) => label === '5060 ACK')).toHaveLength(1);
    expect([caller.load, callee.load, network.clock.running]).toMatchObject([
      { transactions: 0 },
      { transactions: 0 },
      0,
    ]);
  });

  it('cancels after the ring time-out and reports it as such', () => {
    const ends: CallEnd[] = [];
    const { network, caller } = pair((call) => {
      call.progress(180);
      call.onEnded = (end) => ends.push(end);
    });
    const watched = placeWatched(caller, 5070, { ringTimeoutMs: 20_000 });
    network.clock.advance(19_900);
    expect(network.labels).not.toContain('5060 CANCEL');
    network.clock.advance(200);
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'ring-timeout', status: 487 }]);
    expect(ends).toMatchObject([
      { by: 'callee', cause: 'cancelled', reason: 'Q.850;cause=19;text="No answer from user"' },
    ]);
    expect(network.labels.slice(-4)).toEqual(['5060 CANCEL', '5070 200 CANCEL', '5070 487 INVITE', '5060 ACK']);
  });

  it('answers a 503 to an INVITE beyond its limit and where nobody takes calls', () => {
    const { network, caller, callee } = pair((call) => call.progress(180), { maxDialogs: 1 });
    placeWatched(caller, 5070);
    const second = placeWatched(caller, 5070);
    network.clock.advance(100);
    expect(second.ends).toMatchObject([{ cause: 'rejected', status: 503 }]);
    callee.onIncomingCall = undefined;
    const third = placeWatched(caller, 5070);
    network.clock.advance(100);
    expect(third.ends).toMatchObject([{ status: 503 }]);
  });

  it('ends every call politely and leaves no timer when it closes', async () => {
    const calls: IncomingCall[] = [];
    const { network, caller, callee } = pair((call) => {
      if (calls.push(call) === 1) accept(call);
      else call.progress(180);
    });
    const talking = placeWatched(caller, 5070);
    const ringing = placeWatched(caller, 5070);
    network.clock.advance(100);
    const closed = caller.close('stopping');
    network.clock.advance(1_000);
    await closed;
    expect([talking.ends, ringing.ends]).toMatchObject([[{ cause: 'bye' }], [{ cause: 'cancelled' }]]);
    await callee.close('stopping');
    expect(network.clock.running).toBe(0);
  });

  it('closes within two seconds when nobody answers any more', async () => {
    const { network, caller, callee } = pair((call) => call.progress(180));
    const watched = placeWatched(caller, 5070);
    network.clock.advance(100);
    network.lose = () => true;
    const closed = caller.close('stopping');
    network.clock.advance(2_000);
    await closed;
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'cancelled' }]);
    const calleeClosed = callee.close('stopping');
    network.clock.advance(2_000);
    await calleeClosed;
    expect(network.clock.running).toBe(0);
  });
});

describe('a network that loses messages', () => {
  for (const victim of ['INVITE', '100 INVITE', '180 INVITE', '200 INVITE', 'ACK', 'BYE', '200 BYE'])
    it(`sets up and ends a call when the first ${victim} is lost`, () => {
      const ends: CallEnd[] = [];
      const { network, caller, callee } = pair((call) => {
        call.progress(180);
        call.onEnded = (end) => ends.push(end);
        accept(call);
      });
      let lost = false;
      network.lose = ({ label }) => !lost && (lost = label === victim);
      const watched = placeWatched(caller, 5070);
      network.clock.advance(5_000);
      expect(watched.answers).toHaveLength(1);
      watched.call.hangup();
      network.clock.advance(120_000);
      expect(lost).toBe(true);
      expect([watched.ends.length, ends.length]).toEqual([1, 1]);
      expect([caller.load, callee.load, network.clock.running]).toMatchObject([
        { calls: 0, transactions: 0 },
        { calls: 0, transactions: 0 },
        0,
      ]);
    });

  it('sets up and ends 60 calls with 30 % loss, every side told exactly once', () => {
    let seed = 42;
    const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
    const ends: CallEnd[] = [];
    const { network, caller, callee } = pair((call) => {
      call.progress(180);
      call.onEnded = (end) => ends.push(end);
      accept(call);
    });
    network.lose = () => random() < 0.3;
    const calls = Array.from({ length: 60 }, () => placeWatched(caller, 5070));
    network.clock.advance(31_000);
    expect(calls.filter((call) => call.answers.length === 1).length).toBeGreaterThanOrEqual(58);
    for (const { call } of calls) call.hangup();
    network.clock.advance(200_000);
    expect(calls.map((call) => call.ends.length)).toEqual(calls.map(() => 1));
    expect(ends).toHaveLength(60);
    expect([caller.load, callee.load, network.clock.running]).toMatchObject([
      { calls: 0, transactions: 0 },
      { calls: 0, transactions: 0 },
      0,
    ]);
  });

  it('sends INVITE at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s and gives up after 32 s', () => {
    const network = new SipNetwork();
    const caller = network.agent(5060);
    const watched = placeWatched(caller, 5999);
    network.clock.advance(31_999);
    expect(network.log.map((sent) => sent.atMs)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expect(watched.ends).toEqual([]);
    network.clock.advance(1);
    expect(watched.ends).toMatchObject([{ by: 'network', cause: 'no-response' }]);
    expect(caller.load).toEqual({ calls: 0, transactions: 0 });
  });

  it('repeats its 200 with T1 doubling to T2 and hangs up when no ACK comes in 64·T1', () => {
    const ends: CallEnd[] = [];
    const { network, caller, callee } = pair((call) => {
      call.onEnded = (end) => ends.push(end);
      accept(call);
    });
    network.lose = ({ label }) => label === 'ACK';
    placeWatched(caller, 5070);
    network.clock.advance(31_000);
    const times = network.log.filter((sent) => sent.label === '200 INVITE').map((sent) => sent.atMs - 5);
    expect(times).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500]);
    expect(network.labels.filter((label) => label === '5060 ACK (lost)')).toHaveLength(times.length);
    network.clock.advance(2_000);
    expect(ends).toMatchObject([{ by: 'network', cause: 'ack-timeout' }]);
    expect(network.labels).toContain('5070 BYE');
    network.clock.advance(64_000);
    expect([caller.load, callee.load]).toMatchObject([{ calls: 0 }, { calls: 0 }]);
  });
});

describe('the caller', () => {
  it('sends no CANCEL before a provisional response', () => {
    const network = new SipNetwork();
    const caller = network.agent(5060);
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(caller, 5070);
    network.clock.advance(10);
    watched.call.hangup({ protocol: 'Q.850', cause: 16, text: '' });
    network.clock.advance(300);
    expect(peer.requests('CANCEL')).toHaveLength(0);
    peer.respond(peer.one('INVITE'), 100);
    network.clock.advance(10);
    const cancel = peer.one('CANCEL');
    expect(cancel.headers.get('Via')).toBe(peer.one('INVITE').headers.get('Via'));
    expect(cancel.headers.get('Reason')).toBe('Q.850;cause=16');
    peer.respond(cancel, 200);
    peer.respond(peer.one('INVITE'), 487, { toTag: 'x' });
    network.clock.advance(10);
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'cancelled', status: 487 }]);
  });

  it('acknowledges and hangs up an answer that crosses its CANCEL', () => {
    const network = new SipNetwork();
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(network.agent(5060), 5070);
    network.clock.advance(10);
    peer.respond(peer.one('INVITE'), 180, { toTag: 'x' });
    network.clock.advance(10);
    watched.call.hangup();
    peer.respond(peer.one('INVITE'), 200, answerParts('x'));
    network.clock.advance(10);
    expect(peer.requests('ACK')).toHaveLength(1);
    expect(peer.requests('BYE')).toHaveLength(1);
    expect(watched.answers).toEqual([]);
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'cancelled' }]);
  });

  it('gives up 64·T1 after a CANCEL that has no effect', () => {
    const network = new SipNetwork();
    const caller = network.agent(5060);
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(caller, 5070);
    network.clock.advance(10);
    peer.respond(peer.one('INVITE'), 180, { toTag: 'x' });
    network.clock.advance(10);
    watched.call.hangup();
    network.clock.advance(33_000);
    expect(watched.ends).toMatchObject([{ cause: 'cancelled' }]);
    expect([caller.load, network.clock.running]).toEqual([{ calls: 0, transactions: 0 }, 0]);
  });

  it('acknowledges every repeated 200, and answers a second fork with ACK and BYE', () => {
    const network = new SipNetwork();
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(network.agent(5060), 5070);
    network.clock.advance(10);
    peer.respond(peer.one('INVITE'), 180, { toTag: 'a' });
    peer.respond(peer.one('INVITE'), 183, answerParts('b'));
    peer.respond(peer.one('INVITE'), 200, answerParts('b'));
    peer.respond(peer.one('INVITE'), 200, answerParts('b'));
    peer.respond(peer.one('INVITE'), 200, answerParts('a'));
    network.clock.advance(10);
    expect(peer.requests('ACK').map((ack) => tagOf(ack.to))).toEqual(['b', 'b', 'a']);
    expect(
      new Set(
        peer
          .requests('ACK')
          .slice(0, 2)
          .map((ack) => ack.headers.get('Via')),
      ).size,
    ).toBe(1);
    expect(peer.requests('BYE').map((bye) => tagOf(bye.to))).toEqual(['a']);
    expect([watched.answers.length, watched.ends.length]).toEqual([1, 0]);
  });

  it('takes route set and target from the answer and keeps CSeq rising', () => {
    const network = new SipNetwork();
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(network.agent(5060), 5070);
    network.clock.advance(10);
    const parts = answerParts('x');
    const routes = [['Record-Route', '<sip:10.0.0.1:5070;lr>, <sip:10.0.0.1:5080;lr>']] as const;
    peer.respond(peer.one('INVITE'), 200, { ...parts, headers: [...routes, ...parts.headers] });
    network.clock.advance(10);
    watched.call.hangup();
    const bye = network.log.at(-1)?.message;
    expect(bye?.headers.all('Route')).toEqual(['<sip:10.0.0.1:5080;lr>', '<sip:10.0.0.1:5070;lr>']);
    expect(bye?.kind === 'request' && bye.uri).toBe('sip:10.0.0.1:5070');
    expect(bye?.cseq.sequence).toBe(2);
  });

  it('answers a digest challenge once and reports a second one as refusal', () => {
    const network = new SipNetwork();
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(network.agent(5060), 5070, { credentials: { username: 'u', password: 'p' } });
    network.clock.advance(10);
    const challenge = [
      ['Proxy-Authenticate', 'Digest realm="r", nonce="n1", qop="auth,auth-int", algorithm=MD5'],
    ] as const;
    peer.respond(peer.one('INVITE'), 407, { toTag: 'x', headers: challenge });
    network.clock.advance(10);
    const second = peer.requests('INVITE')[1];
    expect(second?.cseq.sequence).toBe(2);
    expect(second?.headers.get('Proxy-Authorization')).toMatch(/qop=auth, nc=00000001/);
    peer.respond(second!, 407, { toTag: 'x', headers: challenge });
    network.clock.advance(10);
    expect(watched.ends).toMatchObject([{ cause: 'rejected', status: 407 }]);
  });

  it('takes digits by INFO, answers a hold by re-INVITE and refuses what it does not know', () => {
    const network = new SipNetwork();
    const peer = rawPeer(network, 5070);
    const watched = placeWatched(network.agent(5060), 5070);
    network.clock.advance(10);
    const invite = peer.one('INVITE');
    peer.respond(invite, 200, answerParts('x'));
    network.clock.advance(10);
    let sequence = 10;
    const ask = (method: string, type = '', body = '', cseq = sequence++): number | undefined => {
      const fields = [
        ['Via', `SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK${method}${sequence};rport`],
        ['From', `${invite.headers.get('To')};tag=x`],
        ['To', invite.headers.get('From') ?? ''],
        ['Call-ID', invite.callId],
        ['CSeq', `${cseq} ${method}`],
        ['Contact', '<sip:10.0.0.1:5070>'],
      ] as const;
      peer.send(
        writeMessage(
          buildRequest(method, 'sip:10.0.0.1:5060', type === '' ? fields : [...fields, ['Content-Type', type]], body),
        ),
      );
      const before = network.log.length;
      network.clock.advance(10);
      const answer = network.log.slice(before).find((sent) => sent.from === 5060)?.message;
      return answer?.kind === 'response' ? answer.status : undefined;
    };
    expect(ask('INFO', 'application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n')).toBe(200);
    expect(ask('INFO', 'application/dtmf', '11')).toBe(200);
    expect(watched.digits).toEqual(['5', '#']);
    expect(ask('OPTIONS')).toBe(200);
    expect(ask('REFER')).toBe(400);
    expect(ask('MESSAGE')).toBe(405);
    expect(ask('DANCE')).toBe(501);
    expect(ask('UPDATE')).toBe(200);
    expect(ask('INVITE', 'application/sdp', SDP.replace('m=audio', 'a=sendonly\r\nm=audio'))).toBe(200);
    const held = network.log.findLast((sent) => sent.label === '200 INVITE' && sent.from === 5060);
    expect(held?.text).toContain('a=recvonly');
    expect(ask('INVITE', 'application/sdp', SDP)).toBe(491);
    expect(ask('INFO', 'application/dtmf', '1', 3)).toBe(500);
    expect(ask('BYE')).toBe(200);
    expect(watched.ends).toMatchObject([{ by: 'callee', cause: 'bye' }]);
    expect(ask('BYE')).toBe(481);
  });
});

describe('the callee', () => {
  it('answers OPTIONS with what it can, merged requests with 482 and an INVITE only once', () => {
    const { network, callee } = pair((call) => call.progress(180));
    const raw = network.transport(5060);
    const send = (method: string, branch: string): void => {
      const fields = [
        ['Via', `SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK${branch}`],
        ['From', '<sip:a@b>;tag=1'],
        ['To', '<sip:c@d>'],
        ['Call-ID', 'm'],
        ['CSeq', `1 ${method}`],
      ] as const;
      raw.send(writeMessage(buildRequest(method, 'sip:c@d', fields)), { host: '10.0.0.1', port: 5070 });
      network.clock.advance(20);
    };
    send('OPTIONS', 'o');
    expect(network.log.at(-1)?.text).toMatch(/^SIP\/2.0 200 OK[^]*Allow: INVITE, ACK, CANCEL, BYE/);
    send('INVITE', 'one');
    send('INVITE', 'one');
    expect(callee.load.calls).toBe(1);
    send('INVITE', 'two');
    expect(network.log.at(-1)?.label).toBe('482 INVITE');
  });

  it('refuses an INVITE whose sender no request could reach, and leaves out routes that lead nowhere', () => {
    const { network } = pair((call) => {
      accept(call);
      call.onAcknowledged = () => call.hangup();
    });
    const raw = network.transport(5060);
    const send = (method: string, callId: string, from: string, more: readonly (readonly [string, string])[] = []) => {
      const fields = [
        ['Via', `SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK${callId}${method}`],
        ['From', from],
        ['To', `<sip:c@d>${method === 'ACK' ? `;tag=${tagOf(network.log.at(-1)!.message!.to)}` : ''}`],
        ['Call-ID', callId],
        ['CSeq', `1 ${method}`],
        ...more,
      ] as const;
      const body = method === 'ACK' ? '' : SDP;
      const type = body === '' ? [] : ([['Content-Type', 'application/sdp']] as const);
      const bytes = writeMessage(buildRequest(method, 'sip:c@d', [...fields, ...type], body));
      raw.send(bytes, { host: '10.0.0.1', port: 5070 });
      network.clock.advance(20);
    };
    send('INVITE', 'one', '<sip:a@b%00c>;tag=1');
    expect(network.log.at(-1)?.label).toBe('400 INVITE');
    const routes = [['Record-Route', '<sip:x@y;>, <sip:10.0.0.1;lr>, <tel:1>']] as const;
    send('INVITE', 'two', '<sip:a@10.0.0.1>;tag=2', routes);
    send('ACK', 'two', '<sip:a@10.0.0.1>;tag=2');
    expect(network.log.at(-1)?.message).toMatchObject({ method: 'BYE', uri: 'sip:a@10.0.0.1' });
    expect(network.log.at(-1)?.message?.headers.all('Route')).toEqual(['<sip:10.0.0.1;lr>']);
  });

  it('never answers a non-INVITE with 408 and answers an unknown CANCEL with 481', () => {
    const { network } = pair(() => undefined);
    const raw = network.transport(5060);
    const fields = [
      ['Via', 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKq'],
      ['From', '<sip:a@b>;tag=1'],
      ['To', '<sip:c@d>'],
      ['Call-ID', 'm'],
      ['CSeq', '1 CANCEL'],
    ] as const;
    raw.send(writeMessage(buildRequest('CANCEL', 'sip:c@d', fields)), { host: '10.0.0.1', port: 5070 });
    network.clock.advance(40_000);
    expect(network.labels).toEqual(['5060 CANCEL', '5070 481 CANCEL']);
  });
});

describe('over real UDP', () => {
  it('places, answers and ends a call on loopback', async () => {
    const open = () =>
      SipUserAgent.open({
        clock: systemClock,
        log: silentLog,
        bind: { address: '127.0.0.1', port: 0 },
        product: 'test',
      });
    const [caller, callee] = await Promise.all([open(), open()]);
    callee.onIncomingCall = accept;
    const end = await new Promise<CallEnd>((resolve) => {
      const call = caller.placeCall(
        {
          callId: 'udp-1',
          target: `sip:1@127.0.0.1:${callee.address.port}`,
          from: 'sip:2@127.0.0.1',
          sdp: SDP,
          ringTimeoutMs: 5_000,
        },
        { onProgress: () => undefined, onAnswered: () => call.hangup(), onEnded: resolve },
      );
    });
    expect(end).toMatchObject({ by: 'platform', cause: 'bye' });
    await Promise.all([caller.close('done'), callee.close('done')]);
    await expect(
      SipUserAgent.open({
        clock: systemClock,
        log: silentLog,
        bind: { address: '203.0.113.1', port: 0 },
        product: 'test',
      }),
    ).rejects.toMatchObject({ code: 'unavailable' });
  });
});
