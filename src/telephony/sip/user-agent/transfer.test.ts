import { describe, expect, it } from 'vitest';
import { accept, placeWatched, SipNetwork } from '../../../../test/support/sip-network.ts';
import type { CallEnd, IncomingCall, TransferRequest, TransferResult } from '../user-agent.ts';

/** Three agents: A (5060) talks to B (5070), who may be sent to C (5080). */
function three(take?: (request: TransferRequest) => void) {
  const network = new SipNetwork();
  const a = network.agent(5060);
  const b = network.agent(5070);
  const c = network.agent(5080);
  const atB: IncomingCall[] = [];
  const atC: IncomingCall[] = [];
  const ends: CallEnd[] = [];
  b.onIncomingCall = (call) => {
    atB.push(call);
    call.onEnded = (end) => ends.push(end);
    call.onTransferRequested = take;
    accept(call);
  };
  c.onIncomingCall = (call) => {
    atC.push(call);
    accept(call);
  };
  const watched = placeWatched(a, 5070);
  network.clock.advance(100);
  return { network, a, b, c, atB, atC, ends, watched };
}

describe('a blind transfer', () => {
  it('is agreed to, and goes without reports where both sides know how', async () => {
    const requests: TransferRequest[] = [];
    const { network, watched } = three((request) => {
      requests.push(request);
      const report = request.accept();
      network.clock.setTimer(3_000, () => {
        report(486, 'Busy Here');
        report(200);
      });
    });
    const result = watched.call.transfer('sip:5000@10.0.0.1:5080');
    network.clock.advance(5_000);
    const settled = await result;
    expect(requests).toMatchObject([{ to: 'sip:5000@10.0.0.1:5080', replaces: undefined }]);
    expect(settled).toEqual({ ok: true, status: undefined, detail: 'accepted' });
    expect(network.labels.filter((label) => label.includes('NOTIFY'))).toEqual([]);
  });

  it('is declined where nobody takes transfers', async () => {
    const { network, watched } = three();
    const result = watched.call.transfer('sip:5000@10.0.0.1:5080');
    network.clock.advance(100);
    expect(await result).toEqual({ ok: false, status: 603, detail: 'Decline' });
    expect(watched.ends).toEqual([]);
  });

  it.each([
    ['agrees', (request: TransferRequest) => void request.accept(), ['agreed']],
    ['declines', (request: TransferRequest) => request.reject(603), []],
  ])('tells at once whether the peer %s, before anything is reported', (_, take, wanted) => {
    const { network, watched } = three(take);
    const told: string[] = [];
    const onAccepted = () => void told.push('agreed');
    void watched.call.transfer('sip:5000@10.0.0.1:5080', { report: true, onAccepted });
    network.clock.advance(100);
    watched.call.hangup();
    network.clock.advance(40_000);
    expect(told).toEqual(wanted);
  });

  it('ends without an outcome when the call does', async () => {
    const { network, watched } = three(() => undefined);
    const result = watched.call.transfer('sip:5000@10.0.0.1:5080');
    network.clock.advance(100);
    watched.call.hangup();
    network.clock.advance(40_000);
    expect(await result).toMatchObject({ ok: false, status: undefined });
    network.clock.advance(200_000);
    expect(network.clock.running).toBe(0);
  });
});

describe('the implied subscription', () => {
  /** A peer without norefersub: its 200 is rewritten on the way. */
  function reporting(act: (request: TransferRequest) => void) {
    const network = new SipNetwork();
    const a = network.agent(5060);
    const b = network.agent(5070);
    b.onIncomingCall = (call) => {
      call.onTransferRequested = act;
      accept(call);
    };
    network.rewrite = (text) =>
      text.startsWith('SIP/2.0 200')
        ? text.replace(/Supported: timer, replaces, norefersub/, 'Supported: timer   ')
        : text;
    const watched = placeWatched(a, 5070);
    network.clock.advance(100);
    return { network, watched };
  }

  it('carries 100 at once and the final response when it is known', async () => {
    let report: ((status: number) => void) | undefined;
    const { network, watched } = reporting((request) => (report = request.accept()));
    let settled: TransferResult | undefined;
    const result = watched.call.transfer('sip:5000@10.0.0.1:5080');
    void result.then((value) => (settled = value));
    network.clock.advance(1_000);
    await Promise.resolve();
    expect(settled).toBeUndefined();
    const first = network.log.find(({ label }) => label === 'NOTIFY');
    expect(first?.text).toMatch(/Event: refer;id=2\r\nSubscription-State: active;expires=180/);
    expect(first?.text).toContain('\r\n\r\nSIP/2.0 100 Trying\r\n');
    report?.(200);
    report?.(486);
    network.clock.advance(100);
    expect(await result).toEqual({ ok: true, status: 200, detail: 'OK' });
    const notifies = network.log.filter(({ label }) => label === 'NOTIFY');
    expect(notifies.map(({ text }) => /Subscription-State: (\w+)/.exec(text)?.[1])).toEqual(['active', 'terminated']);
  });

  it('gives up after three minutes of silence', async () => {
    const { network, watched } = reporting((request) => request.accept());
    const result = watched.call.transfer('sip:5000@10.0.0.1:5080');
    network.clock.advance(181_000);
    expect(await result).toEqual({ ok: false, status: undefined, detail: 'outcome never reported' });
  });
});

