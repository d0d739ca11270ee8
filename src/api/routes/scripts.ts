import type { FastifyInstance } from 'fastify';
import type { CampaignDefaults, ScriptSummary } from '#domain/api.ts';
import type { ScriptId } from '#domain/ids.ts';
import { defaultSettings, defaultWindows } from '#campaigns/settings.ts';
import { list, loadDraft } from '#dialog/store.ts';
import type { ApiContext } from '../context.ts';

/** Scripts to choose from, and what the campaign wizard starts with. */
export function scriptRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get('/api/scripts', { schema: { tags: ['scripts'] } }, async (): Promise<readonly ScriptSummary[]> =>
    list(context.db),
  );

  app.get<{ Params: { id: string } }>('/api/scripts/:id', { schema: { tags: ['scripts'] } }, async (request) =>
    loadDraft(context.db, request.params.id as ScriptId),
  );

  app.get('/api/trunks', { schema: { tags: ['trunks'] } }, () => context.trunks);

  app.get('/api/defaults', { schema: { tags: ['campaigns'] } }, (): CampaignDefaults => ({
    windows: defaultWindows(),
    settings: defaultSettings(context.trunks[0]),
    trunks: context.trunks,
  }));
}
