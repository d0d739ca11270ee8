import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeG711 } from '#telephony/codec/g711.ts';
import { DtmfToneDetector } from '#telephony/rtp/dtmf-tones.ts';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, shortScript, type TestCenter } from '../support/call-center.ts';

/** Callees and targets by whether they take keys as telephone-events. */
const ends = new Map<string, TestCallee>();
const centers = new Map<string, TestCenter>();
let port = 27_500;
const range = () => {
  const first = port;
  port += 16;
  return { first, last: port - 1 };
};

beforeAll(async () => {
  for (const events of [true, false])
    for (const who of ['callee', 'target'])
      ends.set(`${who} ${events ? 'with' : 'without'}`, await openCallee({ rtp: range(), codecs: ['PCMA'], events }));
  for (const which of ['with', 'without'])
    centers.set(which, await openTestCenter({ trunkPort: ends.get(`callee ${which}`)!.port, rtp: range() }));
});
afterAll(async () => {
  for (const center of centers.values()) await center.close();
  for (const end of ends.values()) await end.close();
});

/** A callee who was put through to a target. */
async function talk(calleeTakes: string, targetTakes: string) {
  const [callee, target] = [ends.get(`callee ${calleeTakes}`)!, ends.get(`target ${targetTakes}`)!];
  const [first, second] = [Promise.withResolvers<CalleeCall>(), Promise.withResolvers<CalleeCall>()];
  callee.onCall = (call, answer) => (answer(), first.resolve(call));
  target.onCall = (call, answer) => (answer(), second.resolve(call));
  const center = centers.get(calleeTakes)!;
  const script = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
  const { attempt, observer, done } = center.call('+8613800000001', { script });
  const near = await first.promise;
  await observer.until(() => observer.said.length > 0);
  const control = center.center.control(attempt.id)!;
  control.transfer({ kind: 'attended', target: `sip:8001@127.0.0.1:${target.port}` }, 'test');
  const far = await second.promise;
  await expect.poll(() => Math.min(near.received.length, far.received.length), { timeout: 4000 }).toBeGreaterThan(1600);
  await expect.poll(() => control.view.transfer?.state).toBe('connected');
  return { near, far, done };
}

/** Keys that somebody would make out in what the call heard. */
function audible({ received }: CalleeCall): string {
  let keys = '';
  const detector = new DtmfToneDetector(({ digit }) => (keys += digit));
  const pcm = new Int16Array(160);
  for (let at = 0; at + 160 <= received.length; at += 160) {
    decodeG711('PCMA', Uint8Array.from(received.slice(at, at + 160)), pcm);
    detector.push(pcm, at / 8);
  }
  return keys;
}

it.each([
  // How the callee presses, how the target takes it, and what reaches that: events, INFO, tones.
  ['with', 'with', ['42#', '', '']],
  ['with', 'without', ['', '42#', '']],
  ['without', 'with', ['42#', '', '']],
  ['without', 'without', ['', '', '42#']],
] as const)(
  'keys of a callee %s telephone-events reach a target %s them once, by one way',
  async (calleeTakes, targetTakes, wanted) => {
    const { near, far, done } = await talk(calleeTakes, targetTakes);
    const reached = (call: CalleeCall) => [
      targetTakes === 'with' ? call.digits.join('') : '',
      call.infos.join(''),
      audible(call),
    ];
    near.leg.sendDtmf('42#');
    await expect.poll(() => reached(far), { timeout: 4000, interval: 100 }).toEqual(wanted);
    // And back, where what is theirs may have come by another way too.
    far.leg.sendDtmf('7');
    await expect
      .poll(() => `${near.digits.join('')}${near.infos.join('')}`, { timeout: 4000, interval: 100 })
      .toBe('7');
    expect(reached(far)).toEqual(wanted);
    near.incoming.hangup();
    expect(await done).toMatchObject({ transfer: { result: 'connected' } });
  },
);

it('a press that a phone tells as event and by INFO reaches the target once, and the next one too', async () => {
  const { near, far, done } = await talk('with', 'with');
  near.leg.sendDtmf('5');
  expect(await near.incoming.sendDigit('5')).toMatchObject({ ok: true });
  near.leg.sendDtmf('6');
  await expect.poll(() => far.digits.join(''), { timeout: 4000 }).toContain('6');
  expect(far.digits.join('')).toBe('56');
  near.incoming.hangup();
  await done;
});