describe('an attended transfer', () => {
  it('has the other side replace our second call, which ends by itself', async () => {
    const network = new SipNetwork();
    const [a, b, c] = [network.agent(5060), network.agent(5070), network.agent(5080)];
    const taken: IncomingCall[] = [];
    c.onIncomingCall = (call) => {
      taken.push(call);
      accept(call);
    };
    let report: ((status: number) => void) | undefined;
    b.onIncomingCall = (call) => {
      call.onTransferRequested = (request) => {
        report = request.accept();
        const headers = request.replaces === undefined ? [] : ([['Replaces', request.replaces]] as const);
        const moved = placeWatched(b, 5080, { target: request.to, headers });
        moved.onAnswered = () => report?.(200);
      };
      accept(call);
    };
    const toB = placeWatched(a, 5070);
    const toC = placeWatched(a, 5080);
    network.clock.advance(100);
    const result = toB.call.transfer({ replacing: toC.call });
    network.clock.advance(1_000);
    expect(await result).toMatchObject({ ok: true });
    expect(taken).toHaveLength(2);
    expect(taken[1]?.replaces).toBe(taken[0]);
    expect(toC.ends).toMatchObject([{ by: 'callee', cause: 'bye' }]);
    expect(toB.ends).toEqual([]);
    expect([b.load.calls, c.load.calls]).toEqual([2, 1]);
  });

  it.each([
    ['481', 'nobody;to-tag=1;from-tag=2'],
    ['400', 'nobody'],
  ])('is refused with %s for %s', (status, replaces) => {
    const network = new SipNetwork();
    const callee = network.agent(5070);
    callee.onIncomingCall = accept;
    const watched = placeWatched(network.agent(5060), 5070, { headers: [['Replaces', replaces]] });
    network.clock.advance(100);
    expect(watched.ends).toMatchObject([{ cause: 'rejected', status: Number(status) }]);
  });

  it('of an answered call is refused with 486 where only an early one was meant', () => {
    const { network, b, watched } = three();
    const { replaces } = watched.call.replaceable!;
    const [callId] = replaces.split(';');
    const [, to, from] = /to-tag=([^;]+);from-tag=(.+)$/.exec(replaces)!;
    const second = placeWatched(network.agent(5090), 5070, {
      headers: [['Replaces', `${callId};to-tag=${to};from-tag=${from};early-only`]],
    });
    network.clock.advance(100);
    expect(second.ends).toMatchObject([{ status: 486 }]);
    expect(b.load.calls).toBe(1);
  });

  it('takes no call over where that is off: nobody is told of it, and the call goes on', () => {
    const network = new SipNetwork();
    const taken: IncomingCall[] = [];
    const b = network.agent(5070, { replaces: false });
    b.onIncomingCall = (call) => {
      taken.push(call);
      accept(call);
    };
    const first = placeWatched(network.agent(5060), 5070);
    network.clock.advance(100);
    expect(network.log.find(({ label }) => label.startsWith('200'))?.text).toMatch(/^Supported: timer, norefersub\r$/m);
    const { replaces } = first.call.replaceable!;
    const ask = (...headers: [string, string][]) => {
      const second = placeWatched(network.agent(5080 + taken.length + network.log.length), 5070, { headers });
      network.clock.advance(100);
      return second.ends[0]?.status;
    };
    expect(ask(['Replaces', replaces])).toBe(403);
    expect(ask(['Replaces', `${replaces};early-only`])).toBe(486);
    expect(ask(['Replaces', replaces], ['Require', 'replaces'])).toBe(420);
    expect(ask(['Replaces', 'nobody;to-tag=1;from-tag=2'])).toBe(481);
    expect(ask(['Replaces', replaces], ['Replaces', replaces])).toBe(400);
    expect([taken.length, first.ends, b.load.calls]).toEqual([1, [], 1]);
  });

  it('needs an answered call', async () => {
    const network = new SipNetwork();
    const watched = placeWatched(network.agent(5060), 5070);
    expect(await watched.call.transfer('sip:x@y')).toMatchObject({ ok: false });
    expect(await watched.call.transfer({ replacing: watched.call })).toMatchObject({ ok: false });
  });
});
