import { describe, expect, it } from 'vitest';
import { parseReason } from '#telephony/sip/reason.ts';
import { AS_WRITTEN, ended, has, OK, runCalled, SDP, WE_HANG_UP } from '../support/sipp-cases.ts';
import type { Called } from '../support/sipp-cases.ts';
import { answer, invited, ok, recv } from '../support/sipp-script.ts';
import { hasSipp } from '../support/sipp.ts';

const CREDENTIALS = { credentials: { username: 'u', password: 'p' } };
const challenge = (proxy: boolean, rest: string): string =>
  `${proxy ? 'Proxy' : 'WWW'}-Authenticate: Digest realm="r", ${rest}`;

const CASES: readonly Called[] = [
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
    name: 'a nonce that serves a whole call: its counter rises with every request',
    request: CREDENTIALS,
    steps: [
      invited(),
      answer(407, 'Proxy Authentication Required', { headers: [challenge(true, 'nonce="n", qop="auth,auth-int"')] }),
      recv('ACK'),
      invited([has('Proxy-Authorization', 'nc=00000001')]),
      OK,
      recv('ACK', [has('Proxy-Authorization', 'nc=00000001')]),
      recv('BYE', [has('Proxy-Authorization', 'nonce="n".*qop=auth, nc=00000002')]),
      ok(),
    ],
  },
  {
    name: 'a nonce that is stale at once: signed anew, the counter begins again',
    request: CREDENTIALS,
    steps: [
      invited(),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="a", qop="auth"')] }),
      recv('ACK'),
      invited([has('Authorization', 'nonce="a".*nc=00000001')]),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="b", qop="auth", stale=TRUE')] }),
      recv('ACK'),
      invited([has('Authorization', 'nonce="b".*nc=00000001'), has('CSeq', '3 INVITE')]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a challenge that nobody can answer: an algorithm of tomorrow',
    request: CREDENTIALS,
    stay: true,
    steps: [
      invited(),
      answer(401, 'Unauthorized', { headers: [challenge(false, 'nonce="a", algorithm=SHA-512-256')] }),
      recv('ACK'),
    ],
    check: ended({ cause: 'rejected', status: 401 }),
  },
  {
    name: 'several places to be redirected to: the best that the policy allows',
    request: { mayRedirectTo: (uri) => !uri.includes('bad') },
    steps: [
      invited(),
      answer(300, 'Multiple Choices', {
        headers: [
          'Contact: <sip:low@[local_ip]:[local_port]>;q=0.1, <sip:bad@[local_ip]:[local_port]>;q=1.0',
          'Contact: <sip:high@[local_ip]:[local_port]>;q=0.7',
        ],
      }),
      recv('ACK'),
      invited([has('', '^INVITE sip:high@'), has('To', '<sip:13800000000@')]),
      OK,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a second redirection: no more than one is followed',
    request: { mayRedirectTo: () => true },
    stay: true,
    steps: [
      invited(),
      answer(302, 'Moved', { headers: ['Contact: <sip:a@[local_ip]:[local_port]>'] }),
      recv('ACK'),
      invited([has('', '^INVITE sip:a@')]),
      answer(302, 'Moved', { headers: ['Contact: <sip:b@[local_ip]:[local_port]>'] }),
      recv('ACK'),
    ],
    check: ended({ cause: 'rejected', status: 302 }),
  },
  {
    name: 'a callee that must have 100rel and does not get it: 421 ends the call',
    request: { reliable: 'off' },
    stay: true,
    steps: [invited(), answer(421, 'Extension Required', { headers: ['Require: 100rel'] }), recv('ACK')],
    check: ended({ by: 'network', cause: 'rejected', status: 421 }),
  },
  {
    name: 'a callee without the 100rel that we require: 420',
    request: { reliable: 'required' },
    stay: true,
    steps: [
      invited([has('Require', '100rel')]),
      answer(420, 'Bad Extension', { headers: ['Unsupported: 100rel'] }),
      recv('ACK'),
    ],
    check: ended({ by: 'network', cause: 'rejected', status: 420 }),
  },
  {
    name: '603 of an analytics service, with its Reason',
    stay: true,
    steps: [
      invited(),
      answer(603, 'Network Blocked', {
        headers: ['Reason: SIP;cause=603;text="v=analytics1;url=https://carrier.example"'],
      }),
      recv('ACK'),
    ],
    check: ({ ends }) => {
      expect(ends).toMatchObject([{ by: 'callee', cause: 'rejected', status: 603, reasonPhrase: 'Network Blocked' }]);
      expect(parseReason(ends[0]?.reason ?? '')).toMatchObject([
        { cause: 603, text: expect.stringContaining('v=analytics1') },
      ]);
    },
  },
  {
    name: '607 and 608 (RFC 8197, RFC 8688): unwanted is the callee’s word',
    stay: true,
    steps: [invited(), answer(607, 'Unwanted'), recv('ACK')],
    check: ended({ by: 'callee', cause: 'rejected', status: 607 }),
  },
  {
    name: '608 is the network’s word',
    stay: true,
    steps: [
      invited(),
      answer(608, 'Rejected', { headers: ['Call-Info: <https://block.example>;purpose=jwscard'] }),
      recv('ACK'),
    ],
    check: ended({ by: 'network', cause: 'rejected', status: 608 }),
  },
  {
    name: 'a CANCEL waits for the first provisional response, and the 487 is acknowledged',
    args: ['-nr'],
    request: { ringTimeoutMs: 100 },
    stay: true,
    steps: [
      invited(),
      // Our ring time-out passes here; nothing may come but the INVITE again.
      { xml: '<recv request="INVITE"/>' },
      answer(180, 'Ringing'),
      recv('CANCEL', [has('CSeq', '1 CANCEL'), has('Reason', 'Q.850;cause=19')]),
      ok(),
      answer(487, 'Request Terminated'),
      recv('ACK', [has('CSeq', '1 ACK')]),
    ],
    check: ended({ by: 'platform', cause: 'ring-timeout', status: 487 }),
  },
  {
    name: 'a CANCEL that the peer does not know any more, and its 486',
    request: { ringTimeoutMs: 100 },
    stay: true,
    steps: [
      invited(),
      answer(180, 'Ringing'),
      recv('CANCEL'),
      ok(481, 'Call/Transaction Does Not Exist'),
      answer(486, 'Busy Here'),
      recv('ACK'),
    ],
    check: ended({ by: 'platform', cause: 'ring-timeout', status: 486 }),
  },
  {
    name: 'an INVITE with PRACK outstanding is refused: nothing is left over',
    stay: true,
    steps: [
      invited(),
      answer(183, 'Session Progress', { ...SDP, headers: ['Require: 100rel', 'RSeq: 1'] }),
      recv('PRACK'),
      answer(480, 'Temporarily Unavailable', { headers: ['Reason: Q.850;cause=20'] }),
      recv('ACK'),
      ok(481, 'Call/Transaction Does Not Exist'),
    ],
    check: ended({ cause: 'rejected', status: 480, reason: 'Q.850;cause=20' }),
  },
];

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp).concurrent('SIPp refuses', () => {
  it.for(CASES)('$name', async (one, test) => {
    expect(await runCalled(one, test)).toBe(AS_WRITTEN);
  });
});
