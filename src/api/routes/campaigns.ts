import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { CampaignAction, CampaignView, LeadView, NewCampaign, Page } from '#domain/api.ts';
import { LEAD_STATES } from '#domain/contact.ts';
import type { CampaignId, ImportId, ScriptId } from '#domain/ids.ts';
import { GRADES, OUTCOME_CODES } from '#domain/outcome.ts';
import { validateSettings } from '#campaigns/settings.ts';
import { addLeadsFromImport, changeState, createCampaign, listCampaigns } from '#campaigns/store.ts';
import { listLeads, viewCampaign, viewCampaigns } from '#campaigns/view.ts';
import type { LeadFilter } from '#campaigns/view.ts';
import { audit } from '#compliance/audit.ts';
import { getImport } from '#leads/store.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import type { Problem } from '#platform/error.ts';
import { actorOf, requireRole } from '../auth.ts';
import { committed } from '../committed.ts';
import { trunkHeld } from '../context.ts';
import type { ApiContext } from '../context.ts';
import { answers, idParams, limit, oneOf, pageOf, uuid } from '../schema/basic.ts';
import { campaignAction, campaignView, leadView, newCampaign } from '../schema/campaign.ts';

const leadQuery = Type.Object({
  state: Type.Optional(oneOf(LEAD_STATES)),
  outcome: Type.Optional(oneOf(OUTCOME_CODES)),
  grade: Type.Optional(oneOf(GRADES)),
  search: Type.Optional(Type.String({ maxLength: 100 })),
  cursor: Type.Optional(uuid),
  limit: Type.Optional(limit),
});
const tags = ['campaigns'];

/** Campaigns, their states and their leads. */
export function campaignRoutes(app: FastifyInstance, context: ApiContext): void {
  const { db, clock } = context;
  const held = trunkHeld(context);

  app.get(
    '/api/campaigns',
    { schema: { tags, summary: 'The newest 100 campaigns', response: answers({ 200: Type.Array(campaignView) }) } },
    async (): Promise<readonly CampaignView[]> => viewCampaigns(db, await listCampaigns(db), clock.now(), held),
  );

  app.post<{ Body: NewCampaign }>(
    '/api/campaigns',
    {
      schema: {
        tags,
        summary: 'Make a draft with the leads of imports: all of it or nothing',
        body: newCampaign,
        response: answers({ 201: campaignView }),
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const { name, scriptId, importIds } = request.body;
      const settings = validateSettings(request.body.settings, { trunks: context.trunks });
      const now = clock.now();
      const id = await committed(context, async (transaction, bus) => {
        await requireImports(transaction, importIds);
        const draft = await createCampaign(transaction, { name, scriptId: scriptId as ScriptId, settings, now });
        for (const importId of importIds as readonly ImportId[])
          await addLeadsFromImport(transaction, bus, { campaignId: draft.id, importId, now });
        await audit(transaction, {
          actor: actorOf(user),
          action: 'campaign.create',
          subject: draft.id,
          detail: { imports: importIds.length },
        });
        return draft.id;
      });
      return reply.status(201).send(await viewCampaign(db, id, clock.now(), held));
    },
  );

  app.get<{ Params: { id: CampaignId } }>(
    '/api/campaigns/:id',
    { schema: { tags, summary: 'One campaign', params: idParams, response: answers({ 200: campaignView }) } },
    async (request) => viewCampaign(db, request.params.id, clock.now(), held),
  );

  app.post<{ Params: { id: CampaignId }; Body: CampaignAction }>(
    '/api/campaigns/:id/state',
    {
      schema: {
        tags,
        summary: 'Start, pause, resume or cancel',
        params: idParams,
        body: campaignAction,
        response: answers({ 200: campaignView }),
      },
    },
    async (request): Promise<CampaignView> => {
      const user = requireRole(request, 'operator');
      const { id } = request.params;
      const { action } = request.body;
      await committed(context, async (transaction, bus) => {
        await changeState(transaction, bus, { id, action, now: clock.now() });
        await audit(transaction, { actor: actorOf(user), action: `campaign.${action}`, subject: id });
      });
      return viewCampaign(db, id, clock.now(), held);
    },
  );

  app.get<{ Params: { id: CampaignId }; Querystring: Omit<LeadFilter, 'campaignId'> }>(
    '/api/campaigns/:id/leads',
    {
      schema: {
        tags,
        summary: 'Leads in the order they were added; `total` stops at 10,000',
        params: idParams,
        querystring: leadQuery,
        response: answers({ 200: pageOf(leadView) }),
      },
    },
    async (request): Promise<Page<LeadView>> =>
      listLeads(db, { ...request.query, campaignId: request.params.id }, clock.now(), held),
  );
}

async function requireImports(db: Db, ids: readonly string[]): Promise<void> {
  const problems: Problem[] = [];
  for (const [index, id] of ids.entries()) {
    if ((await getImport(db, id as ImportId)) !== undefined) continue;
    problems.push({
      path: `importIds[${index}]`,
      message: { zh: '没有这次导入。', en: 'There is no such import.' },
    });
  }
  if (problems.length > 0) throw new AppError('invalid-input', problems[0]!.message, { problems });
}
