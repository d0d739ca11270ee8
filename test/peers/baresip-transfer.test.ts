import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallControl } from '#calls/bridge/call-bridge.ts';
import { baresipInstalled, startBaresip } from '../support/baresip.ts';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, shortScript, type TestCenter } from '../support/call-center.ts';
import { amplitudeAt } from '../support/tones.ts';

/** What baresip's own source says. */
const BARESIP_HZ = 440;

/** Transfers with baresip at either end; without it they are skipped. */
describe.skipIf(!baresipInstalled)('a transfer', () => {
  let peer: Awaited<ReturnType<typeof startBaresip>>;
  let other: TestCallee;
  let center: TestCenter;

  async function open(
    trunkPort: number,
  ): Promise<{ readonly control: () => CallControl | undefined; readonly call: ReturnType<TestCenter['call']> }> {
    center = await openTestCenter({ trunkPort, rtp: { first: 27_000, last: 27_099 } });
    const script = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
    const call = center.call('+8613800000000', { script });
    return { call, control: () => center.center.control(call.attempt.id) };
  }

  beforeEach(async () => {
    peer = await startBaresip({ user: '8613800000000' });
    other = await openCallee({ rtp: { first: 27_100, last: 27_199 } });
  });
  afterEach(async () => {
    await center.close();
    await other.close();
    await peer.stop();
  });

  it('connects a callee with baresip, which hears and is heard', async () => {
    const answered = Promise.withResolvers<CalleeCall>();
    other.onCall = (call, answer) => {
      answer();
      answered.resolve(call);
    };
    const { call, control } = await open(other.port);
    const callee = await answered.promise;
    await call.observer.until(() => call.observer.said.length > 0);
    control()?.transfer({ kind: 'attended', target: `sip:8613800000000@127.0.0.1:${peer.port}` }, 'test');
    await peer.says('Call established');
    const heard = (): number => amplitudeAt(BARESIP_HZ, callee.received.slice(-2400));
    await expect.poll(heard, { timeout: 5000 }).toBeGreaterThan(500);
    peer.command('sndcode', '7');
    await expect.poll(() => callee.digits.join(''), { timeout: 3000 }).toBe('7');
    callee.incoming.hangup();
    await peer.says('session closed');
    expect(await call.done).toMatchObject({ hangupBy: 'callee', transfer: { result: 'connected' } });
  });

  it('sends baresip elsewhere by REFER and believes its report', async () => {
    const reached = Promise.withResolvers<CalleeCall>();
    other.onCall = (call, answer) => {
      answer();
      reached.resolve(call);
    };
    const { call, control } = await open(peer.port);
    await call.observer.until(() => call.observer.said.length > 0);
    control()?.transfer({ kind: 'blind', target: `sip:8002@127.0.0.1:${other.port}` }, 'test');
    const target = await reached.promise;
    expect(target.incoming.requestUri).toContain('8002');
    expect(await call.done).toMatchObject({ transfer: { kind: 'blind', result: 'connected' } });
    await expect
      .poll(() => amplitudeAt(BARESIP_HZ, target.received.slice(-2400)), { timeout: 5000 })
      .toBeGreaterThan(500);
    target.incoming.hangup();
  });
});
