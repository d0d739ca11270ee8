import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ApiError } from '#domain/api.ts';
import { createLog } from '#platform/log.ts';
import { NODE, OPERATOR_TOKEN, TRUNK, testApi } from '../../test/support/api.ts';
import { scratchDirectory } from '../../test/support/scratch.ts';
import { renderApiDocument } from './document.ts';
import { openApi } from './server.ts';

test('health tells strangers whether the node is up and users how it fares', async () => {
  await using api = await disposable();
  const health = (headers: Record<string, string> = {}) => api.app.inject({ url: '/api/health', headers });
  const authorization = `Bearer ${OPERATOR_TOKEN}`;
  const figures = { status: 'ok', refuses: null, calls: 3, frameLatenessMs: 1.3, loopDelayMs: 2 };
  expect((await health()).json()).toEqual({ status: 'ok' });
  expect((await health({ cookie: 'waihu_session=forged' })).json()).toEqual({ status: 'ok' });
  expect((await health({ authorization: 'Bearer wrong' })).json()).toEqual({ status: 'ok' });
  expect((await health({ cookie: await api.signIn('viewer') })).json()).toEqual(figures);
  expect((await health({ authorization })).json()).toEqual(figures);

  const query = api.database.pool.connect.bind(api.database.pool);
  api.database.pool.connect = (() => Promise.reject(new Error('connect ECONNREFUSED'))) as typeof query;
  const [down, known] = await Promise.all([health(), health({ authorization })]);
  api.database.pool.connect = query;
  expect([down.statusCode, down.json<ApiError>().error.code]).toEqual([503, 'unavailable']);
  expect(down.body).not.toMatch(/database|数据库|ECONNREFUSED/);
  expect([known.statusCode, known.json<ApiError>().error.code]).toEqual([503, 'database-unavailable']);
});

test('a node that takes no calls says so to users only', async () => {
  await using api = await disposable({
    node: { ...NODE, admission: { accepts: false, reason: 'draining', retryAfterSeconds: 5 } },
  });
  expect((await api.app.inject({ url: '/api/health' })).json()).toEqual({ status: 'ok' });
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  expect((await api.app.inject({ url: '/api/health', headers })).json()).toMatchObject({
    status: 'draining',
    refuses: 'draining',
  });
});

test('health does not wait for a database that hangs', async () => {
  await using api = await disposable();
  const clients = await Promise.all(Array.from({ length: 10 }, () => api.database.pool.connect()));
  const reply = api.app.inject({ url: '/api/health' });
  await expect.poll(() => api.database.pool.waitingCount).toBe(1);
  api.clock.advance(2000);
  expect((await reply).statusCode).toBe(503);
  for (const client of clients) client.release();
});

test('the console answers every address that is no file and no part of the API', async () => {
  const consoleDirectory = scratchDirectory();
  mkdirSync(path.join(consoleDirectory, 'assets'));
  writeFileSync(path.join(consoleDirectory, 'index.html'), '<!doctype html><div id="root"></div>');
  writeFileSync(path.join(consoleDirectory, 'assets', 'app.js'), 'let a;');
  await using api = await disposable({ consoleDirectory });
  for (const url of ['/', '/campaigns/1', '/calls?phone=1.5']) {
    const page = await api.app.inject({ url });
    expect([page.statusCode, page.headers['cache-control']]).toEqual([200, 'no-cache']);
    expect(page.body).toContain('root');
  }
  const script = await api.app.inject({ url: '/assets/app.js' });
  expect([script.body, script.headers['cache-control']]).toEqual(['let a;', 'public, max-age=31536000, immutable']);
  for (const url of ['/assets/none.js', '/api/none', '/../package.json', '/%2e%2e/%2e%2e/etc/passwd.txt'])
    expect((await api.app.inject({ url })).statusCode).toBeGreaterThanOrEqual(400);
});

test('the figures of the node are for users and the operator, in the format of Prometheus', async () => {
  await using api = await disposable();
  expect((await api.app.inject({ url: '/api/metrics' })).statusCode).toBe(401);
  const authorization = `Bearer ${OPERATOR_TOKEN}`;
  const reply = await api.app.inject({ url: '/api/metrics', headers: { authorization } });
  expect(reply.headers['content-type']).toContain('text/plain');
  for (const line of [
    'waihu_calls 3',
    'waihu_accepts_calls 1',
    'waihu_media_frame_lateness_seconds 0.00125',
    'waihu_inbound_refused_total{reason="calls"} 2',
    'waihu_sip_strangers_total 7',
  ])
    expect(reply.body.split('\n')).toContain(line);
});

test('a port in use is told with what to do', async () => {
  await using api = await disposable();
  const listen = { host: '127.0.0.1', port: 0 };
  const context = {
    db: api.database.db,
    pool: api.database.pool,
    bus: api.bus,
    clock: api.clock,
    log: createLog({ level: 'silent' }),
    language: 'zh' as const,
    trunks: [TRUNK],
    recordingsDirectory: api.recordingsDirectory,
    importsDirectory: api.importsDirectory,
    consoleDirectory: undefined,
    operatorToken: OPERATOR_TOKEN,
    node: () => NODE,
    callControl: () => undefined,
    operatorHangUp: () => undefined,
    placeSingleCall: () => Promise.reject(new Error('unused')),
  };
  const first = await openApi(context, listen);
  const port = Number(new URL(first.url).port);
  await expect(openApi(context, { host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'port-in-use' });
  await first.close();
  const again = await openApi(context, { host: '127.0.0.1', port });
  await again.close();
});

test('docs/api.json is what the routes say (npm run docs writes it)', async () => {
  const committed = readFileSync(new URL('../../docs/api.json', import.meta.url), 'utf8');
  expect(JSON.parse(committed)).toEqual(JSON.parse(await renderApiDocument()));
});

test('every route of the document has a summary and says what it answers', async () => {
  const { paths } = JSON.parse(await renderApiDocument()) as {
    paths: Record<string, Record<string, { summary?: string; responses?: Record<string, unknown> }>>;
  };
  const routes = Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, route]) => ({ url: `${method} ${url}`, ...route })),
  );
  expect(routes.length).toBeGreaterThan(25);
  expect(routes.filter(({ summary = '' }) => summary === '').map(({ url }) => url)).toEqual([]);
});

async function disposable(o: Parameters<typeof testApi>[0] = {}) {
  const api = await testApi(o);
  return { ...api, [Symbol.asyncDispose]: () => api.close() };
}
