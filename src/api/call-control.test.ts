import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CallView } from '#domain/api.ts';
import type { MediaStats } from '#domain/call.ts';
import type { CallControl } from '#calls/bridge/call-bridge.ts';
import { callOver } from '#calls/bridge/refusals.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { testApi } from '../../test/support/api.ts';
import type { TestApi } from '../../test/support/api.ts';
import { seedCall } from '../../test/support/calls.ts';

const CALL = newId<'attempt'>(new Date());
const LISTENER = newId<'leg'>(new Date());
let directory: string;
let api: TestApi;
let operator: string;
let done: unknown[];

beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'waihu-api-'));
  api = await testApi({ directory });
  operator = await api.signIn('operator');
});
afterAll(async () => {
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  done = [];
  const control: CallControl = {
    view: {
      transfer: { kind: 'attended', target: '+86139****0002', state: 'calling' },
      listeners: [{ id: LISTENER, target: 'sip:8001@pbx', role: 'monitor', state: 'listening' }],
      lastTransfer: { kind: 'blind', target: '8009', result: 'busy', talkMs: 0 },
      failedListener: { id: LISTENER, target: '8008', reason: 'no-answer' },
    },
    transfer: (wish, by) => done.push(['transfer', wish, by]),
    endTransfer: () => done.push(['end']),
    listen: (listener, by) => {
      done.push(['listen', listener, by]);
      return LISTENER;
    },
    setRole: (id, role) => done.push(['role', id, role]),
    endListener: (id) => done.push(['end', id]),
  };
  api.controls.set(CALL, control);
  api.hangUps.set(CALL, (by) => done.push(['hang-up', by]));
});

const ask = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  way: string,
  payload?: object,
  cookie = operator,
  id = CALL,
) => api.app.inject({ method, url: `/api/calls/${id}${way}`, headers: { cookie }, ...(payload && { payload }) });

async function lastAudit() {
  const { rows } = await sql<{ actor: string; action: string; subject: string; detail: Record<string, unknown> }>`
    SELECT actor, action, subject, detail FROM audit ORDER BY seq DESC LIMIT 1`.execute(api.database.db);
  return rows[0];
}

test('an operator hands a call over, and the audit log says who and to whom, masked', async () => {
  const reply = await ask('POST', '/transfer', { kind: 'attended', target: '+8613900000002' });
  expect(reply.statusCode).toBe(202);
  expect(reply.json()).toMatchObject({ transfer: { state: 'calling' }, listeners: [{ id: LISTENER }] });
  const by = `user:${api.users.operator}`;
  expect(done).toEqual([['transfer', { kind: 'attended', target: '+8613900000002', release: false }, by]]);
  expect(await lastAudit()).toEqual({
    actor: by,
    action: 'call.transfer',
    subject: CALL,
    detail: { kind: 'attended', target: '+86139****0002', release: false },
  });
  expect((await ask('DELETE', '/transfer')).statusCode).toBe(200);
  expect(await lastAudit()).toMatchObject({ action: 'call.transfer-end' });
});

test('listening in is recorded before anybody hears a word, and its role can change', async () => {
  const reply = await ask('POST', '/monitor', { target: 'sip:8001@pbx', role: 'monitor' });
  expect([reply.statusCode, reply.json()]).toEqual([202, { id: LISTENER }]);
  expect(await lastAudit()).toMatchObject({ action: 'call.listen', subject: CALL, detail: { role: 'monitor' } });
  expect((await ask('PATCH', `/monitor/${LISTENER}`, { role: 'barge' })).statusCode).toBe(200);
  expect(await lastAudit()).toMatchObject({ action: 'call.listen-role', detail: { role: 'barge' } });
  expect((await ask('DELETE', `/monitor/${LISTENER}`)).statusCode).toBe(200);
  expect(done.slice(1)).toEqual([
    ['role', LISTENER, 'barge'],
    ['end', LISTENER],
  ]);
  expect((await ask('GET', '/bridge')).json()).toMatchObject({
    listeners: [{ role: 'monitor' }],
    lastTransfer: { target: '8009', result: 'busy' },
    failedListener: { target: '8008', reason: 'no-answer' },
  });
});

test('an operator ends a call, whether it rings or talks, and the audit log says who', async () => {
  // Nobody talks yet, so that there is nothing to transfer.
  api.controls.delete(CALL);
  // The command line sends an empty body, the console none.
  const reply = await ask('POST', '/hang-up', {});
  expect([reply.statusCode, reply.json()]).toEqual([202, { id: CALL }]);
  const by = `user:${api.users.operator}`;
  expect(done).toEqual([['hang-up', by]]);
  expect(await lastAudit()).toEqual({ actor: by, action: 'call.hang-up', subject: CALL, detail: {} });
});

test('a viewer may neither transfer, nor listen, nor hang up', async () => {
  const viewer = await api.signIn('viewer');
  for (const [method, way, body] of [
    ['POST', '/transfer', { kind: 'blind', target: '8001' }],
    ['DELETE', '/transfer', undefined],
    ['POST', '/monitor', { target: '8001', role: 'monitor' }],
    ['PATCH', `/monitor/${LISTENER}`, { role: 'barge' }],
    ['DELETE', `/monitor/${LISTENER}`, undefined],
    ['POST', '/hang-up', undefined],
    ['GET', '/bridge', undefined],
  ] as const)
    expect((await ask(method, way, body, viewer)).statusCode).toBe(403);
  expect(done).toEqual([]);
});

