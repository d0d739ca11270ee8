import { describe, expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork } from '../../../../test/support/sip-network.ts';
import type { IncomingCall } from '../user-agent.ts';
import type { Negotiated } from './session-media.ts';

const directionOf = (result: Negotiated | undefined): unknown =>
  result?.ok === true ? result.media.audio.direction : result;

/** A call between two user agents of ours, answered but not acknowledged yet, 5 ms apart. */
function answered(onAnswered: (incoming: IncomingCall) => void = () => undefined) {
  const network = new SipNetwork();
  const caller = network.agent(5060, { random: () => 0 });
  let incoming: IncomingCall | undefined;
  network.agent(5070, { random: () => 0 }).onIncomingCall = (call) => {
    incoming = call;
    accept(call);
    onAnswered(call);
  };
  const watched = placeWatched(caller, 5070);
  network.clock.advance(5);
  return {
    network,
    watched,
    incoming: incoming!,
    settle: async () => {
      for (let i = 0; i < 40; i++) {
        network.clock.advance(5);
        await Promise.resolve();
      }
    },
  };
}

describe('changes of a session', () => {
  it('wait for the ACK of the peer’s own change, which is not taken for a refusal of theirs', async () => {
    const { network, watched, incoming, settle } = answered();
    await settle();
    let resumed: Negotiated | undefined;
    const held = watched.call.hold();
    // Their change goes out as soon as ours is answered there, before our ACK has come.
    incoming.onMediaChanged = () => {
      incoming.onMediaChanged = undefined;
      void incoming.change({ direction: 'recvonly' }).then((result) => (resumed = result));
    };
    await settle();
    expect(directionOf(await held)).toBe('sendonly');
    expect(directionOf(resumed)).toBe('recvonly');
    expect(directionOf((await Promise.race([watched.call.resume(), settle().then(settle)])) as Negotiated)).toBe(
      'sendonly',
    );
    const order = network.labels.filter((label) => /INVITE|ACK/.test(label)).slice(4, 10);
    expect(order).toEqual(['5060 INVITE', '5070 200 INVITE', '5060 ACK', '5070 INVITE', '5060 200 INVITE', '5070 ACK']);
  });

  it('wait for the ACK of the call itself', async () => {
    let result: Negotiated | undefined;
    const { network, settle } = answered((call) => void call.hold().then((one) => (result = one)));
    expect(network.labels).not.toContain('5070 INVITE');
    await settle();
    expect(directionOf(result)).toBe('sendonly');
    expect(network.labels.indexOf('5070 INVITE')).toBeGreaterThan(network.labels.indexOf('5060 ACK'));
  });

  it('end with the call where no ACK comes', async () => {
    let result: Negotiated | undefined;
    const { network, settle } = answered((call) => void call.hold().then((one) => (result = one)));
    network.lose = ({ label }) => label === 'ACK';
    network.clock.advance(33_000);
    await settle();
    expect(result).toMatchObject({ ok: false, detail: 'call ended' });
  });
});
