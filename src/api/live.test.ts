import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { LiveMessage } from '#domain/api.ts';
import type { Campaign } from '#domain/campaign.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { CallStateEvent } from '#platform/bus-events.ts';
import { newId } from '#platform/id.ts';
import { testApi } from '../../test/support/api.ts';
import type { TestApi } from '../../test/support/api.ts';
import { seedCall } from '../../test/support/calls.ts';
import { seedCampaign } from '../../test/support/campaign.ts';
import { SESSION_MS } from './sessions.ts';

let api: TestApi;
let directory: string;
let campaign: Campaign;
let port: number;

beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'waihu-api-'));
  api = await testApi({ directory });
  campaign = await seedCampaign(api.database.db, api.bus, { count: 2, now: api.clock.now() });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  port = (api.app.server.address() as { port: number }).port;
});
afterEach(async () => {
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Page {
  readonly socket: WebSocket;
  /** The next message, in order. */
  next(): Promise<LiveMessage>;
  readonly waiting: () => number;
  readonly closed: Promise<number>;
}

async function open(o: { cookie?: string; origin?: string; campaign?: string } = {}): Promise<Page> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live?campaign=${o.campaign ?? campaign.id}`, {
    headers: { cookie: o.cookie ?? (await api.signIn('viewer')), origin: o.origin ?? `http://127.0.0.1:${port}` },
  });
  const messages: LiveMessage[] = [];
  const readers: ((message: LiveMessage) => void)[] = [];
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as LiveMessage;
    const reader = readers.shift();
    if (reader === undefined) messages.push(message);
    else reader(message);
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await once(socket, 'open');
  return {
    socket,
    closed,
    waiting: () => messages.length,
    next: () => {
      const message = messages.shift();
      return message === undefined ? new Promise((resolve) => readers.push(resolve)) : Promise.resolve(message);
    },
  };
}

function callState(o: Partial<CallStateEvent> = {}): CallStateEvent {
  return {
    attemptId: newId<'attempt'>(api.clock.now()),
    direction: 'outbound',
    campaignId: campaign.id,
    leadId: undefined,
    phone: '+8613800000000' as PhoneNumber,
    name: '王女士',
    state: 'talking',
    lastText: '您好',
    at: api.clock.now(),
    ...o,
  };
}

/** Reads the snapshot and lets the page finish with it. */
async function settled(page: Page): Promise<void> {
  await page.next();
  await new Promise((resolve) => setImmediate(resolve));
}

test('a page gets a snapshot, then a change within 250 ms of an event, with calls and what has ended', async () => {
  const page = await open();
  const snapshot = await page.next();
  expect(snapshot).toMatchObject({ type: 'snapshot', calls: [], campaign: { id: campaign.id, state: 'running' } });
  const event = callState();
  api.bus.publish('call-state', event);
  api.clock.advance(250);
  const change = await page.next();
  expect(change).toMatchObject({
    type: 'change',
    ended: [],
    calls: [{ id: event.attemptId, state: 'talking', phone: '+86138****0000', lastText: '您好' }],
  });
  api.bus.publish('call-state', { ...event, state: 'ended' });
  await seedCall(api.database.db, {
    at: api.clock.now(),
    bus: api.bus,
    attempt: { id: event.attemptId, campaignId: campaign.id },
  });
  api.clock.advance(250);
  const last = await page.next();
  expect(last).toMatchObject({ type: 'change', calls: [], ended: [{ id: event.attemptId, outcome: 'answered' }] });
});

test('many events make one message each 250 ms, and other campaigns none', async () => {
  const page = await open();
  await settled(page);
  for (let i = 0; i < 500; i++) api.bus.publish('lead-changed', { campaignId: campaign.id, leadId: newId<'lead'>() });
  api.clock.advance(249);
  for (let i = 0; i < 500; i++) api.bus.publish('call-state', callState());
  api.clock.advance(1);
  const change = await page.next();
  expect(change.calls).toHaveLength(500);
  api.bus.publish('call-state', callState({ campaignId: newId<'campaign'>() }));
  api.clock.advance(5000);
  api.bus.publish('campaign-changed', { campaignId: campaign.id });
  api.clock.advance(250);
  expect((await page.next()).type).toBe('change');
  expect(page.waiting()).toBe(0);
});

