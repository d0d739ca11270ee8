import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { secondCalls } from '#bin/runtime/second-calls.ts';
import { plainRoute } from '#calls/trunk-route.ts';
import { Lines } from '#dialer/lines.ts';
import { openSingleAttempt } from '#dialer/single-attempt.ts';
import { systemClock } from '#platform/clock.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { openCallee, type CalleeCall, type TestCallee } from '../support/callee.ts';
import { openTestCenter, shortScript, type TestCenter } from '../support/call-center.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { dialTrunk } from '../support/dial-trunk.ts';

let database: TestDatabase;
let domestic: TestCallee;
let abroad: TestCallee;
let center: TestCenter;

beforeAll(async () => {
  database = await testDatabase();
  domestic = await openCallee({ rtp: { first: 27_780, last: 27_795 }, codecs: ['PCMA'] });
  abroad = await openCallee({ rtp: { first: 27_796, last: 27_811 }, codecs: ['PCMU'] });
  // `test` is the trunk of the call, which takes numbers of one country alone; the other one of its group takes the rest.
  const lines = [
    dialTrunk({ name: 'test', group: 'g', channels: 9, callsPerSecond: 50, takes: /^\+86/u }),
    dialTrunk({
      name: 'abroad',
      group: 'g',
      channels: 1,
      callsPerSecond: 50,
      takes: /^\+44/u,
      callerNumber: () => '+442000000000',
    }),
  ].map((trunk) => new Lines(trunk));
  const numbers = { format: 'e164', stripPrefix: undefined, addPrefix: '00' } as const;
  const server = { host: '127.0.0.1', port: abroad.port };
  center = await openTestCenter({
    trunkPort: domestic.port,
    routes: [plainRoute('abroad', server, { codecs: ['PCMU'], numbers })],
    rtp: { first: 27_812, last: 27_827 },
    takeLine: (find) =>
      secondCalls({
        db: database.db,
        clock: systemClock,
        log: silentLog,
        random: Math.random,
        lines: () => lines,
        trunks: { find },
      }),
  });
});
afterAll(async () => {
  await center.close();
  await domestic.close();
  await abroad.close();
  await database.close();
});

async function talk() {
  const answered = Promise.withResolvers<CalleeCall>();
  domestic.onCall = (call, take) => (take(), answered.resolve(call));
  const script = shortScript({ noReply: { waitMs: 20_000, reprompts: 3, hangupMs: 20_000 } });
  const { attempt, observer, done } = center.call('+8613800000001', { script });
  await openSingleAttempt(database.db, attempt, { nodeId: newId<'node'>(), channels: 9 });
  const call = await answered.promise;
  await observer.until(() => observer.said.length > 0);
  const second = async (): Promise<unknown> => {
    const { rows } = await sql<{ second_trunks: string[] }>`
      SELECT second_trunks FROM attempts WHERE id = ${attempt.id}::uuid`.execute(database.db);
    return rows[0]?.second_trunks;
  };
  return { call, control: center.center.control(attempt.id)!, observer, done, second };
}

it('hands a call over to a number that its own trunk does not take, as the other trunk of the group wants it', async () => {
  const reached = Promise.withResolvers<CalleeCall>();
  abroad.onCall = (call, take) => (take(), reached.resolve(call));
  const { call, control, done, second } = await talk();
  control.transfer({ kind: 'attended', target: '+442079460000' }, 'test');
  const { incoming } = await reached.promise;
  expect([incoming.to, incoming.from].map((uri) => /sip:([^@]*)@/.exec(uri)?.[1])).toEqual([
    '00442079460000',
    '442000000000',
  ]);
  await expect.poll(() => control.view.transfer?.state).toBe('connected');
  expect(await second()).toEqual(['abroad']);
  // Its one channel is in use.
  control.listen({ target: '+442079460001', role: 'monitor' }, 'test');
  await expect.poll(() => control.view.listeners).toEqual([]);
  call.incoming.hangup();
  expect(await done).toMatchObject({
    transfer: { result: 'connected' },
    legs: [{ role: 'agent', media: { codec: 'PCMU' } }],
  });
  await expect.poll(second).toEqual([]);
});

it('says by name that no trunk takes the number, and the script goes on', async () => {
  const { call, control, observer, done } = await talk();
  control.transfer({ kind: 'attended', target: '+12125550100' }, 'test');
  await observer.until(() => observer.said.some(({ text }) => text.includes('没有接通')));
  call.incoming.hangup();
  expect(await done).toMatchObject({ transfer: { result: 'no-trunk', talkMs: 0 } });
});
