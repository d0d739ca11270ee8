import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApiError, SessionView, UserView } from '#domain/api.ts';
import { OPERATOR_TOKEN, PASSWORD, testApi } from '../../test/support/api.ts';
import type { TestApi } from '../../test/support/api.ts';
import { SESSION_MS } from './sessions.ts';

let api: TestApi;
beforeEach(async () => {
  api = await testApi();
});
afterEach(() => api.close());

const signIn = (name: string, password: string, headers: Record<string, string> = {}) =>
  api.app.inject({ method: 'POST', url: '/api/session', payload: { name, password }, headers });
const who = (cookie: string) => api.app.inject({ url: '/api/session', headers: { cookie } });

async function auditRows(): Promise<readonly { actor: string; action: string; subject: string }[]> {
  const rows = await sql<{ actor: string; action: string; subject: string }>`
    SELECT actor, action, subject FROM audit ORDER BY seq`.execute(api.database.db);
  return rows.rows;
}

test('a sign-in opens a session in a cookie that scripts and other sites cannot use', async () => {
  const reply = await signIn('operator', PASSWORD);
  expect(reply.statusCode).toBe(200);
  expect(reply.json<SessionView>().user).toEqual({
    id: api.users.operator,
    name: 'operator',
    role: 'operator',
    language: 'zh',
  });
  expect(reply.cookies[0]).toMatchObject({ path: '/', httpOnly: true, sameSite: 'Strict' });
  expect(reply.cookies[0]?.secure).toBeUndefined();
  const seen = await who(await api.signIn('operator'));
  expect(seen.json<SessionView>().user.name).toBe('operator');
  expect(seen.headers['cache-control']).toBe('no-store');
});

test('a page over TLS gets a cookie that never leaves over plain HTTP', async () => {
  const reply = await signIn('operator', PASSWORD, { origin: 'https://waihu.example', host: 'waihu.example' });
  expect(reply.cookies[0]?.secure).toBe(true);
});

test('a wrong password and an unknown name get the same answer, and what was typed is nowhere on record', async () => {
  const wrong = await signIn('operator', 'wrong password');
  const unknown = await signIn('13812345678', PASSWORD);
  expect([wrong.statusCode, unknown.statusCode]).toEqual([401, 401]);
  expect(wrong.body).toBe(unknown.body);
  expect(wrong.json<ApiError>().error.code).toBe('unauthenticated');
  expect(wrong.cookies).toEqual([]);
  const rows = await auditRows();
  expect(rows.map(({ subject }) => subject)).toEqual([`user:${api.users.operator}`, 'unknown-user']);
  expect(api.logged()).not.toContain('13812345678');
});

test('an unknown name takes as long as a wrong password', async () => {
  const medianMs = async (name: string): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now();
      await api.app.inject({
        method: 'POST',
        url: '/api/session',
        payload: { name, password: 'x' },
        remoteAddress: `10.1.${name.length}.${i}`,
      });
      times.push(performance.now() - startMs);
    }
    return times.sort((a, b) => a - b)[2]!;
  };
  const [known, unknown] = [await medianMs('operator'), await medianMs('nobody')];
  // Without the decoy the hash is missing, which is nearly all of it.
  expect(unknown).toBeGreaterThan(known / 3);
});

test('guessing is stopped after ten tries from one address', async () => {
  for (let i = 0; i < 10; i++) expect((await signIn('operator', 'wrong')).statusCode).toBe(401);
  const refused = await signIn('operator', PASSWORD);
  expect(refused.statusCode).toBe(429);
  expect(refused.json<ApiError>().error.code).toBe('too-many-requests');
});

test('a session ends after its time, and is cleaned away', async () => {
  const cookie = await api.signIn('viewer');
  api.clock.advance(SESSION_MS - 1000);
  expect((await who(cookie)).statusCode).toBe(200);
  api.clock.advance(1000);
  expect((await who(cookie)).statusCode).toBe(401);
  api.clock.advance(3600_000);
  await expect
    .poll(async () => (await sql<{ n: number }>`SELECT count(*)::int AS n FROM sessions`.execute(api.database.db)).rows)
    .toEqual([{ n: 0 }]);
});

test('a sign-out ends the session for good', async () => {
  const cookie = await api.signIn('viewer');
  const out = await api.app.inject({ method: 'DELETE', url: '/api/session', headers: { cookie } });
  expect(out.statusCode).toBe(204);
  expect(out.cookies[0]).toMatchObject({ name: 'waihu_session', value: '' });
  expect((await who(cookie)).statusCode).toBe(401);
});

