import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { SipUserAgent } from '#telephony/sip/user-agent.ts';
import type { CallEnd, IncomingCall } from '#telephony/sip/user-agent.ts';
import { accept, placeWatched } from '../support/sip-network.ts';
import type { WatchedCall } from '../support/sip-network.ts';
import { hasSipp, scenario, startSipp } from '../support/sipp.ts';
import type { SippRun } from '../support/sipp.ts';

/** Without sipp (Debian: sip-tester) these are skipped. */
describe.skipIf(!hasSipp)('SIPp as peer', () => {
  const open: SipUserAgent[] = [];
  const runs: SippRun[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((agent) => agent.close('test is over')));
    for (const run of runs.splice(0)) run.stop();
  });

  async function agent(): Promise<SipUserAgent> {
    const bind = { address: '127.0.0.1', port: 0 };
    const made = await SipUserAgent.open({ clock: systemClock, log: silentLog, bind, product: 'waihu-test' });
    open.push(made);
    return made;
  }

  async function sipp(args: readonly string[], calls: number): Promise<SippRun> {
    const run = await startSipp(args, calls);
    runs.push(run);
    return run;
  }

  /** Our caller against a sipp callee; `act` runs when the call is answered. */
  async function call(
    name: string,
    act?: (watched: WatchedCall) => void,
    ringTimeoutMs = 10_000,
    args: readonly string[] = [],
  ) {
    const peer = await sipp(['-sf', scenario(name), ...args], 1);
    const watched = placeWatched(await agent(), peer.port, { ringTimeoutMs });
    watched.onAnswered = () => act?.(watched);
    const { status, output } = await peer.done;
    expect({ status, output }).toMatchObject({ status: 0 });
    return watched;
  }

  it('completes 20 calls with its built-in callee', async () => {
    const peer = await sipp(['-sn', 'uas'], 20);
    const caller = await agent();
    const calls = Array.from({ length: 20 }, () => {
      const watched = placeWatched(caller, peer.port);
      watched.onAnswered = () => watched.call.hangup();
      return watched;
    });
    const { status, output } = await peer.done;
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(calls.map((one) => one.ends)).toMatchObject(calls.map(() => [{ by: 'platform', cause: 'bye' }]));
  });

  // Again, as losses are chance: once in some fifty runs a call stayed without an end, and why has not been found.
  it('completes calls with a callee that loses 5 % of the messages each way', { retry: 1 }, async () => {
    // A BYE that overtakes a lost ACK makes sipp count the call twice, so that it must be ready for more than 20.
    const peer = await sipp(['-sn', 'uas', '-lost', '5'], 1_000);
    const caller = await agent();
    const ended = Promise.all(
      Array.from({ length: 20 }, async () => {
        const watched = placeWatched(caller, peer.port);
        await new Promise<void>((resolve) => (watched.onAnswered = resolve));
        watched.call.hangup();
        return watched.ends.length;
      }),
    );
    expect(await ended).toEqual(Array(20).fill(1));
  });

  it('hears 486 with its Reason', async () => {
    const watched = await call('busy-with-reason');
    expect(watched.ends).toMatchObject([
      { by: 'callee', cause: 'rejected', status: 486, reason: 'Q.850;cause=17;text="User busy"' },
    ]);
  });

  it('hears early media before the answer', async () => {
    const watched = await call('early-media', ({ call }) => call.hangup());
    expect([watched.progress, watched.answers.length, watched.ends.length]).toEqual([[183], 1, 1]);
  });

  it('cancels with a Reason when the ring time-out comes', async () => {
    const watched = await call('cancelled', undefined, 300);
    expect(watched.ends).toMatchObject([{ by: 'platform', cause: 'ring-timeout', status: 487 }]);
  });

  it('acknowledges a repeated 200 again', async () => {
    const watched = await call(
      'repeated-answer',
      (one) => {
        systemClock.setTimer(300, () => one.call.hangup());
        // -nr: with its retransmissions on, sipp answers the repeated ACK with yet another 200, for ever.
      },
      10_000,
      ['-nr'],
    );
    expect([watched.answers.length, watched.ends.length]).toEqual([1, 1]);
  });

  it('takes INFO digits and a BYE with Reason', async () => {
    const watched = await call('callee-hangs-up');
    expect(watched.digits).toEqual(['7']);
    expect(watched.ends).toMatchObject([{ by: 'callee', cause: 'bye', reason: 'Q.850;cause=16' }]);
  });

  it.each([
    ['built-in', ['-sn', 'uac']],
    ['our', ['-sf', scenario('caller')]],
  ])('answers 20 calls of its %s caller', async (_name, args) => {
    const callee = await agent();
    const ends: CallEnd[] = [];
    callee.onIncomingCall = (incoming: IncomingCall) => {
      incoming.progress(180);
      incoming.onEnded = (end) => ends.push(end);
      accept(incoming);
    };
    const peer = await sipp([...args, `127.0.0.1:${callee.address.port}`, '-r', '20', '-d', '50'], 20);
    const { status, output } = await peer.done;
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(ends).toMatchObject(Array.from({ length: 20 }, () => ({ by: 'callee', cause: 'bye' })));
  });
});
