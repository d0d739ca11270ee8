import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { CAMPAIGN_STATES } from '#domain/campaign.ts';
import { HOLD_REASONS, LEAD_STATES } from '#domain/contact.ts';
import { holdReason } from './lead-state.ts';

const NOW = new Date('2026-01-05T02:00:00Z');
const moment = {
  campaignState: 'running',
  leadState: 'waiting',
  reason: 'outside-window',
  nextAttemptAt: new Date('2026-01-05T03:00:00Z'),
  openCalls: 0,
  maxConcurrentCalls: 2,
  now: NOW,
} as const;

it('keeps the reason of a wait until its time has come', () => {
  expect(holdReason(moment)).toBe('outside-window');
  expect(holdReason({ ...moment, now: moment.nextAttemptAt })).toBe('due');
});

it('says that the campaign holds a lead before it says anything else', () => {
  expect(holdReason({ ...moment, campaignState: 'paused' })).toBe('campaign-not-running');
  expect(holdReason({ ...moment, campaignState: 'cancelled' })).toBe('cancelled');
});

it('blames the lines when a due lead finds all of them busy', () => {
  expect(holdReason({ ...moment, nextAttemptAt: NOW, openCalls: 2 })).toBe('concurrency-limit');
  expect(holdReason({ ...moment, nextAttemptAt: NOW, hold: 'platform-busy' })).toBe('platform-busy');
});

it('says due only of a lead that nothing holds, for every combination', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CAMPAIGN_STATES),
      fc.constantFrom(...LEAD_STATES),
      fc.constantFrom(...HOLD_REASONS.filter((reason) => reason !== 'due')),
      fc.integer({ min: -10, max: 10 }),
      fc.integer({ min: 0, max: 4 }),
      (campaignState, leadState, reason, dueInS, openCalls) => {
        const nextAttemptAt = new Date(NOW.getTime() + dueInS * 1000);
        const said = holdReason({ ...moment, campaignState, leadState, reason, nextAttemptAt, openCalls });
        const free =
          campaignState === 'running' &&
          (leadState === 'pending' || leadState === 'waiting') &&
          dueInS <= 0 &&
          openCalls < 2;
        expect(said === 'due').toBe(free);
      },
    ),
  );
});
