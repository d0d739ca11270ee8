import type { CampaignAction, CampaignView } from '#domain/api.ts';
import type { CampaignState } from '#domain/campaign.ts';

/** How far a campaign is. */
export interface CampaignProgress {
  readonly total: number;
  readonly done: number;
  /** 0–1; 0 for a campaign without leads. */
  readonly ratio: number;
}

/** Counts the leads that need no further call. */
export function progressOf({ counts }: Pick<CampaignView, 'counts'>): CampaignProgress {
  const total = Object.values(counts.leads).reduce((sum, count) => sum + count, 0);
  const { done } = counts.leads;
  return { total, done, ratio: total === 0 ? 0 : done / total };
}

const ACTIONS: Readonly<Record<CampaignState, readonly CampaignAction['action'][]>> = {
  draft: ['start', 'cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  finished: [],
  cancelled: [],
};

/** What can be done with a campaign in a state. */
export function actionsOf(state: CampaignState): readonly CampaignAction['action'][] {
  return ACTIONS[state];
}
