import type { FastifyInstance } from 'fastify';
import type { CampaignId } from '#domain/ids.ts';
import type { ApiContext } from './context.ts';
import { SESSION_COOKIE } from './auth.ts';
import type { LiveCalls } from './live-calls.ts';
import { LivePage } from './live-page.ts';
import { findSession } from './sessions.ts';

/** WebSocket /api/live?campaign=ID, as `LiveMessage` in domain/api.ts. */
export function liveRoute(app: FastifyInstance, context: ApiContext, calls: LiveCalls): void {
  app.get<{ Querystring: { campaign: string } }>(
    '/api/live',
    {
      websocket: true,
      schema: {
        hide: true,
        querystring: {
          type: 'object',
          required: ['campaign'],
          properties: { campaign: { type: 'string', maxLength: 64 } },
        },
      },
    },
    (socket, request) => {
      const token = request.cookies[SESSION_COOKIE];
      const { session } = request;
      const page = new LivePage({
        context,
        calls,
        socket,
        campaignId: request.query.campaign as CampaignId,
        expiresAt: session === undefined ? undefined : new Date(session.expiresAt),
        isSignedIn: async () =>
          session === undefined ||
          (token !== undefined && (await findSession(context.db, token, context.clock.now())) !== undefined),
      });
      page.start();
    },
  );
}
