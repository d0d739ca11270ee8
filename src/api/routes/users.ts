import type { FastifyInstance } from 'fastify';
import type { NewUser, UserView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import { audit } from '#compliance/audit.ts';
import { AppError } from '#platform/error.ts';
import { actorOf, requireRole } from '../auth.ts';
import { committed } from '../committed.ts';
import type { ApiContext } from '../context.ts';
import { answers, idParams, nothing } from '../schema/basic.ts';
import { newUser, userView } from '../schema/records.ts';
import { createUser, deleteUser, listUsers } from '../users.ts';
import { Type } from 'typebox';

const tags = ['users'];

/** Who may sign in; for administrators. */
export function userRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/api/users',
    { schema: { tags, summary: 'List users', response: answers({ 200: Type.Array(userView) }) } },
    async (request): Promise<readonly UserView[]> => {
      requireRole(request, 'admin');
      return listUsers(context.db);
    },
  );

  app.post<{ Body: NewUser }>(
    '/api/users',
    { schema: { tags, summary: 'Add a user', body: newUser, response: answers({ 201: userView }) } },
    async (request, reply) => {
      const actor = actorOf(requireRole(request, 'admin'));
      const { name, role, language } = request.body;
      const now = context.clock.now();
      const id = await committed(context, async (db) => {
        const made = await createUser(db, { ...request.body, now });
        await audit(db, { actor, action: 'user.create', subject: made, detail: { role } });
        return made;
      });
      const view: UserView = { id, name, role, language, createdAt: now.toISOString() };
      return reply.status(201).send(view);
    },
  );

  app.delete<{ Params: { id: UserId } }>(
    '/api/users/:id',
    {
      schema: {
        tags,
        summary: 'Remove a user and end their sessions',
        params: idParams,
        response: answers({ 204: nothing }),
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'admin');
      const { id } = request.params;
      if (id === user.id) {
        throw new AppError('conflict', {
          zh: '不能删除自己，请让另一个管理员来做。',
          en: 'You cannot remove yourself; ask another administrator.',
        });
      }
      await committed(context, async (db) => {
        await deleteUser(db, id);
        await audit(db, { actor: actorOf(user), action: 'user.delete', subject: id });
      });
      return reply.status(204).send();
    },
  );
}
