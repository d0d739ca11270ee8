import { describe, expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork, testMedia } from '../../../../test/support/sip-network.ts';
import type { NegotiatedMedia } from '../../sdp/media.ts';
import { createAnswer, createOffer } from '../../sdp/offer-answer.ts';
import { parseSdp } from '../../sdp/parse.ts';
import { writeSdp } from '../../sdp/write.ts';
import type { HeaderField } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildRequest, buildResponse, writeMessage } from '../messages/write.ts';
import type { CallEnd, IncomingCall, OutgoingCallHandlers, OutgoingCallRequest } from '../user-agent.ts';
import { answerInterval, readSessionExpires } from './session-timer.ts';
import { Headers } from '../messages/headers.ts';

const SDP = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n';
const CONTACT: HeaderField = ['Contact', '<sip:10.0.0.1:5070>'];
const TYPE: HeaderField = ['Content-Type', 'application/sdp'];

/** A caller of ours, and a callee whose every message the test writes. */
function played(options: Partial<OutgoingCallRequest> = {}, handlers: Partial<OutgoingCallHandlers> = {}) {
  const network = new SipNetwork();
  const caller = network.agent(5060, { random: () => 0.5 });
  const transport = network.transport(5070);
  const watched = placeWatched(caller, 5070, options, handlers);
  const step = (ms = 10): void => network.clock.advance(ms);
  step();
  const send = (bytes: Uint8Array): void => transport.send(bytes, { host: '10.0.0.1', port: 5060 });
  const sent = (method: string): readonly SipRequest[] =>
    network.log.flatMap(({ from, message }) =>
      from === 5060 && message?.kind === 'request' && message.method === method ? [message] : [],
    );
  const last = (method: string): SipRequest => {
    const found = sent(method).at(-1);
    if (found === undefined) throw new Error(`no ${method} sent`);
    return found;
  };
  const respond = (
    request: SipRequest,
    status: number,
    headers: readonly HeaderField[] = [],
    body = '',
    toTag = 'x',
  ) => {
    const fields = body === '' ? headers : [...headers, TYPE];
    send(writeMessage(buildResponse(request, status, { toTag, headers: [CONTACT, ...fields], body })));
    step();
  };
  let sequence = 100;
  /** A request of the callee; gives back the status and text of our answer. */
  const ask = (method: string, headers: readonly HeaderField[] = [], body = '', toTag = 'x', wait = 10) => {
    const invite = last('INVITE');
    sequence++;
    const fields: HeaderField[] = [
      ['Via', `SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKask${sequence};rport`],
      ['From', `<sip:13800000000@10.0.0.1>;tag=${toTag}`],
      ['To', invite.headers.get('From') ?? ''],
      ['Call-ID', invite.callId],
      ['CSeq', `${sequence} ${method}`],
      CONTACT,
      ...headers,
      ...(body === '' || headers.some(([name]) => name === 'Content-Type') ? [] : [TYPE]),
    ];
    const before = network.log.length;
    send(writeMessage(buildRequest(method, 'sip:10.0.0.1:5060', fields, body)));
    step(wait);
    const answer = network.log
      .slice(before)
      .find(({ from, message }) => from === 5060 && message?.kind === 'response' && message.cseq.sequence === sequence);
    const status = answer?.message?.kind === 'response' ? answer.message.status : 0;
    return { status, text: answer?.text ?? '', headers: answer?.message?.headers };
  };
  const answer = (headers: readonly HeaderField[] = []): void => respond(last('INVITE'), 200, headers, SDP);
  return { network, caller, watched, sent, last, respond, ask, answer, step };
}

/** Two agents of ours with an answered call between them. */
function talking(options: Partial<OutgoingCallRequest> = {}, handlers: Partial<OutgoingCallHandlers> = {}) {
  const network = new SipNetwork();
  const caller = network.agent(5060);
  const callee = network.agent(5070);
  const incoming: IncomingCall[] = [];
  const ends: CallEnd[] = [];
  const media: NegotiatedMedia[] = [];
  callee.onIncomingCall = (call) => {
    incoming.push(call);
    call.onEnded = (end) => ends.push(end);
    call.onMediaChanged = (changed) => media.push(changed);
    accept(call);
  };
  const watched = placeWatched(caller, 5070, options, handlers);
  network.clock.advance(100);
  return { network, caller, callee, watched, incoming: incoming[0]!, ends, media };
}

