import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { ApiError } from '#domain/api.ts';
import { ManualClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { ANNOUNCEMENTS } from '#simulator/announcements.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { multipart, OPERATOR_TOKEN, testApi, type TestApi } from '../../../test/support/api.ts';
import { join, silence, tone } from '../../../test/support/progress-audio.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import type { CommandContext } from '../cli/settings.ts';
import { Terminal } from '../cli/terminal.ts';
import { openAnnouncementDesk } from '../runtime/announcement-desk.ts';
import { writeServerFile } from '../runtime/server-file.ts';
import { wavOf } from '#voice/wav-file.ts';
import { forget, learn, list, save, tryOut, unknown } from './progress.ts';

const CALL = '019a0000-0000-7000-8000-00000000000a';
const synthesizer = new EspeakSynthesizer({ log: silentLog });
let empty: Int16Array;
let off: Int16Array;
let api: TestApi;
let data: string;
let o: CommandContext;
let printed: string[];

beforeAll(async () => {
  const say = (text: string): Promise<Int16Array> =>
    synthesizer.synthesize(text, { voice: 'zh-female', language: 'zh' });
  empty = await say(ANNOUNCEMENTS['invalid-number'].zh);
  off = await say(ANNOUNCEMENTS['powered-off'].zh);
});
afterAll(() => synthesizer.close());
beforeEach(async () => {
  data = scratchDirectory();
  const [announcements, early] = [path.join(data, 'announcements'), path.join(data, 'early')];
  for (const each of [announcements, path.join(early, '2026-11-25')]) mkdirSync(each, { recursive: true });
  writeFileSync(path.join(early, '2026-11-25', `${CALL}.wav`), wavOf(join(silence(400), off)));
  const desk = await openAnnouncementDesk({
    directory: announcements,
    earlyMediaDirectory: early,
    clock: new ManualClock(),
    log: silentLog,
    teach: () => undefined,
    findCalls: (ids) =>
      Promise.resolve(new Map(ids.map((id) => [id, { phone: '+8613800000000', outcome: 'busy', sipStatus: 486 }]))),
  });
  api = await testApi({ directory: data, announcements: desk });
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  writeServerFile(data, { url, token: OPERATOR_TOKEN, pid: process.pid });
  o = { terminal: new Terminal('en'), version: 'test', flags: { dataDirectory: data, set: [], json: true } };
  printed = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await api.close();
});

const last = (): unknown => JSON.parse(printed.at(-1)!);

function fileOf(pcm: Int16Array): string {
  const file = path.join(data, 'recording.wav');
  writeFileSync(file, wavOf(pcm));
  return file;
}

test('an operator teaches, tries, lists and forgets announcements on the command line', async () => {
  await learn(o, fileOf(empty), { as: 'empty-number' });
  expect(last()).toMatchObject({ announcement: { name: 'invalid-number-1', label: 'invalid-number' } });
  await tryOut(o, fileOf(join(empty, silence(300), empty)));
  expect(last()).toMatchObject({ recognised: 'invalid-number' });
  expect(process.exitCode).toBeUndefined();
  await tryOut(o, fileOf(off));
  expect(last()).toMatchObject({ recognised: null });
  expect(process.exitCode).toBe(3);
  await list(o);
  expect(last()).toMatchObject([{ name: 'invalid-number-1' }]);
  await forget(o, 'invalid-number-1');
  await list(o);
  expect(last()).toEqual([]);
  await expect(forget(o, 'invalid-number-1')).rejects.toMatchObject({ code: 'not-found' });
});

test('what a call heard is listed, saved and taught by the id of the call', async () => {
  await unknown(o);
  expect(last()).toMatchObject([{ callId: CALL, calls: 1, sipStatus: 486 }]);
  expect(printed.at(-1)).not.toContain('13800000000');
  const saved = path.join(data, 'saved.wav');
  await save(o, CALL, saved);
  expect(readFileSync(saved).subarray(0, 4).toString()).toBe('RIFF');
  await learn(o, CALL, { as: 'powered-off', name: 'off' });
  expect(last()).toMatchObject({ announcement: { name: 'off', label: 'powered-off' } });
  await unknown(o);
  expect(last()).toEqual([]);
  await expect(save(o, CALL.replace(/a$/, 'b'), saved)).rejects.toMatchObject({ code: 'not-found' });
  await expect(learn(o, path.join(data, 'none.wav'), { as: 'busy' })).rejects.toMatchObject({ code: 'invalid-input' });
});

test('without --json it is said in words', async () => {
  const inWords = { ...o, flags: { ...o.flags, json: false } };
  await learn(inWords, fileOf(empty), { as: 'invalid-number' });
  expect(printed.at(-1)).toMatch(/^Learnt "invalid-number-1"/);
  await tryOut(inWords, fileOf(tone([450], 3000)));
  expect(printed.at(-1)).toContain('none of the taught');
  await unknown(inWords);
  expect(printed.at(-1)).toContain(`waihu progress save CALL`);
});

test('the API takes recordings of an operator alone, and says what is wrong with a file', async () => {
  const send = async (who: Record<string, string>, content: string | Uint8Array, label = 'busy') => {
    const { payload, headers } = multipart([{ name: 'file', content, fileName: 'x.wav' }]);
    const url = `/api/announcements?label=${label}`;
    return api.app.inject({ method: 'POST', url, payload, headers: { ...headers, ...who } });
  };
  const viewer = { cookie: await api.signIn('viewer') };
  const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  expect((await send({}, wavOf(empty))).statusCode).toBe(401);
  expect((await send(viewer, wavOf(empty))).statusCode).toBe(403);
  for (const url of ['/api/early-media', `/api/early-media/${CALL}.wav`])
    expect((await api.app.inject({ url, headers: viewer })).statusCode).toBe(403);
  expect((await api.app.inject({ url: '/api/announcements', headers: viewer })).statusCode).toBe(200);
  const faults = [
    await send(operator, 'no sound'),
    await send(operator, wavOf(silence(4000))),
    await send(operator, wavOf(empty), 'nonsense'),
    await send(operator, new Uint8Array(0)),
  ];
  for (const reply of faults) {
    expect(reply.statusCode).toBe(400);
    expect(reply.json<ApiError>().error.text.en).not.toBe('');
  }
  const none = await api.app.inject({ method: 'POST', url: '/api/announcements?label=busy', headers: operator });
  expect(none.json<ApiError>().error.text.en).toBe('Choose a file to upload.');
  expect((await send(operator, new Uint8Array(33 * 1024 * 1024))).statusCode).toBe(413);
  expect((await send(operator, wavOf(empty))).statusCode).toBe(200);
});
