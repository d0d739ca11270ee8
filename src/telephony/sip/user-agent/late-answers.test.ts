import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork, testMedia } from '../../../../test/support/sip-network.ts';
import { createOffer } from '../../sdp/offer-answer.ts';
import { writeSdp } from '../../sdp/write.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest } from '../messages/message.ts';
import { buildResponse, writeMessage } from '../messages/write.ts';
import type { OutgoingCallHandlers } from './call.ts';

const CONTACT = { headers: [['Contact', '<sip:10.0.0.1:5070>']] } as const;

/** A caller, and a callee that a test plays message by message. */
function caller() {
  const network = new SipNetwork();
  const agent = network.agent(5060);
  const transport = network.transport(5070);
  const requests = (method: string): readonly SipRequest[] =>
    network.log.flatMap(({ from, message }) =>
      from === 5060 && message?.kind === 'request' && message.method === method ? [message] : [],
    );
  const respond = (request: SipRequest | undefined, status: number, toTag: string): void => {
    if (request === undefined) throw new Error('nothing to respond to');
    const response = buildResponse(request, status, { ...CONTACT, toTag, ...(status < 300 ? sdp(request) : {}) });
    transport.send(writeMessage(response), { host: '10.0.0.1', port: 5060 });
    network.clock.advance(10);
  };
  return { network, agent, requests, respond };
}

/** An INVITE is answered with a description, other requests are not. */
function sdp(request: SipRequest) {
  if (request.method !== 'INVITE') return {};
  return {
    headers: [...CONTACT.headers, ['Content-Type', 'application/sdp'] as const],
    body: writeSdp(createOffer(testMedia)),
  };
}

describe('an answer that comes when the call is over', () => {
  it('is acknowledged as before, and that of another fork gets ACK and BYE, until timer M ends', () => {
    const { network, agent, requests, respond } = caller();
    const watched = placeWatched(agent, 5070);
    network.clock.advance(10);
    const [invite] = requests('INVITE');
    respond(invite, 200, 'a');
    watched.call.hangup();
    network.clock.advance(10);
    respond(requests('BYE')[0], 200, 'a');
    expect(agent.load.calls).toBe(0);

    respond(invite, 200, 'a');
    respond(invite, 200, 'b');
    respond(invite, 200, 'b');
    const acks = requests('ACK');
    expect(acks.map((ack) => tagOf(ack.to))).toEqual(['a', 'a', 'b', 'b']);
    expect(acks.map((ack) => ack.cseq.sequence)).toEqual(acks.map(() => invite?.cseq.sequence));
    expect(new Set(acks.map((ack) => ack.headers.get('Via'))).size).toBe(2);
    expect(requests('BYE').map((bye) => tagOf(bye.to))).toEqual(['a', 'b']);
    expect(watched.ends).toHaveLength(1);

    network.clock.advance(32_000);
    expect(agent.load).toEqual({ calls: 0, transactions: 0 });
    respond(invite, 200, 'a');
    expect(requests('ACK')).toHaveLength(4);
    expect(network.clock.running).toBe(0);
  });

  it('is not what a refusal waits for: that is acknowledged alike for 32 s', () => {
    const { network, agent, requests, respond } = caller();
    placeWatched(agent, 5070);
    network.clock.advance(10);
    const [invite] = requests('INVITE');
    for (const status of [486, 486, 200]) respond(invite, status, 'a');
    network.clock.advance(31_900);
    respond(invite, 486, 'a');
    expect(new Set(requests('ACK').map((ack) => JSON.stringify([...ack.headers]))).size).toBe(1);
    expect(requests('ACK')).toHaveLength(3);
    network.clock.advance(100);
    expect([agent.load.transactions, network.clock.running]).toEqual([0, 0]);
  });
});

describe('a call that is over', () => {
  it('is not held by what lingers of it, on either side', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const network = new SipNetwork();
    const agent = network.agent(5060);
    const callee = network.agent(5070);
    const held: WeakRef<object>[] = [];
    callee.onIncomingCall = (call) => {
      held.push(new WeakRef(call));
      accept(call);
    };
    const place = (): void => {
      const handlers: OutgoingCallHandlers = {
        onProgress: () => undefined,
        onAnswered: () => network.clock.setTimer(50, () => call.hangup()),
        onEnded: () => undefined,
      };
      held.push(new WeakRef(handlers));
      const call = agent.placeCall(
        {
          callId: 'over',
          target: 'sip:1@10.0.0.1:5070',
          from: 'sip:2@10.0.0.1',
          sdp: writeSdp(createOffer(testMedia)),
          ringTimeoutMs: 1_000,
        },
        handlers,
      );
      held.push(new WeakRef(call));
    };
    place();
    network.clock.advance(200);
    callee.onIncomingCall = undefined;
    expect([agent.load, callee.load]).toEqual([
      { calls: 0, transactions: 2 },
      { calls: 0, transactions: 2 },
    ]);
    // A WeakRef holds its object to the end of the turn in which it was made.
    await turn();
    collect();
    expect(held).toHaveLength(3);
    expect(held.filter((one) => one.deref() !== undefined)).toEqual([]);
  });
});
