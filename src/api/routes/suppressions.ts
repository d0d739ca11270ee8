import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { SuppressionId } from '#domain/ids.ts';
import { listSuppressions, suppress, unsuppress } from '#compliance/suppression.ts';
import { parsePhone } from '#leads/phone.ts';
import { AppError } from '#platform/error.ts';
import { requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';

const entry = Type.Object({
  phone: Type.String({ minLength: 1, maxLength: 40 }),
  note: Type.Optional(Type.String({ maxLength: 500 })),
});
const query = Type.Object({
  phone: Type.Optional(Type.String({ maxLength: 40 })),
  cursor: Type.Optional(Type.String({ format: 'uuid' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});

/** The suppression list: who must not be called, in any campaign. */
export function suppressionRoutes(app: FastifyInstance, context: ApiContext): void {
  const { db, bus } = context;

  app.get<{ Querystring: { phone?: string; cursor?: string; limit?: number } }>(
    '/api/suppressions',
    { schema: { tags: ['suppressions'], querystring: query } },
    async (request) => {
      const { phone, ...page } = request.query;
      if (phone === undefined || phone === '') return listSuppressions(db, page);
      const parsed = parsePhone(phone);
      return parsed.ok ? listSuppressions(db, { ...page, phone: parsed.phone }) : { items: [], total: 0 };
    },
  );

  app.post<{ Body: { phone: string; note?: string } }>(
    '/api/suppressions',
    { schema: { tags: ['suppressions'], body: entry } },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const parsed = parsePhone(request.body.phone);
      if (!parsed.ok)
        throw new AppError('invalid-input', parsed.reason, { problems: [{ path: 'phone', message: parsed.reason }] });
      const change = await suppress(db, {
        phone: parsed.phone,
        source: 'manual',
        actor: `user:${user.id}`,
        ...(request.body.note === undefined ? {} : { note: request.body.note }),
      });
      bus.publish('suppression-added', { phone: parsed.phone, attemptId: undefined });
      for (const lead of change.endedLeads) bus.publish('lead-changed', lead);
      for (const campaignId of new Set(change.endedLeads.map((lead) => lead.campaignId)))
        bus.publish('campaign-changed', { campaignId });
      return reply.status(201).send({ added: change.added });
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/api/suppressions/:id',
    { schema: { tags: ['suppressions'] } },
    async (request, reply) => {
      const user = requireRole(request, 'admin');
      const { id } = request.params;
      const removed =
        /^[0-9a-f-]{36}$/.test(id) && (await unsuppress(db, { id: id as SuppressionId, actor: `user:${user.id}` }));
      if (!removed) throw new AppError('not-found', { zh: '名单中没有这一条。', en: 'There is no such entry.' });
      return reply.status(204).send();
    },
  );
}
