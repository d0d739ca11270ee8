import { describe, expect, it } from 'vitest';
import type { CallSummary, CampaignView, LiveMessage } from '#domain/api.ts';
import { LIVE_START, nextLive, reconnectDelayMs } from './live-state.ts';

const campaign = { id: 'c', name: 'n' } as CampaignView;
const ended = (id: string): CallSummary => ({ id }) as CallSummary;
const change = (...ids: readonly string[]): LiveMessage => ({
  type: 'change',
  campaign,
  calls: [],
  ended: ids.map(ended),
  at: '2026-01-05T10:00:01.000Z',
});
const snapshot: LiveMessage = { type: 'snapshot', campaign, calls: [], at: '2026-01-05T10:00:01.000Z' };
const nowMs = Date.UTC(2026, 0, 5, 10);

describe('live page', () => {
  it('opens with the snapshot and learns the server’s clock', () => {
    const state = nextLive(LIVE_START, { type: 'message', message: snapshot, nowMs });
    expect(state).toMatchObject({ connection: 'open', campaign, skewMs: 1000, failures: 0 });
  });

  it('lists ended calls newest first, each once, and not without end', () => {
    let state = nextLive(LIVE_START, { type: 'message', message: change('1', '2'), nowMs });
    state = nextLive(state, { type: 'message', message: change('2', '3'), nowMs });
    expect(state.ended.map(({ id }) => id)).toEqual(['3', '2', '1']);
    const many = Array.from({ length: 80 }, (_, index) => `m${index}`);
    state = nextLive(state, { type: 'message', message: change(...many), nowMs });
    expect(state.ended).toHaveLength(50);
    expect(state.ended[0]?.id).toBe('m79');
  });

  it('keeps its figures while the connection is lost and the ended calls when it is back', () => {
    let state = nextLive(LIVE_START, { type: 'message', message: change('1'), nowMs });
    state = nextLive(state, { type: 'closed', code: 1006 });
    expect(state).toMatchObject({ connection: 'lost', campaign, failures: 1 });
    state = nextLive(state, { type: 'message', message: snapshot, nowMs });
    expect(state.connection).toBe('open');
    expect(state.ended.map(({ id }) => id)).toEqual(['1']);
  });

  it('gives up where there is no such campaign', () => {
    expect(nextLive(LIVE_START, { type: 'closed', code: 4404 }).connection).toBe('gone');
  });

  it('waits longer after each failure, but never long', () => {
    expect([1, 2, 3, 9].map(reconnectDelayMs)).toEqual([500, 1000, 2000, 10_000]);
  });
});
