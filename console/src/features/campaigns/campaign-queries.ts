import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { CampaignDefaults, CampaignView, LeadView, Page, ScriptSummary } from '#domain/api.ts';
import { request } from '../../api/request.ts';
import { queryString } from '../../api/query-string.ts';

/** A list that shows progress is fetched again this often. */
const LIST_POLL_MS = 3000;

/** All campaigns, newest first, kept fresh while it is looked at. */
export const campaignListQuery = queryOptions({
  queryKey: ['campaigns'],
  queryFn: ({ signal }) => request<readonly CampaignView[]>('/api/campaigns', { signal }),
  refetchInterval: LIST_POLL_MS,
});

/** Which leads the list shows. */
export interface LeadFilter {
  readonly state?: string;
  readonly outcome?: string;
  readonly grade?: string;
  readonly search?: string;
}

/** The leads of a campaign; polled while `live`. */
export function leadsQuery(campaignId: string, filter: LeadFilter, live: boolean) {
  return infiniteQueryOptions({
    queryKey: ['leads', campaignId, filter],
    queryFn: ({ signal, pageParam }) =>
      request<Page<LeadView>>(
        `/api/campaigns/${campaignId}/leads${queryString({ ...filter, cursor: pageParam, limit: '50' })}`,
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    refetchInterval: live ? LIST_POLL_MS : false,
  });
}

/** The scripts there are. */
export const scriptsQuery = queryOptions({
  queryKey: ['scripts'],
  queryFn: ({ signal }) => request<readonly ScriptSummary[]>('/api/scripts', { signal }),
});

/** What the wizard starts from. */
export const defaultsQuery = queryOptions({
  queryKey: ['defaults'],
  queryFn: ({ signal }) => request<CampaignDefaults>('/api/defaults', { signal }),
});
