import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { SipBind } from '#telephony/sip/transport/open.ts';
import { accept, placeWatched } from '../support/sip-network.ts';
import {
  AS_WRITTEN,
  ended,
  verdictOf,
  has,
  OK,
  runCalled,
  SDP,
  startSteps,
  testAgent,
  WE_HANG_UP,
} from '../support/sipp-cases.ts';
import type { Called } from '../support/sipp-cases.ts';
import { answer, ask, call, invited, ok, recv, response } from '../support/sipp-script.ts';
import { hasSipp } from '../support/sipp.ts';

const HOST = '127.0.0.1';
const BOTH: readonly SipBind[] = [
  { protocol: 'UDP', address: HOST, port: 0 },
  { protocol: 'TCP', address: HOST, port: 0 },
];
const TCP = ['-t', 't1'];
const BY_TCP = answer(200, 'OK', { ...SDP, headers: ['Contact: <sip:[local_ip]:[local_port];transport=tcp>'] });
const IN = { inside: true };

const CASES: readonly Called[] = [
  {
    name: 'a call over TCP: nothing is repeated',
    agent: { bind: BOTH },
    request: { transport: 'TCP' },
    args: TCP,
    steps: [
      invited([has('Via', 'SIP/2.0/TCP'), has('Contact', 'transport=tcp')]),
      // Longer than T1: over UDP the INVITE would come again.
      { xml: '<pause milliseconds="700"/>' },
      answer(180, 'Ringing'),
      BY_TCP,
      ...WE_HANG_UP,
    ],
  },
  {
    name: 'a callee that hangs up over the connection of the call',
    agent: { bind: BOTH },
    request: { transport: 'TCP' },
    args: TCP,
    stay: true,
    steps: [invited(), BY_TCP, recv('ACK'), ask('BYE', 1, { repeat: false }), response(200)],
    check: ended({ by: 'callee', cause: 'bye' }),
  },
  {
    name: 'an INVITE of more than 1300 bytes takes TCP, where there is a choice',
    agent: { bind: BOTH },
    request: { headers: [['X-Padding', 'p'.repeat(1_300)]] },
    args: TCP,
    steps: [invited([has('Via', 'SIP/2.0/TCP'), has('X-Padding', 'p{200}')]), BY_TCP, ...WE_HANG_UP],
  },
  {
    name: 'an INVITE of more than 1300 bytes takes UDP after all, where the peer has no TCP',
    agent: { bind: BOTH },
    request: { headers: [['X-Padding', 'p'.repeat(1_300)]] },
    steps: [invited([has('Via', 'SIP/2.0/UDP')]), OK, ...WE_HANG_UP],
  },
];

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp).concurrent('SIPp over other ways', () => {
  it.for(CASES)('$name', async (one, test) => {
    expect(await runCalled(one, test)).toBe(AS_WRITTEN);
  });

  it('a call that comes in over TCP', async (test) => {
    const callee = await testAgent(test, { bind: [{ protocol: 'TCP', address: HOST, port: 0 }] });
    callee.onIncomingCall = accept;
    const steps = [
      call('INVITE', 1, { ...SDP, repeat: false, contact: '<sip:[local_ip]:[local_port];transport=tcp>' }),
      response(100, [], true),
      response(200, [has('Contact', 'transport=tcp')]),
      call('ACK', 1, IN),
      call('BYE', 2, { ...IN, repeat: false }),
      response(200),
    ];
    expect(
      await verdictOf(await startSteps(test, 'tcp caller', steps, [`${HOST}:${callee.address.port}`, ...TCP])),
    ).toBe(AS_WRITTEN);
    expect(callee.load.calls).toBe(0);
  });

  it('503 with Retry-After: the next server takes the call, and the first is spared by the call after it', async (test) => {
    const refuses = await startSteps(test, 'full', [
      invited(),
      answer(503, 'Service Unavailable', { headers: ['Retry-After: 30'] }),
      recv('ACK'),
    ]);
    const takes = await startSteps(test, 'free', [invited(), OK, recv('ACK'), recv('BYE'), ok()], [], 2);
    const servers = [refuses, takes].map(({ port }, priority) => ({ name: 'gw.example', port, priority, weight: 0 }));
    const resolver = { srv: async () => servers, addresses: async () => [HOST] };
    const caller = await testAgent(test, { resolver });
    for (const _ of [1, 2]) {
      const watched = placeWatched(caller, 1, { target: 'sip:1@trunk.example' });
      await new Promise<void>((resolve) => (watched.onAnswered = resolve));
      watched.call.hangup();
    }
    expect(await verdictOf(refuses)).toBe(AS_WRITTEN);
    expect(await verdictOf(takes)).toBe(AS_WRITTEN);
  });

  it('a server that says nothing: the next one takes the call after four seconds', async (test) => {
    const silent = createSocket('udp4');
    test.onTestFinished(() => void silent.close());
    silent.bind(0, HOST);
    await once(silent, 'listening');
    const takes = await startSteps(test, 'takes', [invited(), OK, recv('ACK'), recv('BYE'), ok()]);
    const servers = [silent.address().port, takes.port].map((port, priority) => ({
      name: 'gw.example',
      port,
      priority,
      weight: 0,
    }));
    const resolver = { srv: async () => servers, addresses: async () => [HOST] };
    const caller = await testAgent(test, { resolver });
    const startMs = performance.now();
    const watched = placeWatched(caller, 1, { target: 'sip:1@trunk.example' });
    await new Promise<void>((resolve) => (watched.onAnswered = resolve));
    expect(performance.now() - startMs).toBeGreaterThan(3_900);
    watched.call.hangup();
    expect(await verdictOf(takes)).toBe(AS_WRITTEN);
  });
});
