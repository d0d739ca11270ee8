import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Script } from '#domain/script.ts';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, sampleScript, shortScript, tonePhrase, type TestCenter } from '../support/call-center.ts';

let callee: TestCallee;
let target: TestCallee;
let center: TestCenter;

beforeAll(async () => {
  callee = await openCallee({ rtp: { first: 27_500, last: 27_515 } });
  target = await openCallee({ rtp: { first: 27_520, last: 27_535 } });
  center = await openTestCenter({
    trunkPort: callee.port,
    rtp: { first: 27_540, last: 27_555 },
    // 20 ms of tone a character, so that nobody waits for words.
    phrase: async (request) => (await tonePhrase(request)).subarray(0, request.text.length * 160),
  });
});
afterAll(async () => {
  await center.close();
  await callee.close();
  await target.close();
});

/** Long waits, and an opt-out that a 9 or words state and that is confirmed in words of its own. */
function script(): Script {
  const plain = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
  const optOut = sampleScript('credit-card-reminder').globals.find(({ kind }) => kind === 'opt-out')!;
  const keyed = { ...optOut, match: { exact: ['9'] }, speech: [{ text: '好的，不再致电。' }] };
  return { ...plain, id: 'opt-out', globals: [keyed] };
}

/** A call that an operator hands over; the target rings. */
async function handedOver() {
  const [first, second] = [Promise.withResolvers<CalleeCall>(), Promise.withResolvers<CalleeCall>()];
  callee.onCall = (call, answer) => (answer(), first.resolve(call));
  target.onCall = (call) => second.resolve(call);
  const { attempt, observer, done } = center.call('+8613800000001', { script: script() });
  const call = await first.promise;
  await observer.until(() => observer.said.length > 0);
  const control = center.center.control(attempt.id)!;
  const to = { kind: 'attended', target: `sip:8001@127.0.0.1:${target.port}` } as const;
  control.transfer(to, 'test');
  const other = await second.promise;
  const spoken = () => observer.said.filter(({ speaker }) => speaker === 'platform').map(({ text }) => text);
  return { call, other, control, observer, done, spoken };
}

describe('an opt-out while the callee is with somebody else', () => {
  it('typed to whom they were put through to is acted on while they talk, and confirmed afterwards', async () => {
    const { call, other, control, observer, done, spoken } = await handedOver();
    other.answer();
    await expect.poll(() => control.view.transfer?.state).toBe('connected');
    const before = spoken();
    call.say('以后不要再给我打电话了');
    await observer.until(() => observer.optOuts === 1);
    // They go on talking, and the script does not say a word.
    expect(control.view.transfer).toMatchObject({ state: 'connected' });
    expect(spoken()).toEqual(before);
    await expect.poll(() => other.text).toContain('不要再给我打电话');
    expect(other.text).not.toContain('不再致电');
    other.incoming.hangup();
    const finished = await done;
    expect(spoken().at(-1)).toContain('不再致电');
    expect(observer.optOuts).toBe(1);
    expect(finished).toMatchObject({ dialog: { optedOut: true, grade: 'E', endReason: 'opt-out' } });
    const written = finished.turns.flatMap(({ speaker, text }) => (speaker === 'callee' ? [text] : []));
    expect(written).toEqual(['以后不要再给我打电话了']);
  });

  it('by key during the music is acted on before anybody has answered', async () => {
    const { call, other, observer, done, spoken } = await handedOver();
    call.leg.sendDtmf('49');
    await observer.until(() => observer.optOuts === 1);
    expect(spoken().join('')).not.toContain('不再致电');
    other.incoming.reject(486);
    const finished = await done;
    expect(spoken().at(-1)).toContain('不再致电');
    expect(finished).toMatchObject({ dialog: { optedOut: true, endReason: 'opt-out' }, transfer: { result: 'busy' } });
    expect(finished.timeline.flatMap((event) => (event.type === 'dtmf' ? [event.digit] : []))).toEqual(['9']);
  });

  it('by key to whom they were put through to is theirs alone: it may be part of a number', async () => {
    const { call, other, control, observer, done } = await handedOver();
    other.answer();
    await expect.poll(() => control.view.transfer?.state).toBe('connected');
    call.leg.sendDtmf('9#');
    await expect.poll(() => other.digits.join(''), { timeout: 3000 }).toBe('9#');
    call.incoming.hangup();
    expect(await done).toMatchObject({ dialog: { optedOut: false, endReason: 'transferred' } });
    expect(observer.optOuts).toBe(0);
  });
});
