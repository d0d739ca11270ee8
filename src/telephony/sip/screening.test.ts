import { describe, expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork } from '../../../test/support/sip-network.ts';
import { tagOf } from './messages/message.ts';
import type { Screening } from './user-agent.ts';

/** A callee behind a screen, and what the caller's INVITE came to. */
function screened(verdict: () => Screening) {
  const network = new SipNetwork();
  const caller = network.agent(5060);
  const callee = network.agent(5070);
  callee.onIncomingCall = accept;
  callee.screen = verdict;
  return { network, callee, watched: placeWatched(caller, 5070) };
}

describe('a screen before the transactions', () => {
  it('refuses with a status and a header and remembers nothing', () => {
    const { network, callee, watched } = screened(() => ({ status: 503, headers: [['Retry-After', '7']] }));
    network.clock.advance(20);
    expect(watched.ends).toMatchObject([{ cause: 'rejected', status: 503 }]);
    const refusal = network.log.find(({ from }) => from === 5070);
    expect(refusal?.text).toContain('Retry-After: 7');
    expect([callee.load, callee.screened]).toEqual([{ calls: 0, transactions: 0 }, 1]);
  });

  it('answers a repeated INVITE with the very same refusal, To tag included', () => {
    const { network, callee } = screened(() => ({ status: 403 }));
    network.lose = ({ from }) => from === 5070;
    network.clock.advance(2_000);
    const tags = network.log.flatMap(({ from, message }) =>
      from === 5070 && message !== undefined ? [tagOf(message.to)] : [],
    );
    expect(tags.length).toBeGreaterThan(1);
    expect(new Set(tags).size).toBe(1);
    expect(callee.load.transactions).toBe(0);
  });

  it('drops without a word', () => {
    const { network, watched } = screened(() => 'drop');
    network.clock.advance(40_000);
    expect(network.labels.filter((label) => label.startsWith('5070'))).toEqual([]);
    expect(watched.ends).toMatchObject([{ cause: 'no-response' }]);
  });

  it('never stands between a call and its own requests', () => {
    let verdict: Screening = 'pass';
    const { network, watched, callee } = screened(() => verdict);
    network.clock.advance(100);
    verdict = 'drop';
    watched.call.hangup();
    network.clock.advance(100);
    expect(network.labels.at(-1)).toBe('5070 200 BYE');
    expect(callee.load.calls).toBe(0);
  });

  it('lets a CANCEL follow its INVITE', () => {
    let verdict: Screening = 'pass';
    const network = new SipNetwork();
    const caller = network.agent(5060);
    const callee = network.agent(5070);
    callee.onIncomingCall = (call) => call.progress(180);
    callee.screen = () => verdict;
    const watched = placeWatched(caller, 5070);
    network.clock.advance(100);
    verdict = 'drop';
    watched.call.hangup();
    network.clock.advance(100);
    expect(network.labels).toContain('5070 200 CANCEL');
    expect(watched.ends).toMatchObject([{ status: 487 }]);
  });
});
