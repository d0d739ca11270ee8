import { expect, it } from 'vitest';
import { openCallee, type CalleeCall } from '../support/callee.ts';
import { openTestCenter, shortScript } from '../support/call-center.ts';
import { amplitudeAt, toneOf } from '../support/tones.ts';

it.each(['G722', 'opus'] as const)('connects two ends that both speak %s', async (codec) => {
  const callee = await openCallee({ rtp: { first: 27_200, last: 27_299 }, codecs: [codec] });
  const target = await openCallee({ rtp: { first: 27_300, last: 27_399 }, codecs: [codec] });
  const center = await openTestCenter({
    trunkPort: callee.port,
    codecs: [codec],
    rtp: { first: 27_400, last: 27_499 },
  });
  try {
    const [first, second] = [Promise.withResolvers<CalleeCall>(), Promise.withResolvers<CalleeCall>()];
    callee.onCall = (call, answer) => (answer(), first.resolve(call));
    target.onCall = (call, answer) => (answer(), second.resolve(call));
    const { attempt, observer, done } = center.call('+8613800000001', { script: shortScript() });
    const call = await first.promise;
    await observer.until(() => observer.said.length > 0);
    center.center
      .control(attempt.id)
      ?.transfer({ kind: 'attended', target: `sip:8001@127.0.0.1:${target.port}` }, 'test');
    const other = await second.promise;
    call.speech = toneOf(470, 10_000);
    other.speech = toneOf(730, 10_000);
    const heard = (one: CalleeCall, hz: number): number => amplitudeAt(hz, one.received.slice(-2400));
    await expect.poll(() => Math.min(heard(call, 730), heard(other, 470)), { timeout: 5000 }).toBeGreaterThan(3000);
    call.incoming.hangup();
    expect(await done).toMatchObject({ transfer: { result: 'connected' } });
  } finally {
    await center.close();
    await callee.close();
    await target.close();
  }
});
