import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LOCAL_OPERATOR_ACTOR, userActor } from '#domain/actor.ts';
import type { Role, SessionView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import { AppError } from '#platform/error.ts';
import type { ApiContext } from './context.ts';
import { findSession } from './sessions.ts';
import type { User } from './users.ts';

export const SESSION_COOKIE = 'waihu_session';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route but the open ones. */
    user: User | undefined;
    /** Undefined for the local operator. */
    session: SessionView | undefined;
  }
  interface FastifyContextConfig {
    /** Needs no session. Every other route of the API does. */
    readonly open?: boolean;
  }
}

/**
 * Guards every route of the scope that is not `open`: a session cookie or the local operator's bearer token. The route
 * decides, not the text of the URL, which can be written in more than one way. Requests that change something with a
 * cookie must come from our own pages: SameSite=Strict and the same Origin.
 */
export function requireSessions(scope: FastifyInstance, context: ApiContext): void {
  scope.decorateRequest('user', undefined);
  scope.decorateRequest('session', undefined);
  scope.addHook('onRequest', async (request) => {
    if (isLocalOperator(request, context.operatorToken)) {
      request.user = { id: LOCAL_OPERATOR, name: 'local', role: 'admin', language: context.language };
      return;
    }
    if (!['GET', 'HEAD'].includes(request.method) || request.headers.upgrade !== undefined) requireOwnOrigin(request);
    if (request.routeOptions.config.open === true) return;
    if ((await takeSession(request, context)) === undefined) throw signInFirst();
  });
}

/** Who asks on an open route, which says more to its users than to strangers; undefined for strangers. */
export async function userIfAny(request: FastifyRequest, context: ApiContext): Promise<User | undefined> {
  return request.user ?? takeSession(request, context);
}

async function takeSession(request: FastifyRequest, context: ApiContext): Promise<User | undefined> {
  const token = request.cookies[SESSION_COOKIE];
  const found = token === undefined ? undefined : await findSession(context.db, token, context.clock.now());
  request.user = found?.user;
  request.session = found?.session;
  return found?.user;
}

/** Throws `forbidden` where the user may not do as much as `role`; returns who acts. */
export function requireRole(request: FastifyRequest, role: Role): User {
  const { user } = request;
  if (user === undefined) throw signInFirst();
  if (RANK[user.role] < RANK[role]) {
    throw new AppError('forbidden', {
      zh: '您的账号没有这个权限，请联系管理员。',
      en: 'Your account may not do this; ask an administrator.',
    });
  }
  return user;
}

/** The fault of a request without a session. */
export function signInFirst(): AppError {
  return new AppError('unauthenticated', { zh: '请先登录。', en: 'Sign in first.' });
}

/** How the audit chain names who acts. */
export function actorOf(user: User): string {
  return user.id === LOCAL_OPERATOR ? LOCAL_OPERATOR_ACTOR : userActor(user.id);
}

/** True when the page that asks was loaded over TLS, as its browser says: a proxy in front of us ends it. */
export function fromSecurePage(request: FastifyRequest): boolean {
  return request.protocol === 'https' || request.headers.origin?.startsWith('https://') === true;
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
  const site = request.headers['sec-fetch-site'];
  const own =
    origin === undefined
      ? site === undefined || site === 'same-origin' || site === 'none'
      : URL.canParse(origin) && new URL(origin).host === host;
  if (!own) {
    throw new AppError('forbidden', {
      zh: '请求来自其他网站，已拒绝。',
      en: 'The request came from another site and was refused.',
    });
  }
}
