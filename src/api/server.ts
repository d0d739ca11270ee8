import { sep } from 'node:path';
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
import { answerFailure, handleErrors } from './error-handler.ts';
import { LiveCalls } from './live-calls.ts';
import { liveRoute } from './live.ts';
import { callControlRoutes } from './routes/call-control.ts';
import { announcementRoutes } from './routes/announcements.ts';
import { callRoutes } from './routes/calls.ts';
import { campaignRoutes } from './routes/campaigns.ts';
import { healthRoute } from './routes/health.ts';
import { importRoutes } from './routes/imports.ts';
import { metricsRoute } from './routes/metrics.ts';
import { recordingRoute } from './routes/recording.ts';
import { scriptRoutes } from './routes/scripts.ts';
import { sessionRoutes } from './routes/session.ts';
import { suppressionRoutes } from './routes/suppressions.ts';
import { userRoutes } from './routes/users.ts';
import { cleanSessions, warmDecoy } from './sessions.ts';
import { requireStorable } from './storable.ts';

/** A running API; the owner closes it before the database. */
export interface ApiServer {
  /** Without a trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

const UPLOAD_LIMIT_BYTES = 512 * 1024 * 1024;
/** Pages have this long to answer the close of their WebSocket. */
const CLOSE_MS = 500;

/** Only what our own pages load; Ant Design writes its styles into the page. */
const CONTENT_SECURITY = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'", 'data:'],
  mediaSrc: ["'self'", 'blob:'],
  connectSrc: ["'self'"],
  frameAncestors: ["'none'"],
  // Served over plain HTTP on loopback until a proxy adds TLS.
  upgradeInsecureRequests: null,
};

/** Builds the routes without listening, for tests by injection. */
export async function buildApi(
  context: ApiContext,
  options: { readonly uploadLimitBytes?: number } = {},
): Promise<FastifyInstance> {
  const fileSize = options.uploadLimitBytes ?? UPLOAD_LIMIT_BYTES;
  const app = Fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: 1024 * 1024,
    requestTimeout: 10 * 60_000,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => answerFailure(context.log, error, request, reply),
    ajv: { customOptions: { allErrors: true, coerceTypes: true, removeAdditional: false } },
  });
  handleErrors(app, context.log);
  await app.register(helmet, {
    contentSecurityPolicy: { directives: CONTENT_SECURITY },
    strictTransportSecurity: false,
  });
  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  await app.register(multipart, { limits: { fileSize, files: 1, fields: 4 } });
  await app.register(websocket, { options: { maxPayload: 4096 }, preClose: closePages });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Waihu', version: '0.1.0', description: 'Sign in with POST /api/session; errors are `ApiError`.' },
    },
  });
  const live = new LiveCalls(context.bus);
  app.addHook('onClose', async () => live.close());
  await app.register(async (scope) => {
    requireSessions(scope, context);
    scope.addHook('preValidation', async (request) => {
      requireStorable(request.query);
      requireStorable(request.body);
    });
    scope.addHook('onSend', async (_request, reply) => {
      if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    });
    healthRoute(scope, context);
    sessionRoutes(scope, context);
    userRoutes(scope, context);
    scriptRoutes(scope, context);
    importRoutes(scope, context, fileSize);
    campaignRoutes(scope, context);
    callRoutes(scope, context, live);
    callControlRoutes(scope, context);
    recordingRoute(scope, context);
    metricsRoute(scope, context);
    suppressionRoutes(scope, context);
    announcementRoutes(scope, context);
    liveRoute(scope, context, live);
  });
  const cleaning = cleanSessions(context);
  app.addHook('onClose', async () => cleaning.stop());
  void warmDecoy();
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

/** Says goodbye to every page and does not wait for one that has gone silent. */
function closePages(this: FastifyInstance, done: () => void): void {
  const { clients } = this.websocketServer;
  for (const client of clients) client.close(1001, 'shutting down');
  setTimeout(() => {
    for (const client of clients) client.terminate();
  }, CLOSE_MS).unref();
  this.websocketServer.close();
  done();
}

/** The console's files; every path that is no file is a page of the console and gets its index. */
async function serveConsole(app: FastifyInstance, root: string): Promise<void> {
  await app.register(staticFiles, {
    root,
    wildcard: false,
    cacheControl: false,
    // Names of built files hold a hash of their content; all else may change with the next version.
    setHeaders: (reply, file) => {
      const built = file.includes(`${sep}assets${sep}`);
      void reply.header('cache-control', built ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  app.get('/*', { schema: { hide: true } }, (request, reply) => {
    if (request.url.startsWith('/api/') || /\.[a-z0-9]+$/i.test(request.url.split('?')[0] ?? ''))
      return reply.callNotFound();
    return reply.sendFile('index.html');
  });
}
