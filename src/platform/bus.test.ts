import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { CampaignId } from '#domain/ids.ts';
import { openBus } from './bus.ts';
import { newId } from './id.ts';
import { createLog, silentLog } from './log.ts';

const campaignId: CampaignId = newId<'campaign'>();

test('subscribers of the topic get each event in order until they unsubscribe', () => {
  const bus = openBus(silentLog);
  const heard: string[] = [];
  const stopFirst = bus.subscribe('campaign-changed', () => void heard.push('first'));
  bus.subscribe('campaign-changed', (event) => void heard.push(event.campaignId));
  bus.subscribe('call-recorded', () => void heard.push('other topic'));
  bus.publish('campaign-changed', { campaignId });
  stopFirst();
  bus.publish('campaign-changed', { campaignId });
  expect(heard).toEqual(['first', campaignId, campaignId]);
});

test('a subscriber that throws or rejects is logged and harms nobody', async () => {
  const destination = new PassThrough();
  const bus = openBus(createLog({ level: 'info', destination }));
  const heard: string[] = [];
  bus.subscribe('campaign-changed', () => {
    throw new Error('thrown');
  });
  bus.subscribe('campaign-changed', () => Promise.reject(new Error('rejected')));
  bus.subscribe('campaign-changed', () => void heard.push('reached'));
  bus.publish('campaign-changed', { campaignId });
  await new Promise((resolve) => setImmediate(resolve));
  destination.end();
  const logged = await text(destination);
  expect(heard).toEqual(['reached']);
  expect(logged).toContain('thrown');
  expect(logged).toContain('rejected');
});

test('a request reaches the one who replies, with faults passed on', async () => {
  const bus = openBus(silentLog);
  await expect(bus.request('live-calls', { campaignId })).rejects.toMatchObject({ code: 'unavailable' });
  const withdraw = bus.reply('live-calls', (request) => {
    expect(request.campaignId).toBe(campaignId);
    return [];
  });
  expect(() => bus.reply('live-calls', () => [])).toThrow(expect.objectContaining({ code: 'conflict' }));
  expect(await bus.request('live-calls', { campaignId })).toEqual([]);
  withdraw();
  bus.reply('live-calls', () => Promise.reject(new Error('theirs')));
  await expect(bus.request('live-calls', { campaignId })).rejects.toThrow('theirs');
});