test('changing the password ends the other sessions and keeps this one', async () => {
  const [here, elsewhere] = [await api.signIn('viewer'), await api.signIn('viewer')];
  const change = (payload: object) =>
    api.app.inject({ method: 'POST', url: '/api/session/password', payload, headers: { cookie: here } });
  const short = await change({ current: PASSWORD, next: 'too short' });
  expect(short.json<ApiError>().error.problems).toEqual([
    { path: 'next', message: { zh: '至少 10 个字符。', en: 'At least 10 characters.' } },
  ]);
  const wrong = await change({ current: 'not it at all', next: 'a longer password' });
  expect([wrong.statusCode, wrong.json<ApiError>().error.problems[0]?.path]).toEqual([400, 'current']);
  expect((await change({ current: PASSWORD, next: PASSWORD })).json<ApiError>().error.problems[0]?.path).toBe('next');
  expect((await change({ current: PASSWORD, next: 'a longer password' })).statusCode).toBe(204);
  expect((await who(here)).statusCode).toBe(200);
  expect((await who(elsewhere)).statusCode).toBe(401);
  expect((await signIn('viewer', PASSWORD)).statusCode).toBe(401);
  expect((await signIn('viewer', 'a longer password')).statusCode).toBe(200);
});

test('the language of a user is kept', async () => {
  const cookie = await api.signIn('viewer');
  const reply = await api.app.inject({
    method: 'PATCH',
    url: '/api/session',
    payload: { language: 'en' },
    headers: { cookie },
  });
  expect(reply.statusCode).toBe(204);
  expect((await who(cookie)).json<SessionView>().user.language).toBe('en');
});

test('requests of other sites are refused even with the cookie', async () => {
  const cookie = await api.signIn('admin');
  const post = (headers: Record<string, string>) =>
    api.app.inject({
      method: 'POST',
      url: '/api/suppressions',
      payload: { phone: '13800000000' },
      headers: { cookie, host: '127.0.0.1:8080', ...headers },
    });
  expect((await post({ origin: 'http://127.0.0.1:8080' })).statusCode).toBe(201);
  expect((await post({})).statusCode).toBe(201);
  expect((await post({ origin: 'http://127.0.0.1:9999' })).statusCode).toBe(403);
  expect((await post({ origin: 'https://evil.example' })).statusCode).toBe(403);
  expect((await post({ origin: 'null' })).statusCode).toBe(403);
  expect((await post({ 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
  const forced = await signIn('admin', PASSWORD, { origin: 'https://evil.example' });
  expect(forced.statusCode).toBe(403);
});

test('the local operator acts with the token and under a name of its own', async () => {
  const ask = (token: string) =>
    api.app.inject({
      method: 'POST',
      url: '/api/suppressions',
      payload: { phone: '13800000000' },
      headers: { authorization: `Bearer ${token}` },
    });
  expect((await ask(`${OPERATOR_TOKEN}x`)).statusCode).toBe(401);
  expect((await ask('')).statusCode).toBe(401);
  expect((await ask(OPERATOR_TOKEN)).statusCode).toBe(201);
  const rows = await auditRows();
  expect(rows).toEqual([{ actor: 'local-operator', action: 'suppression.add', subject: '+86138****0000' }]);
});

test('administrators manage users, and one always stays', async () => {
  const cookie = await api.signIn('admin');
  const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
    api.app.inject({ method, url, headers: { cookie }, ...(payload === undefined ? {} : { payload }) });
  const made = await ask('POST', '/api/users', { name: '王芳', password: PASSWORD, role: 'viewer', language: 'zh' });
  expect(made.statusCode).toBe(201);
  const again = await ask('POST', '/api/users', { name: '王芳', password: PASSWORD, role: 'viewer', language: 'zh' });
  expect(again.statusCode).toBe(409);
  const bad = await ask('POST', '/api/users', { name: ' ', password: 'short', role: 'root', language: 'zh', x: 1 });
  expect(
    bad
      .json<ApiError>()
      .error.problems.map(({ path }) => path)
      .sort(),
  ).toEqual(['name', 'password', 'role', 'x']);
  const list = await ask('GET', '/api/users');
  expect(list.json<UserView[]>().map(({ name }) => name)).toContain('王芳');
  expect(list.body).not.toContain('argon2');

  const own = await ask('DELETE', `/api/users/${api.users.admin}`);
  expect(own.statusCode).toBe(409);
  const last = await api.app.inject({
    method: 'DELETE',
    url: `/api/users/${api.users.admin}`,
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
  });
  expect(last.statusCode).toBe(409);
  const session = await api.signIn('viewer');
  expect((await ask('DELETE', `/api/users/${api.users.viewer}`)).statusCode).toBe(204);
  expect((await who(session)).statusCode).toBe(401);
  expect((await ask('DELETE', `/api/users/${api.users.viewer}`)).statusCode).toBe(404);
  expect((await auditRows()).map(({ action }) => action)).toEqual(
    expect.arrayContaining(['user.create', 'user.delete']),
  );
});
