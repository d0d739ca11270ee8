import type { CampaignCounts } from '#domain/api.ts';
import type { CampaignId } from '#domain/ids.ts';
import type { Clock } from '#platform/clock.ts';
import { countCampaign } from '#campaigns/view.ts';
import { getCampaign } from '#campaigns/store.ts';
import type { Platform } from '../runtime/platform.ts';

/** Progress is looked up at most this often. */
const LOOK_MS = 500;

/** Resolves when the campaign has finished or `signal` aborts; reports progress on the way. */
export async function watchCampaign(
  platform: Platform,
  o: {
    readonly campaignId: CampaignId;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onProgress: (counts: CampaignCounts, live: number, most: number) => void;
  },
): Promise<{ readonly finished: boolean; readonly maxConcurrentCalls: number }> {
  const live = new Set<string>();
  let most = 0;
  const done = Promise.withResolvers<boolean>();
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const campaign = await getCampaign(platform.database.db, o.campaignId);
      o.onProgress(await countCampaign(platform.database.db, campaign, o.clock.now()), live.size, most);
      if (campaign.state === 'finished' || campaign.state === 'cancelled') done.resolve(true);
    } finally {
      looking = false;
    }
  };
  const unsubscribe = platform.bus.subscribe('call-state', (event) => {
    if (event.campaignId !== o.campaignId) return;
    if (event.state === 'ended') live.delete(event.attemptId);
    else live.add(event.attemptId);
    most = Math.max(most, live.size);
  });
  const onAbort = (): void => done.resolve(false);
  o.signal.addEventListener('abort', onAbort, { once: true });
  const timer = setInterval(() => void look().catch((error: unknown) => done.reject(error)), LOOK_MS);
  try {
    const finished = o.signal.aborted ? false : await done.promise;
    return { finished, maxConcurrentCalls: most };
  } finally {
    clearInterval(timer);
    unsubscribe();
    o.signal.removeEventListener('abort', onAbort);
  }
}