test('what cannot be is refused with a reason', async () => {
  const other = newId<'attempt'>(new Date());
  const gone = await ask('POST', '/transfer', { kind: 'blind', target: '8001' }, operator, other);
  expect([gone.statusCode, gone.json().error.text.zh]).toEqual([404, expect.stringContaining('没有在通话')]);
  const before = await lastAudit();
  const over = await ask('POST', '/hang-up', undefined, operator, other);
  const { text } = over.json().error;
  expect([over.statusCode, text]).toMatchObject([
    404,
    { zh: expect.stringContaining('无法挂断'), en: expect.stringContaining('cannot be hung up') },
  ]);
  // Nothing was tried.
  expect(await lastAudit()).toEqual(before);
  expect((await ask('POST', '/transfer', { kind: 'warm', target: '8001' })).statusCode).toBe(400);
  expect((await ask('POST', '/monitor', { target: '8001', role: 'agent' })).statusCode).toBe(400);
  const busy = new AppError('conflict', { zh: '正在转接', en: 'busy' });
  const control = api.controls.get(CALL)!;
  api.controls.set(CALL, {
    ...control,
    transfer: () => {
      throw busy;
    },
  });
  expect((await ask('POST', '/transfer', { kind: 'blind', target: '8001' })).statusCode).toBe(409);
  // The intention is in the log all the same, and what became of it.
  expect(await lastAudit()).toMatchObject({ action: 'call.transfer-refused', detail: { reason: 'conflict' } });
  // The callee hung up while it was being written down.
  api.hangUps.set(CALL, () => {
    throw callOver();
  });
  expect((await ask('POST', '/hang-up')).statusCode).toBe(409);
  expect(await lastAudit()).toMatchObject({ action: 'call.hang-up-refused', detail: { reason: 'conflict' } });
});

test('whatever is done to a call stands in the audit log before it is done', async () => {
  const control = api.controls.get(CALL)!;
  const seen: Promise<unknown>[] = [];
  const watch = (): string => {
    seen.push(lastAudit().then((entry) => entry?.action));
    return LISTENER;
  };
  const watching = { transfer: watch, endTransfer: watch, listen: watch, setRole: watch, endListener: watch };
  api.controls.set(CALL, { ...control, ...watching });
  api.hangUps.set(CALL, watch);
  for (const [method, way, body] of [
    ['POST', '/transfer', { kind: 'blind', target: '8001' }],
    ['DELETE', '/transfer', undefined],
    ['POST', '/monitor', { target: 'sip:8001@pbx', role: 'monitor' }],
    ['PATCH', `/monitor/${LISTENER}`, { role: 'barge' }],
    ['DELETE', `/monitor/${LISTENER}`, undefined],
    ['POST', '/hang-up', undefined],
  ] as const) {
    await ask(method, way, body);
    // Read before the next one is written.
    await seen.at(-1);
  }
  expect(await Promise.all(seen)).toEqual(
    ['transfer', 'transfer-end', 'listen', 'listen-role', 'listen-end', 'hang-up'].map((what) => `call.${what}`),
  );
});

test('a blind transfer that the line took over without a word is told as such', async () => {
  const transfer = { type: 'transfer', kind: 'blind', target: '8001' } as const;
  const timeline = [
    { ...transfer, atMs: 1, action: 'started' },
    { ...transfer, atMs: 2, action: 'handed-over' },
  ] as const;
  const seeded = await seedCall(api.database.db, { at: new Date(), finished: { timeline } });
  const view = (await ask('GET', '', undefined, operator, seeded.id)).json<CallView>();
  expect(view.transfer).toEqual({ kind: 'blind', target: '8001', result: 'handed-over', talkMs: 0 });
});

test('a finished call tells how those were heard who took part beside the callee', async () => {
  const media: MediaStats = {
    codec: 'opus',
    packetsSent: 900,
    packetsReceived: 880,
    packetsLost: 20,
    packetsLate: 1,
    jitterMs: 3.5,
    lossBurstRatio: undefined,
    longestLossPackets: undefined,
    roundTripMs: undefined,
    remoteLossRatio: 0.01,
    remoteJitterMs: 2,
    mos: 3.9,
    remoteMos: undefined,
  };
  const legs = [
    { role: 'agent', target: '+86139****0002', joinedMs: 4000, leftMs: 9000, media },
    { role: 'whisper', target: 'sip:8001@pbx', joinedMs: 5000, leftMs: 6000, media: undefined },
  ] as const;
  const seeded = await seedCall(api.database.db, { at: new Date(), finished: { legs } });
  const view = (await ask('GET', '', undefined, operator, seeded.id)).json<CallView>();
  expect(view.legs).toEqual(JSON.parse(JSON.stringify(legs)));
  const without = await seedCall(api.database.db, { at: new Date() });
  expect((await ask('GET', '', undefined, operator, without.id)).json<CallView>().legs).toEqual([]);
});

test('a finished call tells what became of its last transfer', async () => {
  const transfer = { type: 'transfer', kind: 'attended', target: '8001' } as const;
  const seeded = await seedCall(api.database.db, {
    at: new Date(),
    finished: {
      timeline: [
        { ...transfer, atMs: 1, action: 'failed', reason: 'busy' },
        { ...transfer, atMs: 2, action: 'ended', talkMs: 4200 },
        { type: 'listen', atMs: 3, action: 'joined', role: 'monitor', target: '8002', by: 'user:1' },
      ],
    },
  });
  const view = (await ask('GET', '', undefined, operator, seeded.id)).json<CallView>();
  expect(view.transfer).toEqual({ kind: 'attended', target: '8001', result: 'connected', talkMs: 4200 });
  expect(view.timeline[2]).toEqual({
    type: 'listen',
    atMs: 3,
    action: 'joined',
    role: 'monitor',
    target: '8002',
    by: 'user:1',
  });
});
