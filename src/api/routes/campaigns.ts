import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { CampaignAction, CampaignView, NewCampaign } from '#domain/api.ts';
import type { LeadState } from '#domain/contact.ts';
import { LEAD_STATES } from '#domain/contact.ts';
import type { CampaignId, ImportId, ScriptId } from '#domain/ids.ts';
import { GRADES, OUTCOME_CODES } from '#domain/outcome.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { validateSettings } from '#campaigns/settings.ts';
import { addLeadsFromImport, changeState, createCampaign, listCampaigns } from '#campaigns/store.ts';
import { listLeads, viewCampaign, viewCampaigns } from '#campaigns/view.ts';
import { audit } from '#compliance/audit.ts';
import { requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';

const newCampaign = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  scriptId: Type.String({ format: 'uuid' }),
  settings: Type.Object({}, { additionalProperties: true }),
  importIds: Type.Array(Type.String({ format: 'uuid' }), { maxItems: 100 }),
});
const action = Type.Object({
  action: Type.Union(['start', 'pause', 'resume', 'cancel'].map((name) => Type.Literal(name))),
});
const leadQuery = Type.Object({
  state: Type.Optional(Type.Union(LEAD_STATES.map((state) => Type.Literal(state)))),
  outcome: Type.Optional(Type.Union(OUTCOME_CODES.map((code) => Type.Literal(code)))),
  grade: Type.Optional(Type.Union(GRADES.map((code) => Type.Literal(code)))),
  search: Type.Optional(Type.String({ maxLength: 100 })),
  cursor: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});

interface LeadQuery {
  state?: LeadState;
  outcome?: OutcomeCode;
  grade?: GradeCode;
  search?: string;
  cursor?: string;
  limit?: number;
}

/** Campaigns, their states and their leads. */
export function campaignRoutes(app: FastifyInstance, context: ApiContext): void {
  const { db, bus, clock } = context;

  app.get('/api/campaigns', { schema: { tags: ['campaigns'] } }, async (): Promise<readonly CampaignView[]> =>
    viewCampaigns(db, await listCampaigns(db), clock.now()),
  );

  app.post<{ Body: NewCampaign }>(
    '/api/campaigns',
    { schema: { tags: ['campaigns'], body: newCampaign } },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const { name, scriptId, importIds } = request.body;
      const settings = validateSettings(request.body.settings, { trunks: context.trunks });
      const now = clock.now();
      const campaign = await createCampaign(db, { name, scriptId: scriptId as ScriptId, settings, now });
      for (const importId of importIds) {
        await addLeadsFromImport(db, bus, {
          campaignId: campaign.id,
          importId: importId as ImportId,
          now: clock.now(),
        });
      }
      await audit(db, {
        actor: `user:${user.id}`,
        action: 'campaign.create',
        subject: campaign.id,
        detail: { imports: importIds.length },
      });
      return reply.status(201).send(await viewCampaign(db, campaign.id, clock.now()));
    },
  );

  app.get<{ Params: { id: CampaignId } }>('/api/campaigns/:id', { schema: { tags: ['campaigns'] } }, async (request) =>
    viewCampaign(db, request.params.id, clock.now()),
  );

  app.post<{ Params: { id: CampaignId }; Body: CampaignAction }>(
    '/api/campaigns/:id/state',
    { schema: { tags: ['campaigns'], body: action } },
    async (request): Promise<CampaignView> => {
      const user = requireRole(request, 'operator');
      const { id } = request.params;
      await changeState(db, bus, { id, action: request.body.action, now: clock.now() });
      await audit(db, { actor: `user:${user.id}`, action: `campaign.${request.body.action}`, subject: id });
      return viewCampaign(db, id, clock.now());
    },
  );

  app.get<{ Params: { id: CampaignId }; Querystring: LeadQuery }>(
    '/api/campaigns/:id/leads',
    { schema: { tags: ['campaigns'], querystring: leadQuery } },
    async (request) => listLeads(db, { campaignId: request.params.id, ...request.query }, clock.now()),
  );
}