describe('reliable provisional responses', () => {
  const reliable = (rseq: number): HeaderField[] => [
    ['Require', '100rel'],
    ['RSeq', String(rseq)],
  ];

  it('are acknowledged in order, once each, with a rising CSeq', () => {
    const { sent, last, respond, watched, answer } = played();
    const invite = last('INVITE');
    expect(invite.headers.get('Supported')).toMatch(/^100rel,/);
    respond(invite, 183, reliable(7), SDP);
    expect(last('PRACK').headers.get('RAck')).toBe('7 1 INVITE');
    expect([last('PRACK').cseq.sequence, last('PRACK').body]).toEqual([2, '']);
    respond(last('PRACK'), 200);
    // Repeated, skipped ahead, then the next one.
    respond(invite, 183, reliable(7), SDP);
    respond(invite, 180, reliable(9));
    respond(invite, 180, reliable(8));
    expect(sent('PRACK').map((one) => one.headers.get('RAck'))).toEqual(['7 1 INVITE', '8 1 INVITE']);
    expect(watched.progress).toEqual([183, 180]);
    answer();
    watched.call.hangup();
    expect(last('BYE').cseq.sequence).toBe(4);
  });

  it('are acknowledged in each fork by itself', () => {
    const { sent, last, respond } = played();
    const invite = last('INVITE');
    respond(invite, 183, reliable(1), SDP, 'a');
    respond(invite, 183, reliable(500), SDP, 'b');
    respond(invite, 180, reliable(2), '', 'a');
    expect(sent('PRACK').map((one) => [tagOf(one.to), one.headers.get('RAck')])).toEqual([
      ['a', '1 1 INVITE'],
      ['b', '500 1 INVITE'],
      ['a', '2 1 INVITE'],
    ]);
  });

  it('get no PRACK without a To tag, without RSeq, or where they are only supported', () => {
    const { sent, last, respond } = played();
    const invite = last('INVITE');
    respond(invite, 180, [['Require', '100rel']]);
    respond(invite, 180, [
      ['Supported', '100rel'],
      ['RSeq', '1'],
    ]);
    respond(invite, 183, reliable(0));
    expect(sent('PRACK')).toEqual([]);
  });

  it('carry the offer of a call without one, and the PRACK its answer', () => {
    const answers: string[] = [];
    const onOffer = (offer: string): string => {
      const result = createAnswer(parseSdp(offer), testMedia);
      answers.push(result.ok ? writeSdp(result.answer) : '');
      return answers[0]!;
    };
    const { last, respond, watched, sent } = played({ sdp: '' }, { onOffer });
    expect(last('INVITE').body).toBe('');
    respond(last('INVITE'), 183, reliable(1), SDP);
    expect(last('PRACK').body).toBe(answers[0]);
    respond(last('INVITE'), 200);
    expect([watched.answers, answers.length, sent('ACK')[0]?.body]).toEqual([[SDP], 1, '']);
  });

  it('are demanded where the trunk demands them, and left out where it cannot', () => {
    expect(played({ reliable: 'required' }).last('INVITE').headers.get('Require')).toBe('100rel');
    expect(played({ reliable: 'off' }).last('INVITE').headers.get('Supported')).not.toContain('100rel');
  });
});

