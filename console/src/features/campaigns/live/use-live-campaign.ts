import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer } from 'react';
import type { LiveMessage } from '#domain/api.ts';
import { sessionQuery } from '../../session/session-query.ts';
import { LIVE_START, nextLive, reconnectDelayMs } from './live-state.ts';
import type { LiveState } from './live-state.ts';

/** Keeps a campaign on screen as it is, over a WebSocket that connects again by itself. */
export function useLiveCampaign(campaignId: string): LiveState {
  const [state, dispatch] = useReducer(nextLive, LIVE_START);
  const client = useQueryClient();
  useEffect(() => {
    let socket: WebSocket | undefined;
    let timer: number | undefined;
    let failures = 0;
    let left = false;
    const connect = (): void => {
      const url = new URL('/api/live', window.location.href);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      url.searchParams.set('campaign', campaignId);
      socket = new WebSocket(url);
      socket.addEventListener('message', (event: MessageEvent<string>) => {
        failures = 0;
        dispatch({ type: 'message', message: JSON.parse(event.data) as LiveMessage, nowMs: Date.now() });
      });
      socket.addEventListener('close', ({ code }) => {
        if (left) return;
        failures++;
        dispatch({ type: 'closed', code });
        if (code === 4404) return;
        // A refused upgrade looks like any failed connection; asking for the session finds out and leads to the sign-in.
        void client.refetchQueries({ queryKey: sessionQuery.queryKey });
        timer = window.setTimeout(connect, reconnectDelayMs(failures));
      });
    };
    connect();
    return () => {
      left = true;
      window.clearTimeout(timer);
      socket?.close();
    };
  }, [campaignId, client]);
  return state;
}
