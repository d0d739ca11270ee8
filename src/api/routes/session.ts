import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { SessionView } from '#domain/api.ts';
import { audit } from '#compliance/audit.ts';
import { AppError } from '#platform/error.ts';
import { SESSION_COOKIE, requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import { setLanguage, signIn, signOut } from '../users.ts';

const credentials = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  password: Type.String({ minLength: 1, maxLength: 256 }),
});
const language = Type.Object({ language: Type.Union([Type.Literal('zh'), Type.Literal('en')]) });

/** Sign-in, who am I, sign-out, and the user's language. */
export function sessionRoutes(app: FastifyInstance, context: ApiContext): void {
  app.post<{ Body: { name: string; password: string } }>(
    '/api/session',
    { schema: { tags: ['session'], body: credentials }, config: { rateLimit: { max: 10, timeWindow: '1 minute' } } },
    async (request, reply): Promise<SessionView> => {
      const { name, password } = request.body;
      const now = context.clock.now();
      try {
        const { token, session } = await signIn(context.db, { name, password, now });
        await audit(context.db, {
          actor: `user:${session.user.id}`,
          action: 'session.sign-in',
          subject: session.user.id,
        });
        void reply.setCookie(SESSION_COOKIE, token, {
          path: '/',
          httpOnly: true,
          sameSite: 'strict',
          secure: request.protocol === 'https',
          expires: new Date(session.expiresAt),
        });
        return session;
      } catch (error) {
        if (error instanceof AppError && error.code === 'unauthenticated') {
          await audit(context.db, { actor: 'system', action: 'session.refused', subject: name.slice(0, 64) });
        }
        throw error;
      }
    },
  );

  app.get('/api/session', { schema: { tags: ['session'] } }, (request): SessionView => {
    if (request.session === undefined)
      throw new AppError('unauthenticated', { zh: '请先登录。', en: 'Sign in first.' });
    return request.session;
  });

  app.patch<{ Body: { language: 'zh' | 'en' } }>(
    '/api/session',
    { schema: { tags: ['session'], body: language } },
    async (request, reply) => {
      await setLanguage(context.db, requireRole(request, 'viewer').id, request.body.language);
      return reply.status(204).send();
    },
  );

  app.delete('/api/session', { schema: { tags: ['session'] } }, async (request, reply) => {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) await signOut(context.db, token);
    return reply.clearCookie(SESSION_COOKIE, { path: '/' }).status(204).send();
  });
}