describe('UPDATE', () => {
  it('changes early media once the offer is answered, and waits with 491 before', () => {
    const media: NegotiatedMedia[] = [];
    const { last, respond, ask } = played({}, { onMediaChanged: (changed) => media.push(changed) });
    respond(last('INVITE'), 183, [], SDP);
    expect(ask('UPDATE', [], SDP).status).toBe(491);
    respond(
      last('INVITE'),
      183,
      [
        ['Require', '100rel'],
        ['RSeq', '1'],
      ],
      SDP,
    );
    const moved = ask('UPDATE', [], SDP.replace('6000', '7000').replace('1 1 IN', '1 2 IN'));
    expect([moved.status, media.map(({ audio }) => audio.remotePort)]).toEqual([200, [7_000]]);
    expect(moved.text).toContain('m=audio 4000');
  });

  it('without SDP refreshes the target of later requests', () => {
    const { ask, answer, watched, last } = played();
    answer();
    expect(ask('UPDATE').status).toBe(200);
    watched.call.hangup();
    expect(last('BYE').uri).toBe('sip:10.0.0.1:5070');
  });

  it('is refused with 488 without a codec in common, 420 for unknown extensions, and leaves the session alone', () => {
    const { ask, answer, watched } = played();
    answer();
    expect(ask('UPDATE', [], SDP.replace('AVP 8', 'AVP 97')).status).toBe(488);
    expect(ask('UPDATE', [['Require', 'precondition']], SDP).text).toContain('Unsupported: precondition');
    expect(ask('UPDATE', [], 'v=1').status).toBe(400);
    expect(watched.ends).toEqual([]);
  });
});

describe('a session timer', () => {
  const asked = (request: SipRequest): number | undefined => readSessionExpires(request.headers)?.seconds;

  it('asks for 1800 s, raises it after 422 and refreshes by UPDATE at half of it', () => {
    const { last, respond, answer, step, sent, watched } = played();
    expect([asked(last('INVITE')), last('INVITE').headers.get('Min-SE')]).toEqual([1_800, undefined]);
    respond(last('INVITE'), 422, [['Min-SE', '3600']]);
    expect([asked(last('INVITE')), last('INVITE').headers.get('Min-SE'), last('INVITE').cseq.sequence]).toEqual([
      3_600,
      '3600',
      2,
    ]);
    answer([
      ['Session-Expires', '3600;refresher=uac'],
      ['Allow', 'INVITE, UPDATE'],
    ]);
    step(1_799_900);
    expect(sent('UPDATE')).toEqual([]);
    step(200);
    const refresh = last('UPDATE');
    expect([refresh.body, refresh.headers.get('Session-Expires')]).toEqual(['', '3600;refresher=uac']);
    respond(refresh, 200, [['Session-Expires', '3600;refresher=uac']]);
    step(1_800_000);
    expect(sent('UPDATE').length).toBeGreaterThan(1);
    expect(watched.ends).toEqual([]);
  });

  it('refreshes by re-INVITE with the same description where the peer knows no UPDATE', () => {
    const { last, respond, answer, step, sent } = played();
    const offer = last('INVITE').body;
    answer([['Session-Expires', '90;refresher=uac']]);
    step(45_000);
    const again = sent('INVITE').at(-1)!;
    expect([again.body, tagOf(again.to), again.cseq.sequence]).toEqual([offer, 'x', 2]);
    respond(again, 200, [['Session-Expires', '90;refresher=uac']], SDP);
    expect(sent('ACK')).toHaveLength(2);
  });

  it('hangs up at its end less the lesser of 32 s and a third when the peer does not refresh', () => {
    const { answer, step, sent, last, watched } = played();
    answer([['Session-Expires', '90;refresher=uas']]);
    step(59_000);
    expect(sent('BYE')).toEqual([]);
    step(1_500);
    expect(last('BYE').headers.get('Reason')).toContain('408');
    expect(watched.ends).toMatchObject([{ by: 'network', cause: 'no-response', detail: 'session expired' }]);
  });

  it('lives on when the peer refreshes, and ends when our refresh meets 481', () => {
    const refreshed = played();
    refreshed.answer([['Session-Expires', '90;refresher=uas']]);
    for (let turn = 0; turn < 5; turn++) {
      refreshed.step(45_000);
      const { status, headers } = refreshed.ask('UPDATE', [
        ['Supported', 'timer'],
        ['Session-Expires', '90;refresher=uac'],
      ]);
      expect([status, headers?.get('Session-Expires')]).toEqual([200, '90;refresher=uac']);
    }
    expect(refreshed.watched.ends).toEqual([]);

    const lost = played();
    lost.answer([
      ['Session-Expires', '90;refresher=uac'],
      ['Allow', 'UPDATE'],
    ]);
    lost.step(45_000);
    lost.respond(lost.last('UPDATE'), 481);
    expect(lost.watched.ends).toMatchObject([{ cause: 'no-response' }]);
  });

  it('is agreed between our own two sides, and the caller keeps it alive', () => {
    const { network, watched, ends } = talking({ sessionSeconds: 120 });
    network.clock.advance(600_000);
    expect(network.labels.filter((label) => label === '5060 UPDATE')).toHaveLength(10);
    expect([watched.ends, ends]).toEqual([[], []]);
    watched.call.hangup();
    network.clock.advance(64_000);
    expect(network.clock.running).toBe(0);
  });

  it('refuses less than 90 s with 422, and refreshes itself for a peer without timers', () => {
    const fields = (value: string, supported: string) =>
      new Headers([
        ['Session-Expires', value],
        ['Supported', supported],
      ]);
    expect(answerInterval(fields('60', 'timer'))).toEqual({ ok: false, headers: [['Min-SE', '90']] });
    expect(answerInterval(fields('60', ''))).toMatchObject({ ok: true, interval: { seconds: 90, ours: true } });
    expect(answerInterval(fields('600;refresher=uas', 'timer'))).toMatchObject({
      interval: { seconds: 600, ours: true },
      headers: [['Session-Expires', '600;refresher=uas']],
    });
    expect(answerInterval(fields('nonsense', 'timer'))).toMatchObject({ ok: true, interval: undefined });
    const network = new SipNetwork();
    network.agent(5070).onIncomingCall = accept;
    const asked = { sessionSeconds: 0, headers: [['Session-Expires', '60']] } as const;
    const watched = placeWatched(network.agent(5060), 5070, asked);
    network.clock.advance(100);
    expect(network.log.at(-2)?.text).toMatch(/^SIP\/2.0 422 [^]*Min-SE: 90/);
    expect(watched.ends).toMatchObject([{ cause: 'rejected', status: 422 }]);
  });
});

