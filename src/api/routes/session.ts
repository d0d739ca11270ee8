import type { FastifyInstance, FastifyReply } from 'fastify';
import { userActor } from '#domain/actor.ts';
import type { PasswordChange, SessionView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import type { Language } from '#domain/text.ts';
import { audit } from '#compliance/audit.ts';
import { AppError } from '#platform/error.ts';
import { SESSION_COOKIE, actorOf, fromSecurePage, requireRole, signInFirst } from '../auth.ts';
import { committed } from '../committed.ts';
import type { ApiContext } from '../context.ts';
import { answers, nothing } from '../schema/basic.ts';
import { credentials, languageChoice, passwordChange, sessionView } from '../schema/records.ts';
import { signIn, signOut, signOutElsewhere } from '../sessions.ts';
import { changePassword, setLanguage } from '../users.ts';

/** Guessing is slow, mistyping is not: ten tries a minute from one address. */
const rateLimit = { max: 10, timeWindow: '1 minute' };
const tags = ['session'];

/** Sign-in, who am I, sign-out, and the user's own language and password. */
export function sessionRoutes(app: FastifyInstance, context: ApiContext): void {
  app.post<{ Body: { name: string; password: string } }>(
    '/api/session',
    {
      schema: { tags, summary: 'Sign in', body: credentials, response: answers({ 200: sessionView }) },
      config: { open: true, rateLimit },
    },
    async (request, reply): Promise<SessionView> => {
      const { name, password } = request.body;
      const result = await signIn(context.db, { name, password, now: context.clock.now() });
      if (!result.ok) {
        // Never what was typed: it may be a password in the wrong field.
        await audit(context.db, {
          actor: 'system',
          action: 'session.refused',
          subject: result.userId === undefined ? 'unknown-user' : userActor(result.userId),
        });
        throw new AppError('unauthenticated', {
          zh: '用户名或密码不对，请重新输入。',
          en: 'Wrong user name or password; enter them again.',
        });
      }
      const { token, session } = result;
      await audit(context.db, {
        actor: userActor(session.user.id as UserId),
        action: 'session.sign-in',
        subject: session.user.id,
      });
      void reply.setCookie(SESSION_COOKIE, token, {
        ...cookieOptions(fromSecurePage(request)),
        expires: new Date(session.expiresAt),
      });
      return session;
    },
  );

  app.get(
    '/api/session',
    { schema: { tags, summary: 'Who is signed in', response: answers({ 200: sessionView }) } },
    (request): SessionView => {
      if (request.session === undefined) throw signInFirst();
      return request.session;
    },
  );

  app.patch<{ Body: { language: Language } }>(
    '/api/session',
    {
      schema: {
        tags,
        summary: "Change the user's language",
        body: languageChoice,
        response: answers({ 204: nothing }),
      },
    },
    async (request, reply) => {
      await setLanguage(context.db, requireRole(request, 'viewer').id, request.body.language);
      return reply.status(204).send();
    },
  );

  app.post<{ Body: PasswordChange }>(
    '/api/session/password',
    {
      schema: {
        tags,
        summary: "Change the user's own password; their other sessions end",
        body: passwordChange,
        response: answers({ 204: nothing }),
      },
      config: { rateLimit },
    },
    async (request, reply) => {
      const user = requireRole(request, 'viewer');
      const token = request.cookies[SESSION_COOKIE];
      if (request.session === undefined || token === undefined) throw signInFirst();
      await committed(context, async (db) => {
        await changePassword(db, { id: user.id, ...request.body });
        await signOutElsewhere(db, user.id, token);
        await audit(db, { actor: actorOf(user), action: 'user.password', subject: user.id });
      });
      return reply.status(204).send();
    },
  );

  app.delete(
    '/api/session',
    { schema: { tags, summary: 'Sign out', response: answers({ 204: nothing }) }, config: { open: true } },
    async (request, reply): Promise<FastifyReply> => {
      const token = request.cookies[SESSION_COOKIE];
      if (token !== undefined) await signOut(context.db, token);
      return reply
        .clearCookie(SESSION_COOKIE, cookieOptions(fromSecurePage(request)))
        .status(204)
        .send();
    },
  );
}

function cookieOptions(secure: boolean) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
}
