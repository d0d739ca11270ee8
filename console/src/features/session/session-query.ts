import { queryOptions } from '@tanstack/react-query';
import type { SessionView } from '#domain/api.ts';
import { request } from '../../api/request.ts';

/** Who is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => request<SessionView>('/api/session', { signal }),
  staleTime: 60_000,
});