describe('a change of the session', () => {
  it('holds and resumes from either side, and each side hears the direction that holds', async () => {
    const media: NegotiatedMedia[] = [];
    const two = talking({}, { onMediaChanged: (changed) => media.push(changed) });
    for (const act of [
      () => two.watched.call.hold(),
      () => two.watched.call.resume(),
      () => two.incoming.hold(),
      () => two.incoming.resume(),
    ]) {
      const result = act();
      two.network.clock.advance(100);
      expect(await result).toMatchObject({ ok: true });
    }
    expect(media.map(({ audio }) => audio.direction)).toEqual(['sendonly', 'sendrecv', 'recvonly', 'sendrecv']);
    expect(two.media.map(({ audio }) => audio.direction)).toEqual(['recvonly', 'sendrecv', 'sendonly', 'sendrecv']);
  });

  it('changes the codec, keeps the origin and raises its version by one', async () => {
    const { network, watched } = talking();
    const changed = watched.call.change({ codecs: ['PCMU'] });
    network.clock.advance(100);
    expect(await changed).toMatchObject({ ok: true, media: { audio: { codec: 'PCMU' } } });
    const [first, second] = network.log
      .filter(({ label, from }) => label === 'INVITE' && from === 5060)
      .map(({ message }) => parseSdp(message?.body ?? '').origin);
    expect(second).toEqual({ ...first, sessionVersion: String(BigInt(first!.sessionVersion) + 1n) });
  });

  it('that is refused leaves the session, and a later one is a higher version still', async () => {
    const { answer, watched, last, respond, ask } = played();
    answer();
    const before = parseSdp(last('INVITE').body).origin.sessionVersion;
    const refused = watched.call.hold();
    respond(last('INVITE'), 488);
    expect(await refused).toMatchObject({ ok: false, status: 488 });
    expect(ask('UPDATE', [], SDP).text).toContain('a=sendrecv');
    const next = watched.call.hold();
    expect(BigInt(parseSdp(last('INVITE').body).origin.sessionVersion)).toBeGreaterThan(BigInt(before) + 1n);
    respond(last('INVITE'), 200, [], SDP);
    expect(await next).toMatchObject({ ok: true });
  });

  it('waits 2.1 to 4 s after glare where the Call-ID is ours and 0 to 2 s where it is not, then succeeds', async () => {
    const two = talking();
    const results = [two.watched.call.hold(), two.incoming.hold()];
    two.network.clock.advance(100);
    expect(two.network.labels.filter((label) => label.includes('491'))).toEqual(['5070 491 INVITE', '5060 491 INVITE']);
    // A wait may be so short that it is over by now.
    const collided = Math.max(...two.network.log.flatMap(({ label, atMs }) => (label.includes('491') ? atMs : [])));
    two.network.clock.advance(5_000);
    expect(await Promise.all(results)).toMatchObject([{ ok: true }, { ok: true }]);
    const again = two.network.log.filter(({ label, atMs }) => label === 'INVITE' && atMs > collided);
    const delays = again.map(({ from, atMs }) => [from, atMs - collided] as const);
    const delayOf = (port: number): number => delays.find(([from]) => from === port)?.[1] ?? Number.NaN;
    expect(delays).toHaveLength(2);
    // Counted from when the 491 left, a link's delay before it came.
    expect(delayOf(5_060)).toBeGreaterThan(2_100);
    expect(delayOf(5_070)).toBeLessThan(2_100);
  });

  it('answers a re-INVITE without SDP by a full offer and reads the answer in its ACK', () => {
    const media: NegotiatedMedia[] = [];
    const { answer, ask, network, last, step } = played({}, { onMediaChanged: (changed) => media.push(changed) });
    answer();
    const offered = ask('INVITE');
    expect([offered.status, offered.text]).toEqual([200, expect.stringContaining('m=audio 4000 RTP/AVP 8 0 101')]);
    const sequence = /CSeq: (\d+)/.exec(offered.text)?.[1] ?? '';
    const ack = buildRequest(
      'ACK',
      'sip:10.0.0.1:5060',
      [
        ['Via', 'SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKack'],
        ['From', '<sip:13800000000@10.0.0.1>;tag=x'],
        ['To', last('INVITE').headers.get('From') ?? ''],
        ['Call-ID', last('INVITE').callId],
        ['CSeq', `${sequence} ACK`],
        TYPE,
      ],
      SDP.replace('AVP 8', 'AVP 0').replace('6000', '8000') + 'm=text 0 RTP/AVP 98\r\n',
    );
    network.transport(5071).send(writeMessage(ack), { host: '10.0.0.1', port: 5060 });
    step();
    expect(media).toMatchObject([{ audio: { codec: 'PCMU', remotePort: 8_000 } }]);
  });

  it('ends with the call', async () => {
    const { answer, watched, ask } = played();
    answer();
    const held = watched.call.hold();
    expect(ask('BYE').status).toBe(200);
    expect(await held).toMatchObject({ ok: false, detail: 'call ended' });
    expect(await watched.call.hold()).toMatchObject({ ok: false });
  });
});

