import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { silentLog } from '#platform/log.ts';
import { KeySender } from './key-sender.ts';

let asked: { readonly digit: string; readonly answer: (ok: boolean) => void }[];
let tones: string[];
let keys: KeySender;

beforeEach(() => {
  [asked, tones] = [[], []];
  keys = new KeySender({
    log: silentLog,
    control: {
      sendDigit: (digit) =>
        new Promise((resolve) => {
          asked.push({ digit, answer: (ok) => resolve({ ok, status: ok ? 200 : 405, detail: '' }) });
        }),
    },
    tones: (digits) => tones.push(digits),
  });
});

const digits = () => asked.map(({ digit }) => digit).join('');

test('keys go by INFO, one after the other', async () => {
  for (const digit of '42#') keys.send(digit);
  await setImmediate();
  expect(digits()).toBe('4');
  for (let i = 0; i < 3; i++) {
    asked[i]!.answer(true);
    await setImmediate();
  }
  expect([digits(), tones]).toEqual(['42#', []]);
});

test('where INFO is refused, that key and all after it are tones, in their order', async () => {
  for (const digit of '42') keys.send(digit);
  await setImmediate();
  asked[0]!.answer(false);
  await setImmediate();
  keys.send('#');
  await setImmediate();
  expect([digits(), tones.join('')]).toEqual(['4', '42#']);
});
