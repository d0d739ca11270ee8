import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { CampaignDefaults, ScriptSummary } from '#domain/api.ts';
import type { ScriptId } from '#domain/ids.ts';
import { defaultSettings, defaultWindows } from '#campaigns/settings.ts';
import { list, loadDraft } from '#dialog/store.ts';
import type { ApiContext } from '../context.ts';
import { answers, idParams } from '../schema/basic.ts';
import { campaignDefaults, scriptSummary, trunkSummary } from '../schema/campaign.ts';

/** Scripts to choose from, and what the campaign wizard starts with. */
export function scriptRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/api/scripts',
    { schema: { tags: ['scripts'], summary: 'List scripts', response: answers({ 200: Type.Array(scriptSummary) }) } },
    async (): Promise<readonly ScriptSummary[]> => list(context.db),
  );

  app.get<{ Params: { id: ScriptId } }>(
    '/api/scripts/:id',
    { schema: { tags: ['scripts'], summary: "A script's draft, by script.schema.json", params: idParams } },
    async (request) => loadDraft(context.db, request.params.id),
  );

  app.get(
    '/api/trunks',
    {
      schema: {
        tags: ['trunks'],
        summary: 'Trunks and their groups with how they fare',
        response: answers({ 200: Type.Array(trunkSummary) }),
      },
    },
    () => context.trunks,
  );

  app.get(
    '/api/defaults',
    {
      schema: {
        tags: ['campaigns'],
        summary: 'What a new campaign starts from',
        response: answers({ 200: campaignDefaults }),
      },
    },
    (): CampaignDefaults => ({
      windows: defaultWindows(),
      settings: defaultSettings(context.trunks[0]),
      trunks: context.trunks,
    }),
  );
}
