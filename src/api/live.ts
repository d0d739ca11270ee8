import type { FastifyInstance } from 'fastify';
import type { CallSummary, LiveMessage } from '#domain/api.ts';
import type { CampaignId } from '#domain/ids.ts';
import { viewCampaign } from '#campaigns/view.ts';
import { summariesOf } from '#outcomes/calls.ts';
import type { ApiContext } from './context.ts';
import { findSession } from './users.ts';
import { SESSION_COOKIE } from './auth.ts';
import type { LiveCalls } from './live-calls.ts';

/** Changes are gathered this long, so that a page is at most this much behind and never flooded. */
const GATHER_MS = 250;
const PING_MS = 25_000;
/** A page that does not read falls behind by at most this much, then it is dropped and connects again. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** WebSocket /api/live?campaign=ID, as `LiveMessage` in domain/api.ts. */
export function liveRoute(app: FastifyInstance, context: ApiContext, calls: LiveCalls): void {
  app.get<{ Querystring: { campaign: string } }>(
    '/api/live',
    {
      websocket: true,
      schema: {
        hide: true,
        querystring: { type: 'object', required: ['campaign'], properties: { campaign: { type: 'string' } } },
      },
    },
    (socket, request) => {
      const campaignId = request.query.campaign as CampaignId;
      let ended: string[] = [];
      let gathering: ReturnType<typeof setTimeout> | undefined;
      let sending = false;
      let again = false;
      let closed = false;

      const send = async (type: LiveMessage['type']): Promise<void> => {
        const ids = ended;
        ended = [];
        const campaign = await viewCampaign(context.db, campaignId, context.clock.now());
        const summaries: readonly CallSummary[] = type === 'snapshot' ? [] : await summariesOf(context.db, ids);
        if (closed) return;
        if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
          socket.close(1013, 'too slow');
          return;
        }
        const at = context.clock.now().toISOString();
        const live = calls.ofCampaign(campaignId);
        const message: LiveMessage =
          type === 'snapshot'
            ? { type, campaign, calls: live, at }
            : { type, campaign, calls: live, ended: summaries, at };
        socket.send(JSON.stringify(message));
      };
      const flush = (): void => {
        gathering = undefined;
        if (sending) {
          again = true;
          return;
        }
        sending = true;
        send('change')
          .catch((error: unknown) => {
            context.log.warn({ err: error }, 'live page could not be updated');
            socket.close(1011);
          })
          .finally(() => {
            sending = false;
            if (again && !closed) {
              again = false;
              changed();
            }
          });
      };
      const changed = (): void => {
        if (!closed) gathering ??= setTimeout(flush, GATHER_MS);
      };
      const mine = (event: { readonly campaignId: string | undefined }): void => {
        if (event.campaignId === campaignId) changed();
      };
      const subscriptions = [
        context.bus.subscribe('call-state', mine),
        context.bus.subscribe('lead-changed', mine),
        context.bus.subscribe('campaign-changed', mine),
        context.bus.subscribe('call-recorded', (event) => {
          if (event.campaignId !== campaignId) return;
          ended.push(event.attemptId);
          changed();
        }),
      ];
      const ping = setInterval(() => {
        socket.ping();
        const token = request.cookies[SESSION_COOKIE];
        if (token === undefined) return;
        void findSession(context.db, token, context.clock.now())
          .then((session) => session ?? socket.close(4401, 'signed out'))
          .catch(() => undefined);
      }, PING_MS);
      socket.on('close', () => {
        closed = true;
        clearTimeout(gathering);
        clearInterval(ping);
        for (const unsubscribe of subscriptions) unsubscribe();
      });
      send('snapshot').catch(() => socket.close(4404, 'no such campaign'));
    },
  );
}
