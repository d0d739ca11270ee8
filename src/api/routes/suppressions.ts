import type { FastifyInstance } from 'fastify';
import type { Page, SuppressionView } from '#domain/api.ts';
import type { SuppressionId } from '#domain/ids.ts';
import { listSuppressions, suppress, unsuppress } from '#compliance/suppression.ts';
import { parsePhone } from '#leads/phone.ts';
import { AppError } from '#platform/error.ts';
import { actorOf, requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import { answers, idParams, nothing, pageOf } from '../schema/basic.ts';
import { newSuppression, suppressionAdded, suppressionQuery, suppressionView } from '../schema/records.ts';

const tags = ['suppressions'];

/** The suppression list: who must not be called, in any campaign. */
export function suppressionRoutes(app: FastifyInstance, context: ApiContext): void {
  const { db, bus } = context;

  app.get<{ Querystring: { phone?: string; cursor?: string; limit?: number } }>(
    '/api/suppressions',
    {
      schema: {
        tags,
        summary: 'The suppression list, newest first; `phone` finds one whole number',
        querystring: suppressionQuery,
        response: answers({ 200: pageOf(suppressionView) }),
      },
    },
    async (request): Promise<Page<SuppressionView>> => {
      const { phone = '', ...page } = request.query;
      if (phone.trim() === '') return listSuppressions(db, page);
      const parsed = parsePhone(phone);
      return parsed.ok ? listSuppressions(db, { ...page, phone: parsed.phone }) : { items: [], total: 0 };
    },
  );

  app.post<{ Body: { phone: string; note?: string } }>(
    '/api/suppressions',
    {
      schema: {
        tags,
        summary: 'Stop calling a number, in every campaign at once',
        body: newSuppression,
        response: answers({ 201: suppressionAdded }),
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const parsed = parsePhone(request.body.phone);
      if (!parsed.ok)
        throw new AppError('invalid-input', parsed.reason, { problems: [{ path: 'phone', message: parsed.reason }] });
      const change = await suppress(db, {
        phone: parsed.phone,
        source: 'manual',
        actor: actorOf(user),
        ...(request.body.note === undefined ? {} : { note: request.body.note }),
      });
      bus.publish('suppression-added', { phone: parsed.phone, attemptId: undefined });
      for (const lead of change.endedLeads) bus.publish('lead-changed', lead);
      for (const campaignId of new Set(change.endedLeads.map((lead) => lead.campaignId)))
        bus.publish('campaign-changed', { campaignId });
      return reply.status(201).send({ added: change.added });
    },
  );

  app.delete<{ Params: { id: SuppressionId } }>(
    '/api/suppressions/:id',
    {
      schema: {
        tags,
        summary: 'Allow a number to be called again; for administrators',
        params: idParams,
        response: answers({ 204: nothing }),
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'admin');
      if (!(await unsuppress(db, { id: request.params.id, actor: actorOf(user) })))
        throw new AppError('not-found', { zh: '名单中没有这一条。', en: 'There is no such entry.' });
      return reply.status(204).send();
    },
  );
}