test('only our own pages of someone signed in may listen', async () => {
  const status = async (headers: Record<string, string>) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live?campaign=${campaign.id}`, { headers });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    socket.on('error', () => undefined);
    socket.terminate();
    return response.statusCode;
  };
  const cookie = await api.signIn('viewer');
  expect(await status({ cookie, origin: 'https://evil.example' })).toBe(403);
  expect(await status({ cookie, origin: 'null' })).toBe(403);
  expect(await status({ origin: `http://127.0.0.1:${port}` })).toBe(401);
  expect(await (await open({ campaign: 'none' })).closed).toBe(4404);
});

test('a page closes with 4401 at the moment its session runs out', async () => {
  const cookie = await api.signIn('viewer');
  api.clock.advance(SESSION_MS - 1000);
  const page = await open({ cookie });
  await page.next();
  api.clock.advance(1000);
  expect(await page.closed).toBe(4401);
});

test('a page closes with 4401 after a sign-out elsewhere, at the next change or ping', async () => {
  const [one, two] = [await open(), await open()];
  await settled(one);
  await settled(two);
  await sql`DELETE FROM sessions`.execute(api.database.db);
  api.bus.publish('campaign-changed', { campaignId: campaign.id });
  api.clock.advance(250);
  expect(await one.closed).toBe(4401);
  expect(await two.closed).toBe(4401);
  const three = await open();
  await settled(three);
  await sql`DELETE FROM sessions`.execute(api.database.db);
  api.clock.advance(25_000);
  expect(await three.closed).toBe(4401);
});

test('a page that answers no ping is dropped', async () => {
  const page = await open();
  await page.next();
  page.socket.pause();
  api.clock.advance(25_000);
  api.clock.advance(25_000);
  page.socket.resume();
  expect([1005, 1006]).toContain(await page.closed);
});

test('a page that does not read is dropped, and nothing of it stays subscribed', async () => {
  const page = await open();
  await settled(page);
  page.socket.pause();
  // Fewer than bring the second ping, which would drop the page for another reason.
  const MAX_CHANGES = 190;
  let asked = 0;
  const views = api.app.websocketServer.clients;
  expect(views.size).toBe(1);
  const [view] = views;
  let handled = Promise.withResolvers<void>();
  const send = view!.send.bind(view) as (...parameters: unknown[]) => void;
  view!.send = (...parameters: unknown[]): void => {
    send(...parameters);
    handled.resolve();
  };
  view!.once('close', () => handled.resolve());
  for (let i = 0; i < 2000; i++) api.bus.publish('call-state', callState({ lastText: '长'.repeat(60) }));
  for (; asked < MAX_CHANGES && views.size > 0; asked++) {
    handled = Promise.withResolvers();
    api.bus.publish('campaign-changed', { campaignId: campaign.id });
    api.clock.advance(250);
    await handled.promise;
    // The page is ready for the next change only behind the turn in which it sent this one.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(views.size).toBe(0);
  page.socket.terminate();
});

test('closing the server says goodbye to pages and waits for none that is silent', async () => {
  const [good, silent] = [await open(), await open()];
  await good.next();
  await silent.next();
  silent.socket.pause();
  const startMs = performance.now();
  await api.app.close();
  expect(await good.closed).toBe(1001);
  expect(performance.now() - startMs).toBeLessThan(5000);
  expect(api.app.websocketServer.clients.size).toBeLessThanOrEqual(1);
  silent.socket.terminate();
});

test('a page that goes takes its subscriptions with it', async () => {
  let subscribed = 0;
  const subscribe = api.bus.subscribe.bind(api.bus);
  api.bus.subscribe = (topic, handler) => {
    subscribed++;
    const stop = subscribe(topic, handler);
    return () => {
      subscribed--;
      stop();
    };
  };
  const pages = [await open(), await open()];
  for (const page of pages) await page.next();
  expect(subscribed).toBe(8);
  for (const page of pages) page.socket.close();
  await expect.poll(() => subscribed).toBe(0);
});
