import { describe, expect, it } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import type { CallEnd, OutgoingCall, OutgoingCallHandlers, OutgoingCallRequest } from '#telephony/sip/user-agent.ts';
import { TrunkCall } from './trunk-call.ts';
import { plainRoute } from './trunk-route.ts';
import type { TrunkPeer } from './trunk-route.ts';
import { Trunk } from './trunk.ts';

const LOST: CallEnd = {
  by: 'network',
  cause: 'transport',
  status: undefined,
  reasonPhrase: '',
  reason: undefined,
  detail: 'connect ECONNREFUSED',
};
const REFUSED: CallEnd = { ...LOST, cause: 'rejected', status: 503, detail: 'refused' };

function server(host: string, priority: number, more: Partial<TrunkPeer> = {}): TrunkPeer {
  const { peers } = plainRoute('t', { host, port: 5060 });
  return { ...peers[0], priority, ...more };
}

/** A trunk over servers that the test plays. */
function open(peers: readonly [TrunkPeer, ...TrunkPeer[]], throwsAt?: string, elsewhere = false) {
  const clock = new ManualClock();
  const route = plainRoute('t', { host: peers[0].host, port: 5060 }, { peers });
  const trunk = new Trunk(route, { clock, random: () => 0.5 });
  const placed: { host: string; handlers: OutgoingCallHandlers; hangups: number; ringMs: number }[] = [];
  const told: string[] = [];
  const sip = {
    placeCall(request: OutgoingCallRequest, handlers: OutgoingCallHandlers): OutgoingCall {
      if (request.target === throwsAt) throw new Error('closed');
      const one = { host: request.target, handlers, hangups: 0, ringMs: request.ringTimeoutMs };
      placed.push(one);
      return { callId: 'c', hangup: () => one.hangups++ } as unknown as OutgoingCall;
    },
  };
  const start = () =>
    new TrunkCall({
      clock,
      sip,
      trunk,
      ringTimeoutMs: 30_000,
      elsewhere,
      request: (peer, ringTimeoutMs) => ({ target: peer.host, ringTimeoutMs }) as unknown as OutgoingCallRequest,
      handlers: {
        onProgress: ({ status }) => told.push(String(status)),
        onAnswered: () => told.push('answered'),
        onEnded: ({ cause, status }) => told.push(`${cause} ${status ?? ''}`),
      },
    });
  const progress = (status: number) =>
    ({ status, reasonPhrase: '', sdp: undefined, reason: undefined, headers: undefined }) as never;
  const inFlight = () => trunk.state.peers.map(({ callsInFlight }) => callsInFlight);
  return { clock, trunk, placed, told, start, progress, inFlight };
}

