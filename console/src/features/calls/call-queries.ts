import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { CallSummary, CallView, LiveCall, Page } from '#domain/api.ts';
import { queryString } from '../../api/query-string.ts';
import { request, requestWithStatus } from '../../api/request.ts';
import { callQuery } from './call-search.ts';
import type { CallSearch } from './call-search.ts';

const LIVE_POLL_MS = 2000;

/** Calls of a filter, newest first. */
export function callListQuery(search: CallSearch) {
  return infiniteQueryOptions({
    queryKey: ['calls', search],
    queryFn: ({ signal, pageParam }) =>
      request<Page<CallSummary>>(`/api/calls${queryString({ ...callQuery(search), cursor: pageParam, limit: 50 })}`, {
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
  });
}

/** A call that is over, or one that still goes on. */
export type CallOrLive =
  | { readonly kind: 'over'; readonly call: CallView }
  | { readonly kind: 'live'; readonly call: LiveCall };

/** One call; while it goes on it is asked for again. */
export function callQueryOf(id: string) {
  return queryOptions({
    queryKey: ['call', id],
    queryFn: async ({ signal }): Promise<CallOrLive> => {
      const { status, body } = await requestWithStatus(`/api/calls/${encodeURIComponent(id)}`, { signal });
      return status === 202 ? { kind: 'live', call: body as LiveCall } : { kind: 'over', call: body as CallView };
    },
    refetchInterval: (query) => (query.state.data?.kind === 'live' ? LIVE_POLL_MS : false),
  });
}
