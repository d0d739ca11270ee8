import { describe, expect, it } from 'vitest';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import { createOffer } from '#telephony/sdp/offer-answer.ts';
import { writeSdp } from '#telephony/sdp/write.ts';
import {
  assertedIdentities,
  attestationOf,
  diversionsOf,
  historyOf,
  privacyOf,
  userToUserOf,
} from '#telephony/sip/messages/identity.ts';
import type { CallEnd, IncomingCall } from '#telephony/sip/user-agent.ts';
import { AS_WRITTEN, has, hastyClock, runCalling, SDP } from '../support/sipp-cases.ts';
import type { Caller } from '../support/sipp-cases.ts';
import { accept, testMedia } from '../support/sip-network.ts';
import { answer, call, invited, ok, pause, peerSdp, recv, response } from '../support/sipp-script.ts';
import type { Step } from '../support/sipp-script.ts';
import { hasSipp } from '../support/sipp.ts';

const IN = { inside: true };
const TRYING = response(100, [], true);
const TALKING: readonly Step[] = [call('INVITE', 1, SDP), TRYING, response(200), call('ACK', 1, IN)];
const hangsUp = (sequence: number): Step[] => [call('BYE', sequence, IN), response(200)];

const CASES: readonly Caller[] = [
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
    name: 'an INVITE that requires Replaces of who takes no call over',
    agent: { replaces: false },
    steps: [
      call('OPTIONS', 1),
      response(200, [has('Supported', 'timer, norefersub')]),
      call('INVITE', 2, { ...SDP, headers: ['Replaces: x@y;to-tag=1;from-tag=2', 'Require: replaces'] }),
      response(420, [has('Unsupported', 'replaces')]),
      call('ACK', 2, IN),
      call('INVITE', 3, { ...SDP, headers: ['Replaces: x@y;to-tag=1;from-tag=2'] }),
      response(481),
      call('ACK', 3, IN),
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
  {
    name: 'a CANCEL that crosses our 200: it changes nothing, ACK and BYE follow',
    steps: [
      call('INVITE', 1, { ...SDP, via: 'branch=z9hG4bK[pid]crossing' }),
      TRYING,
      response(200, [has('CSeq', 'INVITE')]),
      call('CANCEL', 1, { via: 'branch=z9hG4bK[pid]crossing' }),
      response(200, [has('CSeq', 'CANCEL')]),
      call('ACK', 1, IN),
      ...hangsUp(2),
    ],
  },
  {
    name: 'an INVITE that comes by two ways: the second is merged, 482',
    steps: [
      call('INVITE', 1, { ...SDP, via: 'branch=z9hG4bK[pid]one' }),
      TRYING,
      response(200),
      call('INVITE', 1, { ...SDP, repeat: false, via: 'branch=z9hG4bK[pid]two' }),
      // Its tag is not that of the call.
      { xml: '<recv response="482"/>' },
      call('ACK', 1, { via: 'branch=z9hG4bK[pid]two' }),
      call('ACK', 1, IN),
      ...hangsUp(2),
    ],
  },
  {
    name: 'a caller that never acknowledges: BYE when 64·T1 have passed',
    // 64·T1 pass in half a second; the repetitions of the 200 keep their pace.
    agent: { clock: hastyClock },
    args: ['-nr'],
    steps: [
      call('INVITE', 1, { ...SDP, repeat: false }),
      TRYING,
      response(200),
      response(200),
      recv('BYE', [has('Reason', 'SIP;cause=408')]),
      ok(),
    ],
  },
  {
    name: 'who calls, and on whose account: the identity fields of an INVITE',
    take: (incoming) => {
      const { headers } = incoming;
      const read = {
        asserted: assertedIdentities(headers).map(({ uri }) => uri),
        privacy: [...privacyOf(headers)],
        diversions: diversionsOf(headers),
        history: historyOf(headers).map(({ index, reason }) => [index, reason]),
        user: userToUserOf(headers).map(({ data }) => data),
        attestation: attestationOf(headers),
      };
      expect(read).toMatchObject({
        asserted: ['sip:+8610000000@carrier.example', 'tel:+8610000000'],
        privacy: ['id'],
        diversions: [{ uri: 'sip:4000@carrier.example', reason: 'unconditional' }],
        history: [
          ['1', '302'],
          ['1.1', undefined],
        ],
        user: ['0441'],
        attestation: { level: 'A', originId: 'x' },
      });
      accept(incoming);
    },
    steps: [
      call('INVITE', 1, {
        ...SDP,
        headers: [
          'P-Asserted-Identity: <sip:+8610000000@carrier.example>, <tel:+8610000000>',
          'Privacy: id',
          'Diversion: <sip:4000@carrier.example>;reason=unconditional;counter=1',
          'History-Info: <sip:4000@carrier.example?Reason=SIP%3Bcause%3D302>;index=1,<sip:1@[remote_ip]>;index=1.1',
          'User-to-User: 0441;encoding=hex',
          'Identity: e30.eyJhdHRlc3QiOiJBIiwib3JpZ2lkIjoieCJ9.c2ln;info=<https://cert.example/1.pem>;alg=ES256;ppt=shaken',
        ],
      }),
      TRYING,
      response(200),
      call('ACK', 1, IN),
      ...hangsUp(2),
    ],
  },
  {
    name: 'hold by 0.0.0.0 and resume, by re-INVITE',
    take: watched,
    steps: [
      ...TALKING,
      call('INVITE', 2, { ...IN, sdp: peerSdp('8', 'sendrecv', '0.0.0.0') }),
      response(200, [has('', 'a=(recvonly|inactive)')]),
      call('ACK', 2, IN),
      call('INVITE', 3, { ...IN, ...SDP }),
      response(200, [has('', 'a=sendrecv')]),
      call('ACK', 3, IN),
      ...hangsUp(4),
    ],
  },
  {
    name: 'an UPDATE before we answer: refused with 500 while its first offer is open',
    take: (incoming) => {
      incoming.progress(180);
      setTimeout(() => accept(incoming), 300);
    },
    steps: [
      call('INVITE', 1, SDP),
      TRYING,
      response(180),
      call('UPDATE', 2, { ...IN, sdp: peerSdp('0') }),
      response(500, [has('Retry-After', '[0-9]')]),
      response(200, [has('CSeq', 'INVITE')]),
      call('ACK', 1, IN),
      ...hangsUp(3),
    ],
  },
  {
    name: 'a transfer that it asks for: accepted, reported, done',
    take: (incoming) => {
      incoming.onTransferRequested = (request) => {
        expect(request).toMatchObject({
          to: 'sip:5@192.0.2.1',
          replaces: 'a@b;to-tag=1;from-tag=2',
          referredBy: 'sip:6@192.0.2.1',
        });
        const report = request.accept();
        setTimeout(() => report(200), 50);
      };
      accept(incoming);
    },
    steps: [
      ...TALKING,
      call('REFER', 2, {
        ...IN,
        headers: [
          'Refer-To: <sip:5@192.0.2.1?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
          'Referred-By: <sip:6@192.0.2.1>',
        ],
      }),
      response(202),
      recv('NOTIFY', [has('Event', 'refer'), has('Subscription-State', 'active'), has('', 'SIP/2.0 100')]),
      ok(),
      recv('NOTIFY', [has('Subscription-State', 'terminated'), has('', 'SIP/2.0 200')]),
      ok(),
      ...hangsUp(3),
    ],
  },
  {
    name: 'a session whose refresh is ours: UPDATE at half of it',
    agent: { clock: hastyClock },
    steps: [
      call('INVITE', 1, {
        ...SDP,
        headers: ['Supported: timer', 'Session-Expires: 90;refresher=uas', 'Allow: INVITE, ACK, BYE, UPDATE'],
      }),
      TRYING,
      response(200, [has('Session-Expires', '90;refresher=uas')]),
      call('ACK', 1, IN),
      recv('UPDATE', [has('Session-Expires', '90;refresher=uac')]),
      ok(200, 'OK', ['Session-Expires: 90;refresher=uac', 'Require: timer']),
      ...hangsUp(2),
    ],
  },
  {
    name: 'a call that we end: BYE only after the ACK, with its Reason',
    take: (incoming) => {
      accept(incoming);
      incoming.hangup({ protocol: 'Q.850', cause: 31, text: 'Normal, unspecified' });
    },
    steps: [
      call('INVITE', 1, SDP),
      TRYING,
      response(200),
      pause(150),
      call('ACK', 1, IN),
      recv('BYE', [has('Reason', 'Q.850;cause=31')]),
      ok(),
    ],
  },
  {
    name: 'a caller that gives its early call up with a Reason: call completed elsewhere',
    take: (incoming) => {
      incoming.onEnded = (end: CallEnd) => expect(end).toMatchObject({ cause: 'cancelled', reason: /cause=200/ });
      incoming.progress(183, { sdp: writeSdp(createOffer(testMedia)) });
    },
    steps: [
      call('INVITE', 1, { ...SDP, via: 'branch=z9hG4bK[pid]elsewhere' }),
      TRYING,
      response(183, [has('Content-Type', 'application/sdp')]),
      call('CANCEL', 1, {
        via: 'branch=z9hG4bK[pid]elsewhere',
        headers: ['Reason: SIP;cause=200;text="Call completed elsewhere"'],
      }),
      response(200, [has('CSeq', 'CANCEL')]),
      response(487),
      call('ACK', 1, { ...IN, via: 'branch=z9hG4bK[pid]elsewhere' }),
    ],
  },
  {
    name: 'a call that we refuse, in words of our own and with a time to try again',
    take: (incoming) => incoming.reject(503, 'All Lines Busy', [['Retry-After', '30']]),
    steps: [
      call('INVITE', 1, SDP),
      TRYING,
      response(503, [has('', '^SIP/2.0 503 All Lines Busy'), has('Retry-After', '30')]),
      call('ACK', 1, IN),
    ],
  },
  {
    name: 'glare: its change while ours is open gets 491, then ours is answered',
    take: (incoming) => {
      incoming.onAcknowledged = () => void incoming.hold();
      accept(incoming);
    },
    steps: [
      ...TALKING,
      invited([has('', 'a=sendonly')]),
      call('INVITE', 2, { ...IN, ...SDP }),
      response(491),
      call('ACK', 2, IN),
      answer(200, 'OK', { sdp: peerSdp('8', 'recvonly'), tag: 'unused', repeat: true }),
      recv('ACK'),
      ...hangsUp(3),
    ],
  },
];

/** Fails where a held call would go on sending. */
function watched(incoming: IncomingCall): void {
  const changes: NegotiatedMedia[] = [];
  incoming.onMediaChanged = (media) => changes.push(media);
  incoming.onEnded = () =>
    expect(changes.map(({ audio }) => audio.direction)).toEqual([
      expect.stringMatching(/recvonly|inactive/),
      'sendrecv',
    ]);
  accept(incoming);
}

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp).concurrent('SIPp calls', () => {
  it.for(CASES)('$name', async (one, test) => {
    expect(await runCalling(one, test)).toBe(AS_WRITTEN);
  });
});
