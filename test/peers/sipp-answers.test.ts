import { describe, expect, it } from 'vitest';
import { createAnswer } from '#telephony/sdp/offer-answer.ts';
import { parseSdp } from '#telephony/sdp/parse.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import {
  assertedIdentities,
  earlyMediaOf,
  identityFields,
  userToUserField,
  userToUserOf,
} from '#telephony/sip/messages/identity.ts';
import type { Headers } from '#telephony/sip/messages/headers.ts';
import { AS_WRITTEN, ended, has, OK, reliable, runCalled, SDP, WE_HANG_UP } from '../support/sipp-cases.ts';
import type { Called } from '../support/sipp-cases.ts';
import { testMedia } from '../support/sip-network.ts';
import { answer, ask, invited, ok, pause, peerSdp, recv, response } from '../support/sipp-script.ts';
import { hasSipp } from '../support/sipp.ts';

/** Fields that arrived with progress and answer. */
const seen: Record<string, Headers[]> = { progress: [], answer: [] };

const CASES: readonly Called[] = [
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
  {
    name: 'a 200 that comes twice: acknowledged twice, answered once',
    // Else sipp answers the repeated ACK with yet another 200, for ever.
    args: ['-nr'],
    steps: [
      invited(),
      answer(200, 'OK', { ...SDP, tag: 'one' }),
      recv('ACK', [has('CSeq', '1 ACK')]),
      answer(200, 'OK', { ...SDP, tag: 'one' }),
      recv('ACK', [has('CSeq', '1 ACK')]),
      recv('BYE', [has('CSeq', '2 BYE')]),
      ok(),
    ],
    hangUpAfterMs: 300,
  },
  {
    name: 'a reliable 183 with the answer, then a 200 without it',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, headers: reliable(7) }),
      recv('PRACK', [has('RAck', '7 1 INVITE'), has('CSeq', '2 PRACK')]),
      ok(),
      answer(200, 'OK', { repeat: true }),
      recv('ACK', [has('CSeq', '1 ACK')]),
      recv('BYE', [has('CSeq', '3 BYE')]),
      ok(),
    ],
  },
  {
    name: 'a reliable 183 that overtakes another: only the one in order is acknowledged',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, headers: reliable(5) }),
      recv('PRACK', [has('RAck', '5 1 INVITE')]),
      ok(),
      answer(180, 'Ringing', { headers: reliable(7) }),
      pause(100),
      answer(180, 'Ringing', { headers: reliable(6) }),
      recv('PRACK', [has('RAck', '6 1 INVITE')]),
      ok(),
      answer(180, 'Ringing', { headers: reliable(7) }),
      recv('PRACK', [has('RAck', '7 1 INVITE')]),
      ok(),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'an UPDATE that meets our unanswered offer: 491',
    steps: [
      invited(),
      answer(183, 'Session Progress', { headers: reliable(1) }),
      recv('PRACK'),
      ok(),
      ask('UPDATE', 1, { sdp: peerSdp('0') }),
      response(491),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'forked early media: the fork that answers wins, the other dialog is gone',
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, tag: 'a' }),
      answer(183, 'Session Progress', { sdp: peerSdp('0'), tag: 'b' }),
      answer(200, 'OK', { sdp: peerSdp('0'), tag: 'b', repeat: true }),
      recv('ACK', [has('To', 'tag=b')]),
      ask('INFO', 1, { tag: 'a' }),
      response(481),
      recv('BYE', [has('To', 'tag=b')]),
      ok(),
    ],
    hangUpAfterMs: 300,
  },
  {
    name: 'an INVITE that is lost twice: repeated as it was',
    args: ['-nr'],
    steps: [
      invited(),
      pause(100),
      { xml: '<recv request="INVITE"/>' },
      answer(100, 'Trying', { tag: '' }),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a BYE that is lost: repeated until answered',
    steps: [invited(), OK, recv('ACK'), recv('BYE'), pause(700), ok()],
  },
  {
    name: 'P-Early-Media in the 183 of an IMS',
    steps: [
      invited([has('P-Early-Media', 'supported')]),
      answer(183, 'Session Progress', { ...SDP, headers: ['P-Early-Media: sendrecv, inactive'] }),
      OK,
      ...WE_HANG_UP,
    ],
    request: { headers: [['P-Early-Media', 'supported']] },
    handlers: { onProgress: ({ headers }) => seen['progress']!.push(headers) },
    check: (watched) => {
      expect(seen['progress']!.map(earlyMediaOf)).toEqual([['sendrecv', 'inactive']]);
      ended({ by: 'platform', cause: 'bye' })(watched);
    },
  },
  {
    name: 'who calls, kept from the callee: P-Asserted-Identity, Privacy, an anonymous From',
    request: {
      from: 'sip:anonymous@anonymous.invalid',
      displayName: 'Anonymous',
      headers: identityFields({ uri: 'tel:+8621000000', displayName: 'A "B"', privacy: ['id', 'critical'] }),
    },
    steps: [
      invited([
        has('From', '"Anonymous" <sip:anonymous@anonymous.invalid>'),
        has('P-Asserted-Identity', '"A ..B... <tel:[+]8621000000>'),
        has('Privacy', 'id;critical'),
      ]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'User-to-User both ways, and whom we reached',
    request: { headers: [userToUserField(Uint8Array.of(4, 0x41), 'isdn-uui')] },
    steps: [
      invited([has('User-to-User', '0441;encoding=hex;purpose=isdn-uui')]),
      answer(200, 'OK', {
        ...SDP,
        repeat: true,
        headers: ['User-to-User: 0442;encoding=hex', 'P-Asserted-Identity: "Zhang" <tel:+8610000000>'],
      }),
      ...WE_HANG_UP,
    ],
    handlers: { onAnswered: ({ headers }) => seen['answer']!.push(headers) },
    check: () => {
      const [headers] = seen['answer']!;
      expect(userToUserOf(headers!)).toEqual([{ data: '0442', encoding: 'hex', purpose: undefined }]);
      expect(assertedIdentities(headers!)).toMatchObject([{ displayName: 'Zhang', uri: 'tel:+8610000000' }]);
    },
  },
  {
    name: 'Reason both ways: ours on the BYE',
    steps: [invited(), OK, recv('ACK'), recv('BYE', [has('Reason', 'Q.850;cause=16;text="Normal')]), ok()],
    act: async ({ call }) => call.hangup({ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' }),
  },
  {
    name: 'Reason both ways: that of the peer’s BYE',
    stay: true,
    steps: [
      invited(),
      OK,
      recv('ACK'),
      ask('BYE', 1, { headers: ['Reason: Q.850;cause=31, SIP;cause=200'] }),
      response(200),
    ],
    check: ended({ by: 'callee', cause: 'bye', reason: 'Q.850;cause=31, SIP;cause=200' }),
  },
];

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp).concurrent('SIPp is called', () => {
  it.for(CASES)('$name', async (one, test) => {
    expect(await runCalled(one, test)).toBe(AS_WRITTEN);
  });
});