describe('a late offer', () => {
  const offer = writeSdp(createOffer(testMedia));

  it('of the callee is answered in the ACK', () => {
    const network = new SipNetwork();
    const acknowledged: (string | undefined)[] = [];
    network.agent(5070).onIncomingCall = (call) => {
      call.onAcknowledged = (answer) => acknowledged.push(answer);
      call.answer(offer);
    };
    const onOffer = (sdp: string): string => {
      const result = createAnswer(parseSdp(sdp), testMedia);
      return result.ok ? writeSdp(result.answer) : '';
    };
    const watched = placeWatched(network.agent(5060), 5070, { sdp: '' }, { onOffer });
    network.clock.advance(100);
    expect(watched.answers).toEqual([offer]);
    expect(parseSdp(acknowledged[0] ?? '').media).toHaveLength(2);
  });

  it('that nobody answers ends the call from both sides', () => {
    const network = new SipNetwork();
    const ends: CallEnd[] = [];
    network.agent(5070).onIncomingCall = (call) => {
      call.onEnded = (end) => ends.push(end);
      call.answer(offer);
    };
    const watched = placeWatched(network.agent(5060), 5070, { sdp: '' });
    network.clock.advance(1_000);
    expect(watched.ends).toMatchObject([{ cause: 'protocol' }]);
    expect(ends).toHaveLength(1);
    network.clock.advance(64_000);
    expect(network.clock.running).toBe(0);
  });
});
