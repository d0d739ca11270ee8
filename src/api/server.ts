import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import staticFiles from '@fastify/static';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { AppError } from '#platform/error.ts';
import { requireSessions } from './auth.ts';
import type { ApiContext } from './context.ts';
import { handleErrors } from './error-handler.ts';
import { LiveCalls } from './live-calls.ts';
import { liveRoute } from './live.ts';
import { callRoutes } from './routes/calls.ts';
import { campaignRoutes } from './routes/campaigns.ts';
import { importRoutes } from './routes/imports.ts';
import { scriptRoutes } from './routes/scripts.ts';
import { sessionRoutes } from './routes/session.ts';
import { suppressionRoutes } from './routes/suppressions.ts';

/** A running API; the owner closes it before the database. */
export interface ApiServer {
  /** Without a trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Builds the routes without listening, for tests by injection. */
export async function buildApi(context: ApiContext): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: 1024 * 1024,
    requestTimeout: 10 * 60_000,
    forceCloseConnections: true,
    ajv: { customOptions: { allErrors: true, coerceTypes: true, removeAdditional: false } },
  });
  handleErrors(app, context.log);
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        // Served over plain HTTP on loopback until a proxy adds TLS.
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
  });
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  await app.register(multipart, { limits: { fileSize: 512 * 1024 * 1024, files: 1, fields: 4 } });
  await app.register(websocket, { options: { maxPayload: 4096 } });
  await app.register(swagger, { openapi: { info: { title: 'Waihu', version: '0.1.0' } } });
  requireSessions(app, context);
  const live = new LiveCalls(context.bus);
  app.addHook('onClose', async () => live.close());
  app.get('/api/health', { schema: { hide: true } }, () => ({ status: 'ok' }));
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(async (scope) => {
    sessionRoutes(scope, context);
    scriptRoutes(scope, context);
    importRoutes(scope, context);
    campaignRoutes(scope, context);
    callRoutes(scope, context, live);
    suppressionRoutes(scope, context);
    liveRoute(scope, context, live);
  });
  if (context.consoleDirectory !== undefined) await serveConsole(app, context.consoleDirectory);
  return app;
}

/** Builds and listens; throws `port-in-use` with what to do. */
export async function openApi(
  context: ApiContext,
  listen: { readonly host: string; readonly port: number },
): Promise<ApiServer> {
  const app = await buildApi(context);
  try {
    const url = await app.listen(listen);
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new AppError(
        'port-in-use',
        {
          zh: `端口 ${listen.port} 已被占用：请停止占用它的程序，或用 --http-port 换一个端口。`,
          en: `Port ${listen.port} is in use: stop the program that uses it, or choose another with --http-port.`,
        },
        { cause: error },
      );
    }
    throw error;
  }
}

/** The console's files; every path that is no file is a page of the console and gets its index. */
async function serveConsole(app: FastifyInstance, root: string): Promise<void> {
  await app.register(staticFiles, { root, wildcard: false, maxAge: '1h', immutable: false });
  app.get('/*', { schema: { hide: true } }, (request, reply) => {
    if (request.url.startsWith('/api/') || /\.[a-z0-9]+$/i.test(request.url.split('?')[0] ?? ''))
      return reply.callNotFound();
    return reply.header('cache-control', 'no-cache').sendFile('index.html', { maxAge: 0 });
  });
}