describe('a call over the servers of a trunk', () => {
  it.each([
    ['a failing transport', LOST],
    ['503', REFUSED],
    ['no response at all', { ...LOST, cause: 'no-response' } satisfies CallEnd],
  ])('goes to the next server after %s, which then rests', (_, end) => {
    const one = open([server('a', 0), server('b', 1)]);
    const call = one.start();
    one.clock.advance(500);
    one.placed[0]!.handlers.onEnded(end);
    expect(one.placed.map(({ host }) => host)).toEqual(['a', 'b']);
    expect(one.placed[1]!.ringMs).toBe(29_500);
    expect(one.told).toEqual([]);
    expect(one.inFlight()).toEqual([0, 1]);
    expect(call.peer.host).toBe('b');
    one.placed[1]!.handlers.onAnswered({ sdp: '', headers: undefined as never });
    expect(one.told).toEqual(['answered']);
    expect(one.trunk.order().map(({ host }) => host)).toEqual(['b', 'a']);
    one.clock.advance(30_000);
    expect(one.trunk.order().map(({ host }) => host)).toEqual(['a', 'b']);
  });

  it('gives up a silent server after 4 s and hangs its call up', () => {
    const one = open([server('192.0.2.1', 0), server('192.0.2.2', 1)]);
    one.start();
    one.clock.advance(3999);
    expect(one.placed).toHaveLength(1);
    one.clock.advance(1);
    expect(one.placed).toHaveLength(2);
    expect(one.placed[0]!.hangups).toBe(1);
    // What the first one still says is nobody's.
    one.placed[0]!.handlers.onEnded(LOST);
    expect(one.told).toEqual([]);
    one.placed[1]!.handlers.onEnded(LOST);
    expect(one.told).toEqual(['transport ']);
    expect(one.inFlight()).toEqual([0, 0]);
  });

  it('waits for the last server unless another trunk may take the call, which silence then leaves it to', () => {
    const alone = open([server('192.0.2.1', 0)]);
    alone.start();
    alone.clock.advance(20_000);
    expect([alone.told, alone.placed[0]!.hangups]).toEqual([[], 0]);

    const one = open([server('192.0.2.1', 0)], undefined, true);
    one.start();
    one.clock.advance(3999);
    expect(one.told).toEqual([]);
    one.clock.advance(1);
    expect([one.told, one.placed[0]!.hangups, one.inFlight()]).toEqual([['no-response '], 1, [0]]);
    // What it still says is nobody's: the call is another trunk's by now.
    one.placed[0]!.handlers.onProgress(one.progress(180));
    one.placed[0]!.handlers.onEnded(LOST);
    expect(one.told).toEqual(['no-response ']);

    const responds = open([server('192.0.2.1', 0)], undefined, true);
    responds.start();
    responds.placed[0]!.handlers.onProgress(responds.progress(100));
    responds.clock.advance(20_000);
    expect(responds.told).toEqual(['100']);
  });

  it('stays with a server that has said a word', () => {
    const one = open([server('192.0.2.1', 0), server('192.0.2.2', 1)]);
    one.start();
    one.placed[0]!.handlers.onProgress(one.progress(100));
    one.clock.advance(20_000);
    expect(one.placed).toHaveLength(1);
    one.placed[0]!.handlers.onProgress(one.progress(183));
    one.placed[0]!.handlers.onEnded(REFUSED);
    expect(one.told).toEqual(['100', '183', 'rejected 503']);
    expect(one.placed).toHaveLength(1);
  });

  it.each([486, 404, 500, 407])('does not try %i elsewhere', (status) => {
    const one = open([server('a', 0), server('b', 1)]);
    one.start();
    one.placed[0]!.handlers.onEnded({ ...REFUSED, status });
    expect(one.told).toEqual([`rejected ${status}`]);
    expect(one.trunk.order()[0]!.host).toBe('a');
  });

  it('goes no further once it was hung up, nor when the user agent takes no more', () => {
    const one = open([server('a', 0), server('b', 1)]);
    one.start().hangup();
    one.placed[0]!.handlers.onEnded(LOST);
    expect(one.told).toEqual(['transport ']);
    const other = open([server('a', 0), server('b', 1)], 'b');
    other.start();
    other.placed[0]!.handlers.onEnded(LOST);
    expect(other.told).toEqual(['transport ']);
    expect(other.inFlight()).toEqual([0, 0]);
    // A silent server keeps the call, and the call its line there, where no other one can have it.
    const silent = open([server('a', 0), server('b', 1)], 'b');
    silent.start();
    silent.clock.advance(20_000);
    expect(silent.placed).toHaveLength(1);
    expect(silent.inFlight()).toEqual([1, 0]);
    silent.placed[0]!.handlers.onEnded(LOST);
    expect(silent.told).toEqual(['transport ']);
    expect(silent.inFlight()).toEqual([0, 0]);
  });

  it('respects the channels and the pace of each server', () => {
    const one = open([server('a', 0, { channels: 1 }), server('b', 1, { callsPerSecond: 1 })]);
    one.start();
    one.start();
    expect(one.placed.map(({ host }) => host)).toEqual(['a', 'b']);
    expect(() => one.start()).toThrow(/full/);
    one.clock.advance(1000);
    one.start();
    expect(one.placed.at(-1)!.host).toBe('b');
  });
});

