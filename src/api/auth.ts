import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Role, SessionView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import { AppError } from '#platform/error.ts';
import type { ApiContext } from './context.ts';
import { findSession } from './users.ts';
import type { User } from './users.ts';

export const SESSION_COOKIE = 'waihu_session';

/** Paths that need no session. */
const OPEN: ReadonlySet<string> = new Set(['POST /api/session', 'GET /api/health', 'GET /api/openapi.json']);
const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route but the open ones. */
    user: User | undefined;
    session: SessionView | undefined;
  }
}

/**
 * Guards everything below /api: a session cookie or the local operator's bearer token. Requests that change something
 * with a cookie must come from our own pages: SameSite=Strict and, where the browser sends it, the same Origin.
 */
export function requireSessions(app: FastifyInstance, context: ApiContext): void {
  app.decorateRequest('user', undefined);
  app.decorateRequest('session', undefined);
  app.addHook('onRequest', async (request) => {
    const path = request.url.split('?')[0] ?? '';
    if (!path.startsWith('/api/') || OPEN.has(`${request.method} ${path}`)) return;
    if (isLocalOperator(request, context.operatorToken)) {
      request.user = { id: LOCAL_OPERATOR, name: 'local', role: 'admin', language: context.language };
      return;
    }
    const token = request.cookies[SESSION_COOKIE];
    const found = token === undefined ? undefined : await findSession(context.db, token, context.clock.now());
    if (found === undefined) throw new AppError('unauthenticated', { zh: '请先登录。', en: 'Sign in first.' });
    if (!['GET', 'HEAD'].includes(request.method) || request.headers.upgrade !== undefined) requireOwnOrigin(request);
    request.user = found.user;
    request.session = found.session;
  });
}

/** Throws `forbidden` where the user may not do as much as `role`; returns who acts. */
export function requireRole(request: FastifyRequest, role: Role): User {
  const { user } = request;
  if (user === undefined) throw new AppError('unauthenticated', { zh: '请先登录。', en: 'Sign in first.' });
  if (RANK[user.role] < RANK[role]) {
    throw new AppError('forbidden', {
      zh: '您的账号没有这个权限，请联系管理员。',
      en: 'Your account may not do this; ask an administrator.',
    });
  }
  return user;
}

const LOCAL_OPERATOR = '00000000-0000-7000-8000-000000000000' as UserId;

function isLocalOperator(request: FastifyRequest, token: string): boolean {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) return false;
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}

function requireOwnOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new AppError('forbidden', {
      zh: '请求来自其他网站，已拒绝。',
      en: 'The request came from another site and was refused.',
    });
  }
}
