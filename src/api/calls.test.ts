import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallSummary, CallView, LiveCall, Page } from '#domain/api.ts';
import type { Attempt } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { newId } from '#platform/id.ts';
import { OPERATOR_TOKEN, testApi } from '../../test/support/api.ts';
import type { TestApi } from '../../test/support/api.ts';
import { seedCall } from '../../test/support/calls.ts';
import { PlaybackAudit } from './playback-audit.ts';

const AUDIO = Buffer.from('RIFF0123456789');
let api: TestApi;
let directory: string;
let recorded: Attempt;

beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'waihu-api-'));
  api = await testApi({ directory });
  const { db } = api.database;
  const at = (minutesAgo: number) => new Date(api.clock.now().getTime() - minutesAgo * 60_000);
  const recording = {
    path: '2026/a.wav',
    durationMs: 100,
    bytes: AUDIO.length,
    peaks: { perSecond: 10, callee: [1, 2], platform: [3, 4] },
  };
  recorded = await seedCall(db, { at: at(3), finished: { recording } });
  mkdirSync(path.join(api.recordingsDirectory, '2026'));
  writeFileSync(path.join(api.recordingsDirectory, '2026', 'a.wav'), AUDIO);
  await seedCall(db, {
    at: at(2),
    attempt: { phone: '+8613900000001' as PhoneNumber, variables: { name: '=cmd|calc' } },
    finished: { outcome: 'busy', dialog: undefined, answeredMs: undefined, talkMs: 0, turns: [], timeline: [] },
  });
  await seedCall(db, { at: at(1), attempt: { phone: '+8613900000002' as PhoneNumber }, finished: { talkMs: 90_000 } });
});
afterAll(async () => {
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

const get = (url: string, headers: Record<string, string> = {}) =>
  api.app.inject({ url, headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, ...headers } });
const list = async (query: string) => (await get(`/api/calls?${query}`)).json<Page<CallSummary>>();

test('calls are listed newest first, by filter and in pages', async () => {
  const all = await list('');
  expect(all.total).toBe(3);
  expect(all.items.map(({ phone }) => phone)).toEqual(['+86139****0002', '+86139****0001', '+86138****0000']);
  expect((await list('outcome=busy')).items.map(({ outcome }) => outcome)).toEqual(['busy']);
  expect((await list('grade=B')).total).toBe(2);
  expect((await list('minTalkSeconds=60')).total).toBe(1);
  expect((await list('phone=%2B8613900000001')).total).toBe(1);
  expect((await list('phone=139')).total).toBe(2);
  expect((await list(`from=${encodeURIComponent(api.clock.now().toISOString())}`)).total).toBe(0);
  expect((await list(`to=${encodeURIComponent(api.clock.now().toISOString())}`)).total).toBe(3);
  expect((await list(`campaignId=${newId(api.clock.now())}`)).total).toBe(0);
  const first = await list('limit=2');
  const rest = await list(`limit=2&cursor=${first.next}`);
  expect([...first.items, ...rest.items]).toEqual(all.items);
  expect(rest.next).toBeUndefined();
});

test('a call is told whole, without its number or where its recording lies', async () => {
  const reply = await get(`/api/calls/${recorded.id}`);
  const view = reply.json<CallView>();
  expect(view).toMatchObject({
    id: recorded.id,
    phone: '+86138****0000',
    outcome: 'answered',
    grade: 'B',
    slots: { date: '5号' },
    dialog: { callBackAt: new Date(recorded.createdAt.getTime() + 86_400_000).toISOString(), score: 3 },
    recording: { durationMs: 100, peaks: { perSecond: 10, callee: [1, 2], platform: [3, 4] } },
    media: { codec: 'PCMA', jitterMs: 1.5, lossBurstRatio: 1.2, longestLossPackets: 3, roundTripMs: 40, mos: 4.2 },
  });
  expect(view.turns).toEqual([
    {
      index: 0,
      speaker: 'platform',
      startMs: 5100,
      endMs: 7000,
      text: '您好',
      interrupted: false,
      node: 'a',
      latency: { voiceToVoiceMs: 300, endOfTurnMs: 200, thinkMs: 20, playoutMs: 80 },
    },
    { index: 1, speaker: 'callee', startMs: 7100, endMs: 8000, text: '好的', interrupted: false, intent: 'yes' },
  ]);
  expect(view.timeline).toEqual([
    { type: 'progress', atMs: 100, status: 183, earlyMedia: true },
    { type: 'tone', atMs: 200, label: 'ringback', confidence: 0.9 },
    { type: 'answered', atMs: 5000 },
    { type: 'dtmf', atMs: 6000, digit: '1' },
    { type: 'barge-in', atMs: 7000, action: 'duck' },
    { type: 'decision', atMs: 8000, node: 'a', reason: 'intent yes' },
    { type: 'slot', atMs: 9000, name: 'date', value: '5号' },
    { type: 'ended', atMs: 25_000, by: 'callee', detail: 'BYE' },
  ]);
  expect(reply.body).not.toContain('13800000000');
  expect(reply.body).not.toContain('a.wav');
});

test('a call that goes on answers 202 until it has ended', async () => {
  const attemptId = newId<'attempt'>(api.clock.now());
  const event = {
    attemptId,
    direction: 'inbound' as const,
    campaignId: undefined,
    leadId: undefined,
    phone: '+8613800000009' as PhoneNumber,
    name: '李',
    lastText: `${'字'.repeat(59)}😀`,
    at: api.clock.now(),
  };
  api.bus.publish('call-state', { ...event, state: 'ringing' });
  const reply = await get(`/api/calls/${attemptId}`);
  expect(reply.statusCode).toBe(202);
  expect(reply.json<LiveCall>()).toMatchObject({
    direction: 'inbound',
    state: 'ringing',
    phone: '+86138****0009',
    campaignId: null,
  });
  expect(reply.json<LiveCall>().lastText.isWellFormed()).toBe(true);
  api.bus.publish('call-state', { ...event, state: 'ended' });
  expect((await get(`/api/calls/${attemptId}`)).statusCode).toBe(404);
});

test('the export speaks the language of the reader and runs no formula', async () => {
  const zh = await get('/api/calls.csv');
  expect(zh.headers['content-disposition']).toBe('attachment; filename="calls.csv"');
  expect(zh.body.startsWith('\uFEFF拨打时间,')).toBe(true);
  expect(zh.body.trimEnd().split('\r\n')).toHaveLength(4);
  expect(zh.body).toContain(",'=cmd|calc,");
  expect(zh.body).not.toMatch(/1390000000[12]/);
  const en = await get('/api/calls.csv?language=en&outcome=busy&timeZone=UTC');
  expect(en.body.startsWith('\uFEFFDialled at,')).toBe(true);
  expect(en.body.trimEnd().split('\r\n')).toHaveLength(2);
});

test('a recording comes whole, in ranges, and not beyond its end', async () => {
  const url = `/api/calls/${recorded.id}/recording.wav`;
  const whole = await get(url);
  expect([whole.statusCode, whole.headers['content-type'], whole.rawPayload]).toEqual([200, 'audio/wav', AUDIO]);
  const range = async (value: string) => {
    const reply = await get(url, { range: value });
    return [reply.statusCode, reply.headers['content-range'], reply.body];
  };
  expect(await range('bytes=0-3')).toEqual([206, 'bytes 0-3/14', 'RIFF']);
  expect(await range('bytes=10-')).toEqual([206, 'bytes 10-13/14', '6789']);
  expect(await range('bytes=-2')).toEqual([206, 'bytes 12-13/14', '89']);
  expect(await range('bytes=4-9999999999999999999999')).toEqual([206, 'bytes 4-13/14', '0123456789']);
  expect(await range('bytes=14-')).toEqual([416, 'bytes */14', '']);
  expect(await range('bytes=-0')).toEqual([416, 'bytes */14', '']);
  for (const whole of ['bytes=5-2', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b'])
    expect((await range(whole))[0]).toBe(200);
});

test('listening is on record once, however the player asks', async () => {
  const cookie = await api.signIn('viewer');
  const url = `/api/calls/${recorded.id}/recording.wav`;
  for (const range of ['bytes=1-2', 'bytes=0-', 'bytes=3-']) await api.app.inject({ url, headers: { cookie, range } });
  const rows = await sql<{ subject: string }>`
    SELECT subject FROM audit WHERE action = 'recording.play' AND actor = ${`user:${api.users.viewer}`}`.execute(
    api.database.db,
  );
  expect(rows.rows).toEqual([{ subject: recorded.id }]);
});

test('listening again later is on record again', () => {
  const playback = new PlaybackAudit(api.clock);
  expect([playback.isNew('a', '1'), playback.isNew('a', '1'), playback.isNew('b', '1')]).toEqual([true, false, true]);
  api.clock.advance(10 * 60_000);
  expect(playback.isNew('a', '1')).toBe(true);
});

test('no path leads out of the recordings directory', async () => {
  writeFileSync(path.join(directory, 'secret'), 'secret');
  const url = `/api/calls/${recorded.id}/recording.wav`;
  for (const stored of ['../secret', '/etc/passwd', '2026/../../secret', '.', '2026', '', 'gone.wav']) {
    await sql`UPDATE calls SET recording = jsonb_set(recording, '{path}', to_jsonb(${stored}::text))
      WHERE id = ${recorded.id}::uuid`.execute(api.database.db);
    expect([stored, (await get(url)).statusCode]).toEqual([stored, 404]);
  }
});

test('who did something in a call is called by name, and as before where they are no users any more', async () => {
  const gone = `user:${newId(api.clock.now())}`;
  const { id } = await seedCall(api.database.db, {
    at: new Date(api.clock.now().getTime() - 4 * 60_000),
    finished: {
      timeline: [
        { type: 'listen', atMs: 1, action: 'joined', role: 'monitor', target: '8002', by: gone },
        { type: 'listen', atMs: 2, action: 'ended', role: 'monitor', target: '8002', by: 'local-operator' },
        { type: 'hang-up', atMs: 3, by: `user:${api.users.operator}` },
        { type: 'ended', atMs: 4, by: 'platform', detail: 'hung-up-by-operator' },
      ],
    },
  });
  const { timeline } = (await get(`/api/calls/${id}`)).json<CallView>();
  expect(timeline.map((event) => ('by' in event ? event.by : undefined))).toEqual([
    gone,
    'local-operator',
    'operator',
    'platform',
  ]);
});
