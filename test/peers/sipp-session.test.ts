import { describe, expect, it } from 'vitest';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import {
  AS_WRITTEN,
  answered,
  AUDIO_ONLY,
  ended,
  hastyClock,
  has,
  OK,
  peerHangsUp,
  runCalled,
  SDP,
} from '../support/sipp-cases.ts';
import type { Called } from '../support/sipp-cases.ts';
import { answer, ask, invited, ok, peerSdp, recv, response } from '../support/sipp-script.ts';
import type { Step } from '../support/sipp-script.ts';
import { hasSipp } from '../support/sipp.ts';

/** What an answered call without a change looks like to the peer. */
const TALKING: readonly Step[] = [invited(), OK, recv('ACK')];
const WE_END: readonly Step[] = [recv('BYE'), ok()];
const FRAG = (line: string) => ({ type: 'message/sipfrag;version=2.0', text: `${line}\n` });
const notify = (sequence: number, state: string, line?: string): Step =>
  ask('NOTIFY', sequence, {
    headers: ['Event: refer', `Subscription-State: ${state}`],
    ...(line === undefined ? {} : { body: FRAG(line) }),
  });
const held: NegotiatedMedia[] = [];

const CASES: readonly Called[] = [
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
      ...peerHangsUp(3),
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
      ...peerHangsUp(3),
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
      ...peerHangsUp(2),
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
      ...peerHangsUp(2),
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
      ...peerHangsUp(10),
    ],
    check: answered,
  },
  {
    name: 'a BYE from another dialog, which is none of ours',
    stay: true,
    steps: [invited(), OK, recv('ACK'), ask('BYE', 1, { tag: 'stranger' }), response(481), ...peerHangsUp(2)],
    check: answered,
  },
  {
    name: 'hold by the address 0.0.0.0, as RFC 2543 did it, and resume',
    stay: true,
    handlers: { onMediaChanged: (media) => held.push(media) },
    steps: [
      ...TALKING,
      ask('INVITE', 1, { sdp: peerSdp('8', 'sendrecv', '0.0.0.0') }),
      response(200, [has('', 'a=(recvonly|inactive)')]),
      ask('ACK', 1),
      ask('INVITE', 2, { sdp: peerSdp('8') }),
      response(200, [has('', 'a=sendrecv')]),
      ask('ACK', 2),
      ...peerHangsUp(3),
    ],
    check: (watched) => {
      // We must not send to nowhere.
      expect(held.map(({ audio }) => audio.direction)).toEqual([
        expect.stringMatching(/recvonly|inactive/),
        'sendrecv',
      ]);
      answered(watched);
    },
  },
  {
    name: 'hold on hold: inactive both ways',
    stay: true,
    steps: [
      ...TALKING,
      ask('UPDATE', 1, { sdp: peerSdp('8', 'inactive') }),
      response(200, [has('', 'a=inactive')]),
      ...peerHangsUp(2),
    ],
    check: answered,
  },
  {
    name: 'our hold and our resume',
    request: { sdp: AUDIO_ONLY },
    steps: [
      ...TALKING,
      invited([has('CSeq', '2 INVITE'), has('', 'a=sendonly')]),
      answer(200, 'OK', { sdp: peerSdp('8', 'recvonly'), repeat: true }),
      recv('ACK', [has('CSeq', '2 ACK')]),
      invited([has('CSeq', '3 INVITE'), has('', 'a=sendrecv')]),
      answer(200, 'OK', { ...SDP, repeat: true }),
      recv('ACK', [has('CSeq', '3 ACK')]),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.hold()).toMatchObject({ ok: true, media: { audio: { direction: 'sendonly' } } });
      expect(await call.resume()).toMatchObject({ ok: true, media: { audio: { direction: 'sendrecv' } } });
      call.hangup();
    },
  },
  {
    name: 'a change of ours that is refused: the session stays, and the next one passes',
    request: { sdp: AUDIO_ONLY },
    steps: [
      ...TALKING,
      invited([has('CSeq', '2 INVITE')]),
      answer(488, 'Not Acceptable Here'),
      recv('ACK'),
      invited([has('CSeq', '3 INVITE')]),
      answer(200, 'OK', { sdp: peerSdp('8', 'recvonly'), repeat: true }),
      recv('ACK', [has('CSeq', '3 ACK')]),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.hold()).toMatchObject({ ok: false, status: 488 });
      expect(await call.hold()).toMatchObject({ ok: true });
      call.hangup();
    },
  },
  {
    name: 'a change of ours that meets a dialog that the peer has lost: the call ends',
    steps: [...TALKING, invited(), answer(481, 'Call Does Not Exist'), recv('ACK'), ...WE_END],
    act: async ({ call }) => {
      expect(await call.hold()).toMatchObject({ ok: false });
    },
    check: ended({ by: 'network', cause: 'no-response' }),
  },
  {
    name: 'glare: 491 to our change, tried again after more than two seconds',
    request: { sdp: AUDIO_ONLY },
    agent: { random: () => 0 },
    steps: [
      ...TALKING,
      invited([has('CSeq', '2 INVITE')]),
      answer(491, 'Request Pending'),
      recv('ACK'),
      {
        xml: '<recv request="INVITE" timeout="1900" ontimeout="quiet"/><nop><action><error message="too soon"/></action></nop><label id="quiet"/>',
      },
      invited([has('CSeq', '3 INVITE')]),
      answer(200, 'OK', { sdp: peerSdp('8', 'recvonly'), repeat: true }),
      recv('ACK'),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.hold()).toMatchObject({ ok: true });
      call.hangup();
    },
  },
  {
    name: 'glare: a change of the peer while ours is open gets 491',
    request: { sdp: AUDIO_ONLY },
    steps: [
      ...TALKING,
      invited([has('CSeq', '2 INVITE')]),
      ask('INVITE', 1, SDP),
      response(491),
      ask('ACK', 1),
      answer(200, 'OK', { sdp: peerSdp('8', 'recvonly'), repeat: true }),
      recv('ACK'),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.hold()).toMatchObject({ ok: true });
      call.hangup();
    },
  },
  {
    name: 'a transfer that is refused',
    steps: [...TALKING, recv('REFER', [has('Refer-To', '<sip:5@192.0.2.1>')]), ok(603, 'Decline'), ...WE_END],
    act: async ({ call }) => {
      expect(await call.transfer('sip:5@192.0.2.1')).toMatchObject({ ok: false, status: 603 });
      call.hangup();
    },
  },
  {
    name: 'a transfer with its reports',
    steps: [
      ...TALKING,
      recv('REFER'),
      ok(202, 'Accepted'),
      notify(1, 'active;expires=60', 'SIP/2.0 100 Trying'),
      response(200),
      notify(2, 'terminated;reason=noresource', 'SIP/2.0 200 OK'),
      response(200),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.transfer('sip:5@192.0.2.1')).toMatchObject({ ok: true, status: 200 });
      call.hangup();
    },
  },
  {
    name: 'a transfer whose report ends without an outcome, and a report too late',
    steps: [
      ...TALKING,
      recv('REFER'),
      ok(202, 'Accepted'),
      notify(1, 'terminated;reason=giveup'),
      response(200),
      notify(2, 'active', 'SIP/2.0 200 OK'),
      response(481),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.transfer('sip:5@192.0.2.1')).toMatchObject({ ok: false, status: undefined });
      setTimeout(() => call.hangup(), 300);
    },
  },
  {
    name: 'a transfer that the transferee cannot carry out',
    steps: [
      ...TALKING,
      recv('REFER'),
      ok(202, 'Accepted'),
      notify(1, 'terminated;reason=noresource', 'SIP/2.0 486 Busy Here'),
      response(200),
      ...WE_END,
    ],
    act: async ({ call }) => {
      expect(await call.transfer('sip:5@192.0.2.1')).toMatchObject({ ok: false, status: 486, detail: 'Busy Here' });
      call.hangup();
    },
  },
  {
    name: 'a session that the peer should refresh and does not: BYE before it expires',
    agent: { clock: hastyClock },
    stay: true,
    steps: [
      invited([has('Supported', 'timer')]),
      answer(200, 'OK', { ...SDP, repeat: true, headers: ['Require: timer', 'Session-Expires: 90;refresher=uas'] }),
      recv('ACK'),
      recv('BYE', [has('Reason', 'SIP;cause=408')]),
      ok(),
    ],
    check: ended({ by: 'network', cause: 'no-response', detail: 'session expired' }),
  },
  {
    name: 'a session that we refresh by UPDATE, with a longer interval after 422',
    agent: { clock: hastyClock },
    stay: true,
    steps: [
      invited(),
      answer(200, 'OK', {
        ...SDP,
        repeat: true,
        headers: ['Allow: INVITE, ACK, BYE, UPDATE', 'Require: timer', 'Session-Expires: 90;refresher=uac'],
      }),
      recv('ACK'),
      recv('UPDATE', [has('Session-Expires', '90;refresher=uac'), has('Content-Length', ' 0')]),
      ok(422, 'Session Interval Too Small', ['Min-SE: 120']),
      recv('UPDATE', [has('Session-Expires', '120;refresher=uac'), has('Min-SE', '120')]),
      ok(200, 'OK', ['Require: timer', 'Session-Expires: 120;refresher=uac']),
      ...peerHangsUp(1),
    ],
    check: answered,
  },
  {
    name: 'a session that we refresh by re-INVITE, with the very description it has',
    agent: { clock: hastyClock },
    stay: true,
    steps: [
      invited(),
      answer(200, 'OK', {
        ...SDP,
        repeat: true,
        headers: ['Allow: INVITE, ACK, BYE', 'Require: timer', 'Session-Expires: 90;refresher=uac'],
      }),
      recv('ACK'),
      invited([has('Session-Expires', '90;refresher=uac'), has('', 'm=audio 4000 RTP/AVP 8')]),
      answer(200, 'OK', { ...SDP, repeat: true, headers: ['Session-Expires: 90;refresher=uac'] }),
      recv('ACK', [has('CSeq', '2 ACK')]),
      ...peerHangsUp(1),
    ],
    check: answered,
  },
  {
    name: 'digits by INFO, and an INFO that says nothing we know',
    stay: true,
    steps: [
      ...TALKING,
      ask('INFO', 1, { body: { type: 'application/dtmf-relay', text: 'Signal=10\nDuration=160\n' } }),
      response(200),
      ask('INFO', 2, { body: { type: 'application/dtmf', text: '7' } }),
      response(200),
      ask('INFO', 3, { body: { type: 'application/media_control+xml', text: '<x/>' } }),
      response(415, [has('Accept', 'application/dtmf-relay')]),
      ...peerHangsUp(4),
    ],
    check: (watched) => {
      expect(watched.digits).toEqual(['*', '7']);
      answered(watched);
    },
  },
  {
    name: 'a peer that moves: what follows goes to its new Contact',
    stay: true,
    steps: [
      ...TALKING,
      ask('UPDATE', 1, { headers: ['Supported: timer'], contact: '<sip:moved@[local_ip]:[local_port]>' }),
      response(200),
      recv('BYE', [has('', '^BYE sip:moved@')]),
      ok(),
    ],
    act: async ({ call }) => {
      setTimeout(() => call.hangup(), 400);
    },
  },
];

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp).concurrent('SIPp in a call', () => {
  it.for(CASES)('$name', async (one, test) => {
    expect(await runCalled(one, test)).toBe(AS_WRITTEN);
  });
});
