import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, shortScript, type TestCenter } from '../support/call-center.ts';
import { AS_WRITTEN, has, peerHangsUp, startSteps, verdictOf, WE_HANG_UP } from '../support/sipp-cases.ts';
import { answer, invited, ok, peerSdp, recv, type Step } from '../support/sipp-script.ts';
import { freePort } from '../support/free-port.ts';
import { hasSipp } from '../support/sipp.ts';

/** Both lines of our offer answered: SIPp takes no text. */
const OK = answer(200, 'OK', { sdp: `${peerSdp()}m=text 0 RTP/AVP 98\n`, repeat: true });
/** As a PBX that knows audio alone answers. */
const SHORT = answer(200, 'OK', { sdp: peerSdp(), repeat: true });

/** SIPp as the one whom a callee is put through to; without it they are skipped. */
describe.skipIf(!hasSipp)('a transfer to SIPp', () => {
  let callee: TestCallee;
  let center: TestCenter;

  beforeEach(async () => {
    callee = await openCallee({ rtp: { first: 27_700, last: 27_715 } });
    center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 27_720, last: 27_735 } });
  });
  afterEach(async () => {
    await center.close();
    await callee.close();
  });

  async function handOver(port: number) {
    const answered = Promise.withResolvers<CalleeCall>();
    callee.onCall = (call, take) => (take(), answered.resolve(call));
    const script = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
    const { attempt, observer, done } = center.call('+8613800000000', { script });
    const call = await answered.promise;
    await observer.until(() => observer.said.length > 0);
    const control = center.center.control(attempt.id)!;
    control.transfer({ kind: 'attended', target: `sip:8001@127.0.0.1:${port}` }, 'test');
    return { call, control, observer, done };
  }

  it('that rings, talks and is hung up when the callee hangs up', async (test) => {
    const steps: readonly Step[] = [invited(), answer(180, 'Ringing'), OK, ...WE_HANG_UP];
    const target = await startSteps(test, 'transfer-target', steps);
    const { call, control, done } = await handOver(target.port);
    await expect.poll(() => control.view.transfer?.state, { timeout: 5000 }).toBe('connected');
    call.incoming.hangup();
    expect(await done).toMatchObject({ hangupBy: 'callee', transfer: { result: 'connected' } });
    expect(await verdictOf(target)).toBe(AS_WRITTEN);
  });

  it('that hangs up leaves the callee to the script, which ends the call', async (test) => {
    const target = await startSteps(test, 'transfer-leaver', [invited(), SHORT, recv('ACK'), ...peerHangsUp(1)]);
    const { done } = await handOver(target.port);
    expect(await done).toMatchObject({ hangupBy: 'platform', dialog: { endReason: 'transferred' } });
    expect(await verdictOf(target)).toBe(AS_WRITTEN);
  });

  it('is handed over by a carrier that accepts the REFER and hangs up without a NOTIFY', async (test) => {
    const steps: readonly Step[] = [
      invited(),
      OK,
      recv('ACK'),
      recv('REFER', [has('Refer-To', '8001@')]),
      ok(202, 'Accepted'),
      ...peerHangsUp(1),
    ];
    const carrier = await startSteps(test, 'blind-without-notify', steps);
    const own = await openTestCenter({ trunkPort: carrier.port, rtp: { first: 27_756, last: 27_771 } });
    test.onTestFinished(() => own.close());
    const script = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
    const { attempt, observer, done } = own.call('+8613800000000', { script });
    await observer.until(() => observer.said.length > 0);
    own.center.control(attempt.id)!.transfer({ kind: 'blind', target: '8001' }, 'test');
    expect(await done).toMatchObject({
      hangupBy: 'callee',
      transfer: { kind: 'blind', result: 'handed-over' },
      dialog: { endReason: 'transferred' },
    });
    expect(await verdictOf(carrier)).toBe(AS_WRITTEN);
  });

  it('that takes keys by INFO gets each once, and tones from the first that it refuses', async (test) => {
    const headers = ['Allow: INVITE, ACK, BYE, INFO'];
    const signal = (digit: string) => [has('Content-Type', 'application/dtmf-relay'), has('', `Signal=${digit}`)];
    const mediaPort = await freePort();
    const steps: readonly Step[] = [
      invited(),
      answer(200, 'OK', { headers, sdp: peerSdp().replace('6000', String(mediaPort)), repeat: true }),
      recv('ACK'),
      recv('INFO', signal('4')),
      ok(),
      recv('INFO', signal('2')),
      ok(405, 'Method Not Allowed'),
      // Neither this key nor the next one comes by INFO again.
      recv('BYE'),
      ok(),
    ];
    const target = await startSteps(test, 'transfer-keys', steps, ['-rtp_echo', '-mp', String(mediaPort)]);
    const { call, control, done } = await handOver(target.port);
    await expect.poll(() => control.view.transfer?.state, { timeout: 5000 }).toBe('connected');
    call.leg.sendDtmf('42#');
    // SIPp sends the tones back, which the callee, who takes events, gets as such.
    await expect.poll(() => call.digits.join(''), { timeout: 5000 }).toBe('2#');
    call.incoming.hangup();
    expect(await done).toMatchObject({ transfer: { result: 'connected' } });
    expect(await verdictOf(target)).toBe(AS_WRITTEN);
  });

  it('that is busy, or declines, leaves the callee to the script, which goes on', async (test) => {
    for (const [status, phrase, result] of [
      [486, 'Busy Here', 'busy'],
      [603, 'Decline', 'rejected'],
    ] as const) {
      const refusal = answer(status, phrase, { repeat: true });
      const target = await startSteps(test, `transfer-${result}`, [invited(), refusal, recv('ACK')]);
      const { call, observer, done } = await handOver(target.port);
      await observer.until(() => observer.said.some(({ text }) => text.includes('没有接通')));
      call.incoming.hangup();
      expect(await done).toMatchObject({ hangupBy: 'callee', transfer: { result } });
      expect(await verdictOf(target)).toBe(AS_WRITTEN);
    }
  });
});
