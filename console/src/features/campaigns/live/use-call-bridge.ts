import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { CallBridgeView } from '#domain/api.ts';
import { askAgain } from '../../../api/ask-again.ts';
import { ApiFailure, request } from '../../../api/request.ts';
import { requestOf } from './call-acts.ts';
import type { CallAct } from './call-acts.ts';

/** Ringing and answers of a second call are shown about this late. */
const LOOK_MS = 1000;

const keyOf = (callId: string) => ['bridge', callId] as const;

/** Whether nobody talks on the call any more. */
export function isCallOver(error: unknown): boolean {
  return error instanceof ApiFailure && error.status === 404;
}

/** Who takes part in a call under way, asked for again while it is shown. */
export function useCallBridge(callId: string) {
  return useQuery({
    queryKey: keyOf(callId),
    queryFn: ({ signal }) => request<CallBridgeView>(`/api/calls/${encodeURIComponent(callId)}/bridge`, { signal }),
    staleTime: 0,
    gcTime: 0,
    refetchInterval: ({ state }) => (isCallOver(state.error) ? false : LOOK_MS),
  });
}

/** Does something to a call under way; what comes of it is shown by `useCallBridge`. */
export function useCallAct(callId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (act: CallAct) => {
      const { path, ...init } = requestOf(callId, act);
      return request<unknown>(path, init);
    },
    onSettled: () => askAgain(client, keyOf(callId)),
  });
}
