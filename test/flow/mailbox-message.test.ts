import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeG711 } from '#telephony/codec/g711.ts';
import { openCallee, loud, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, shortScript, tonePhrase, type TestCenter } from '../support/call-center.ts';
import { join, silence, tone } from '../support/progress-audio.ts';

const MESSAGE = '请回电。';
const SILENCE = 0xd5;
let callee: TestCallee;
let center: TestCenter;

beforeAll(async () => {
  callee = await openCallee({ rtp: { first: 24_000, last: 24_099 }, codecs: ['PCMA'] });
  center = await openTestCenter({ trunkPort: callee.port, rtp: { first: 24_100, last: 24_199 } });
});
afterAll(async () => {
  await center.close();
  await callee.close();
});

test('a mailbox hears the message of the script after its beep, whole, and nothing over it', async () => {
  const taken = Promise.withResolvers<CalleeCall>();
  callee.onCall = (call, answer) => {
    taken.resolve(call);
    answer();
  };
  const script = shortScript();
  const { observer, done } = center.call('+8613800000000', {
    script: {
      ...script,
      id: 'message',
      globals: [{ kind: 'voicemail', speech: [{ text: MESSAGE }], action: 'hangup', max: 1 }],
    },
  });
  const call = await taken.promise;
  await observer.until(() => observer.said.length > 0);
  const pcm = join(tone([1000], 500), silence(200));
  const beep = new Uint8Array(pcm.length);
  encodeG711('PCMA', pcm, beep);
  const greeting = loud(1500);
  call.say('您好，请在嘀声后留言。', Buffer.concat([greeting, new Uint8Array(8000).fill(SILENCE), beep]));
  const finished = await done;
  expect(finished).toMatchObject({ outcome: 'voicemail', hangupBy: 'platform' });
  expect(finished.turns.at(-1)).toMatchObject({ speaker: 'platform', text: MESSAGE });
  const message = Buffer.from(await tonePhrase({ text: MESSAGE, codec: 'PCMA' } as Parameters<typeof tonePhrase>[0]));
  const [received, sent] = [Buffer.from(call.received), Buffer.from(call.sent)];
  const at = received.lastIndexOf(message);
  const beepEnds = sent.indexOf(Buffer.from(beep.subarray(800, 3200))) + 3200;
  expect(beepEnds).toBeGreaterThan(3200);
  expect(at).toBeGreaterThan(beepEnds);
  // Nothing between the end of the greeting and the end of the beep.
  expect(received.subarray(beepEnds - 8000, beepEnds).every((octet) => octet === SILENCE)).toBe(true);
});