describe('a trunk', () => {
  it('takes no calls while every server is dead, and says when that changes', () => {
    const clock = new ManualClock();
    const peers = [server('a', 0, { key: 'a' }), server('b', 0, { key: 'b' })] as const;
    let changes = 0;
    const trunk = new Trunk(plainRoute('t', { host: 'a', port: 1 }, { peers: [...peers] }), {
      clock,
      onChange: () => changes++,
    });
    expect(trunk.hold).toBeUndefined();
    trunk.probed('a', 'down', 'no response');
    expect(trunk.hold).toBeUndefined();
    expect(trunk.order().map(({ key }) => key)).toEqual(['b', 'a']);
    trunk.probed('b', 'down', 'SIP 503');
    expect(trunk.hold).toBe('unreachable');
    expect(trunk.channels).toBe(0);
    expect(trunk.state.peers[1]).toMatchObject({ reachable: 'down', lastError: 'SIP 503' });
    trunk.probed('a', 'up', '');
    expect(trunk.hold).toBeUndefined();
    expect(changes).toBe(2);
    // A call that is answered says more than probes that are not.
    trunk.probed('a', 'down', 'no response');
    expect(trunk.hold).toBe('unreachable');
    trunk.heard(peers[0]);
    expect(trunk.hold).toBeUndefined();
    expect(trunk.state.peers[0]).toMatchObject({ reachable: 'up' });
  });

  it('is known by its calls where nothing answers probes, and tries again after each rest', () => {
    const one = open([server('a', 0)]);
    const { clock, trunk } = one;
    const lose = (end: CallEnd = { ...LOST, cause: 'no-response' }): void => {
      one.start();
      one.placed.at(-1)!.handlers.onEnded(end);
    };
    const reachable = () => trunk.state.peers[0]!.reachable;
    expect([reachable(), trunk.hold]).toEqual(['unknown', undefined]);
    lose();
    lose();
    expect([reachable(), trunk.hold]).toEqual(['unknown', undefined]);
    lose(LOST);
    expect([reachable(), trunk.hold]).toEqual(['down', 'unreachable']);
    clock.advance(30_000);
    expect([reachable(), trunk.hold]).toEqual(['unknown', undefined]);
    lose();
    clock.advance(59_999);
    expect(trunk.hold).toBe('unreachable');
    clock.advance(1);
    expect(trunk.hold).toBeUndefined();
    // 404 is an answer of the server; 503 one too, so that a server that is full is not taken for a dead one.
    lose({ ...REFUSED, status: 404 });
    expect([reachable(), trunk.hold]).toEqual(['up', undefined]);
    for (let i = 0; i < 5; i++) lose(REFUSED);
    expect([reachable(), trunk.hold]).toEqual(['up', undefined]);
  });

  it('learns nothing of a call that it hung up before any response', () => {
    const one = open([server('a', 0)]);
    one.start().hangup();
    one.placed[0]!.handlers.onEnded({ ...LOST, cause: 'cancelled' });
    expect(one.trunk.state.peers[0]).toMatchObject({ reachable: 'unknown', lastError: undefined });
  });

  it('waits for its registration', () => {
    const trunk = new Trunk(plainRoute('t', { host: 'a', port: 1 }), { clock: new ManualClock(), registers: true });
    expect(trunk.hold).toBe('not-registered');
    trunk.registered({ name: 'registered' });
    expect(trunk.hold).toBeUndefined();
    trunk.registered({ name: 'failed', status: 403, detail: 'Forbidden' });
    expect(trunk.hold).toBe('not-registered');
  });

  it('shares its calls by weight', () => {
    const peers = [server('a', 0, { weight: 3, key: 'a' }), server('b', 0, { weight: 1, key: 'b' })] as const;
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const trunk = new Trunk(plainRoute('t', { host: 'a', port: 1 }, { peers: [...peers] }), {
      clock: new ManualClock(),
      random,
    });
    const firsts = Array.from({ length: 4000 }, () => trunk.order()[0]!.key);
    const share = firsts.filter((key) => key === 'a').length / firsts.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });
});
