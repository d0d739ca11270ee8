import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PhoneNumber } from '#domain/phone.ts';
import type { AttemptId } from '#domain/ids.ts';
import { isSuppressed } from '#compliance/suppression.ts';
import { getCall } from '#outcomes/calls.ts';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openCaller, type TestCaller } from '../support/caller.ts';
import { shortScript } from '../support/call-center.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { openTestInbound, OWN_NUMBER, putScript, type TestInbound } from '../support/inbound.ts';
import { amplitudeAt, toneOf } from '../support/tones.ts';

const PHONE = '+8613800000007' as PhoneNumber;
let database: TestDatabase;
let inbound: TestInbound;
let caller: TestCaller;
let target: TestCallee;

beforeAll(async () => {
  database = await testDatabase();
  const waits = { noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } };
  await putScript(database.db, { ...shortScript(waits), id: 'called-back' });
  inbound = await openTestInbound({
    db: database.db,
    rtp: { first: 27_600, last: 27_615 },
    inbound: { routes: [{ numbers: ['*'], script: 'called-back' }] },
    trunk: { codecs: ['PCMA', 'PCMU'] },
  });
  caller = await openCaller({ rtp: { first: 27_620, last: 27_635 } });
  target = await openCallee({ rtp: { first: 27_640, last: 27_655 }, codecs: ['PCMU'] });
});
afterAll(async () => {
  await Promise.all([caller?.close(), target?.close()]);
  await inbound?.close();
  await database?.close();
});

it('a call that came in is handed over and listened to as a dial is, an opt-out heeded meanwhile, and all of it recorded', async () => {
  const id = Promise.withResolvers<AttemptId>();
  const recorded = Promise.withResolvers<void>();
  inbound.bus.subscribe('call-state', ({ attemptId }) => id.resolve(attemptId));
  inbound.bus.subscribe('call-recorded', () => recorded.resolve());
  const [agents, listeners] = [Promise.withResolvers<CalleeCall>(), Promise.withResolvers<CalleeCall>()];
  target.onCall = (call, answer) => {
    answer();
    (call.incoming.requestUri.includes('8001') ? agents : listeners).resolve(call);
  };
  const talk = await caller.call({ port: inbound.port }, { from: PHONE, to: OWN_NUMBER });
  await talk.answered;
  await talk.hears('方便吗？');
  const control = inbound.center.control(await id.promise)!;
  const uri = (user: string): string => `sip:${user}@127.0.0.1:${target.port}`;
  control.transfer({ kind: 'attended', target: uri('8001') }, 'test');
  const agent = await agents.promise;
  agent.speech = toneOf(730, 20_000, 'PCMU');
  control.listen({ target: uri('8002'), role: 'monitor' }, 'test');
  const listener = await listeners.promise;
  const hears730 = (received: readonly number[], codec: 'PCMA' | 'PCMU'): number =>
    amplitudeAt(730, received.slice(-2400), codec);
  await expect.poll(() => hears730(talk.received, 'PCMA'), { timeout: 4000 }).toBeGreaterThan(1500);
  await expect.poll(() => hears730(listener.received, 'PCMU'), { timeout: 4000 }).toBeGreaterThan(1500);
  expect(control.view).toMatchObject({ transfer: { state: 'connected' }, listeners: [{ state: 'listening' }] });

  talk.say('以后不要再给我打电话了');
  await expect.poll(() => agent.text).toContain('不要再给我打电话');
  await expect.poll(() => isSuppressed(database.db, PHONE), { timeout: 5000 }).toBe(true);
  expect(control.view.transfer).toMatchObject({ state: 'connected' });
  agent.incoming.hangup();
  expect(await talk.ended).toMatchObject({ by: 'callee', cause: 'bye' });
  expect(await listener.ended).toMatchObject({ cause: 'bye' });
  await recorded.promise;
  const call = await getCall(database.db, await id.promise);
  expect(call).toMatchObject({
    direction: 'inbound',
    outcome: 'answered',
    grade: 'E',
    optedOut: true,
    transfer: { kind: 'attended', result: 'connected' },
  });
  expect(call.turns.at(-1)).toMatchObject({ speaker: 'platform' });
  await expect.poll(() => inbound.sip.load.calls).toBe(0);
});
