import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ApiError, CampaignView, LeadView, Page, Role, SuppressionView } from '#domain/api.ts';
import type { BusEvents } from '#platform/bus-events.ts';
import { defaultSettings } from '#campaigns/settings.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { OPERATOR_TOKEN, TRUNK, testApi } from '../../test/support/api.ts';
import type { TestApi } from '../../test/support/api.ts';
import { seedImport } from '../../test/support/campaign.ts';

let api: TestApi;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'waihu-api-'));
  api = await testApi({ directory });
});
afterAll(async () => {
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

type Method = 'GET' | 'POST' | 'DELETE' | 'PATCH';
const ask = (method: Method, url: string, payload?: object, headers: Record<string, string> = {}) =>
  api.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
const NO_ID = '01900000-0000-7000-8000-000000000000';
const NO_LISTENER = '01900000-0000-7000-8000-000000000001';

describe('who may do what', () => {
  const MATRIX: readonly [Method, string, Role | 'anyone'][] = [
    ['GET', '/api/health', 'anyone'],
    ['GET', '/api/openapi.json', 'anyone'],
    ['POST', '/api/session', 'anyone'],
    ['DELETE', '/api/session', 'anyone'],
    ['GET', '/api/session', 'viewer'],
    ['PATCH', '/api/session', 'viewer'],
    ['POST', '/api/session/password', 'viewer'],
    ['GET', '/api/users', 'admin'],
    ['POST', '/api/users', 'admin'],
    ['DELETE', `/api/users/${NO_ID}`, 'admin'],
    ['GET', '/api/scripts', 'viewer'],
    ['GET', `/api/scripts/${NO_ID}`, 'viewer'],
    ['GET', '/api/trunks', 'viewer'],
    ['GET', '/api/defaults', 'viewer'],
    ['POST', '/api/imports/preview', 'operator'],
    ['POST', '/api/imports', 'operator'],
    ['GET', '/api/imports', 'viewer'],
    ['GET', `/api/imports/${NO_ID}/rejected.csv`, 'operator'],
    ['GET', '/api/campaigns', 'viewer'],
    ['POST', '/api/campaigns', 'operator'],
    ['GET', `/api/campaigns/${NO_ID}`, 'viewer'],
    ['POST', `/api/campaigns/${NO_ID}/state`, 'operator'],
    ['GET', `/api/campaigns/${NO_ID}/leads`, 'viewer'],
    ['GET', '/api/calls', 'viewer'],
    ['GET', '/api/calls.csv', 'operator'],
    ['GET', `/api/calls/${NO_ID}`, 'viewer'],
    ['GET', `/api/calls/${NO_ID}/recording.wav`, 'viewer'],
    ['POST', '/api/calls', 'operator'],
    ['GET', `/api/calls/${NO_ID}/bridge`, 'operator'],
    ['POST', `/api/calls/${NO_ID}/transfer`, 'operator'],
    ['DELETE', `/api/calls/${NO_ID}/transfer`, 'operator'],
    ['POST', `/api/calls/${NO_ID}/hang-up`, 'operator'],
    ['POST', `/api/calls/${NO_ID}/monitor`, 'operator'],
    ['PATCH', `/api/calls/${NO_ID}/monitor/${NO_LISTENER}`, 'operator'],
    ['DELETE', `/api/calls/${NO_ID}/monitor/${NO_LISTENER}`, 'operator'],
    ['GET', '/api/announcements', 'viewer'],
    ['POST', '/api/announcements?label=busy', 'operator'],
    ['POST', '/api/announcements/try', 'operator'],
    ['DELETE', '/api/announcements/absent', 'operator'],
    ['GET', '/api/early-media', 'operator'],
    ['GET', `/api/early-media/${NO_ID}.wav`, 'operator'],
    ['GET', '/api/metrics', 'viewer'],
    ['GET', '/api/suppressions', 'viewer'],
    ['POST', '/api/suppressions', 'operator'],
    ['DELETE', `/api/suppressions/${NO_ID}`, 'admin'],
    ['GET', `/api/live?campaign=${NO_ID}`, 'viewer'],
  ];
  const RANK = { anyone: -1, viewer: 0, operator: 1, admin: 2 };
  /** A body that the schema takes, so that the refusal is the role's. */
  const BODIES: Readonly<Record<string, object>> = {
    'PATCH /api/session': { language: 'zh' },
    'POST /api/session/password': { current: 'not the one', next: 'long enough by far' },
    'POST /api/users': { name: 'neu', password: 'long enough by far', role: 'viewer', language: 'zh' },
    'POST /api/campaigns': { name: 'a', scriptId: NO_ID, settings: {}, importIds: [] },
    [`POST /api/campaigns/${NO_ID}/state`]: { action: 'start' },
    [`POST /api/calls/${NO_ID}/transfer`]: { kind: 'blind', target: '+8613800000000' },
    [`POST /api/calls/${NO_ID}/monitor`]: { target: '+8613800000000', role: 'monitor' },
    [`PATCH /api/calls/${NO_ID}/monitor/${NO_LISTENER}`]: { role: 'barge' },
    'POST /api/calls': { number: '1', scriptId: NO_ID },
    'POST /api/suppressions': { phone: '1' },
    'POST /api/session': { name: 'nobody', password: 'nothing' },
  };

  test('every route of the API is in the matrix', () => {
    const routes = Object.entries(api.app.swagger().paths ?? {}).flatMap(([url, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${url}`),
    );
    const named = (url: string): string =>
      url.replace(NO_ID, '{id}').replace(NO_LISTENER, '{listener}').replace('absent', '{name}').split('?')[0]!;
    const listed = MATRIX.map(([method, url]) => `${method} ${named(url)}`);
    // Hidden from the document: the document itself and the WebSocket.
    expect(routes.sort()).toEqual(listed.filter((route) => !/openapi|live/.test(route)).sort());
  });

  test.each(['nobody', 'viewer', 'operator', 'admin'] as const)('%s', async (who) => {
    const cookie = who === 'nobody' ? '' : await api.signIn(who);
    const rank = who === 'nobody' ? -1 : RANK[who];
    const wrong: string[] = [];
    for (const [method, url, needed] of MATRIX) {
      // A fresh session each time would be the other way round a sign-out.
      if (method === 'DELETE' && url === '/api/session') continue;
      const payload = BODIES[`${method} ${url}`];
      const reply = await api.app.inject({
        method,
        url,
        headers: { cookie },
        ...(payload === undefined ? {} : { payload }),
      });
      const refused = reply.statusCode === 403 || (reply.statusCode === 401 && url !== '/api/session');
      const expected = RANK[needed] > rank;
      const right = url === '/api/session' && method === 'POST' ? reply.statusCode === 401 : refused === expected;
      const seen = url === '/api/session' && method !== 'POST' ? (reply.statusCode === 401) === expected : right;
      if (!seen || reply.statusCode >= 500) wrong.push(`${method} ${url}: ${reply.statusCode}`);
    }
    expect(wrong).toEqual([]);
  });

  test('another spelling of a path is no way around the sign-in', async () => {
    for (const url of ['/%61pi/campaigns', '/api/%63ampaigns', '/%61pi/users', '/api//campaigns', '/API/campaigns']) {
      const reply = await api.app.inject({ url });
      expect([401, 404]).toContain(reply.statusCode);
    }
    expect((await api.app.inject({ url: '/%61pi/campaigns' })).statusCode).toBe(401);
    expect((await api.app.inject({ method: 'HEAD', url: '/api/campaigns' })).statusCode).toBe(401);
  });
});

describe('failures', () => {
  test('a wrong body tells every problem with its path, in both languages', async () => {
    const reply = await ask('POST', '/api/campaigns', { name: '', importIds: ['x', NO_ID], extra: 1 });
    expect(reply.statusCode).toBe(400);
    const { error } = reply.json<ApiError>();
    expect(error.code).toBe('invalid-input');
    expect([...new Set(error.problems.map(({ path }) => path))].sort()).toEqual([
      'extra',
      'importIds[0]',
      'name',
      'scriptId',
      'settings',
    ]);
    for (const { message } of error.problems) expect(message.zh).toMatch(/[\u4e00-\u9fff]/);
  });

  test('an address that does not exist is an ApiError, without the query', async () => {
    const reply = await ask('GET', '/api/nothing?phone=13800000000');
    expect(reply.statusCode).toBe(404);
    expect(reply.json<ApiError>().error.code).toBe('not-found');
    expect(reply.body).not.toContain('13800000000');
    const broken = await ask('GET', '/api/%zz');
    expect([broken.statusCode, broken.json<ApiError>().error.code]).toEqual([400, 'invalid-input']);
  });

  test('too large a body, bad JSON, another type', async () => {
    const large = await ask('POST', '/api/suppressions', { phone: '1', note: 'x'.repeat(1024 * 1024) });
    expect([large.statusCode, large.json<ApiError>().error.code]).toEqual([413, 'too-large']);
    const send = (payload: string, type: string) =>
      api.app.inject({
        method: 'POST',
        url: '/api/suppressions',
        payload,
        headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': type },
      });
    for (const reply of [
      await send('{"phone":', 'application/json'),
      await send('{"__proto__":{"phone":"1"}}', 'application/json'),
      await send('phone=1', 'application/x-www-form-urlencoded'),
      await send(`{"phone":"1","note":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'application/json'),
    ])
      expect([reply.statusCode, reply.json<ApiError>().error.code]).toEqual([400, 'invalid-input']);
  });

  test('ids, cursors, times and texts of any form never fail inside', async () => {
    const forms = [
      'x',
      '-'.repeat(36),
      `urn:uuid:${NO_ID}`,
      NO_ID.replace('0190', '01AB'),
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '%00',
      "'--",
      '..%2f..%2fetc%2fpasswd',
    ];
    const paths = forms.flatMap((id) => [
      `/api/campaigns/${id}`,
      `/api/campaigns/${id}/leads`,
      `/api/calls/${id}`,
      `/api/calls/${id}/recording.wav`,
      `/api/imports/${id}/rejected.csv`,
      `/api/scripts/${id}`,
    ]);
    for (const url of paths) expect([url, (await ask('GET', url)).statusCode]).toEqual([url, 404]);
    for (const id of forms) {
      expect((await ask('POST', `/api/campaigns/${id}/state`, { action: 'start' })).statusCode).toBe(404);
      expect((await ask('DELETE', `/api/suppressions/${id}`)).statusCode).toBe(404);
      expect((await ask('DELETE', `/api/users/${id}`)).statusCode).toBe(404);
    }
    const queries = [
      ...forms.slice(0, 4).flatMap((c) => [`imports?cursor=${c}`, `calls?cursor=${c}`, `suppressions?cursor=${c}`]),
      'calls?from=2016-12-31T23:59:60Z',
      'calls?from=yesterday',
      'calls?minTalkSeconds=1e300',
      'calls?minTalkSeconds=-1',
      'calls?limit=0',
      'calls?limit=501',
      'calls?outcome=none',
      'calls?phone=%00',
      'calls?campaignId=a&campaignId=b',
      'calls.csv?timeZone=Nowhere/Land',
    ];
    for (const query of queries) expect([query, (await ask('GET', `/api/${query}`)).statusCode]).toEqual([query, 400]);
    for (const fine of ['from=0001-01-01T00:00:00Z', 'to=9999-12-31T23:59:59Z', 'phone=abc', 'phone=%25'])
      expect((await ask('GET', `/api/calls?${fine}`)).statusCode).toBe(200);
    const note = await ask('POST', '/api/suppressions', { phone: '13800000000', note: 'a\0b' });
    expect(note.json<ApiError>().error.problems.map(({ path }) => path)).toEqual(['note']);
    expect((await ask('POST', '/api/session', { name: 'a\0', password: 'x' })).statusCode).toBe(400);
  });

  test('what nobody foresaw is logged and tells nothing of its inside', async () => {
    await sql`ALTER TABLE suppressions RENAME TO hidden`.execute(api.database.db);
    const reply = await ask('GET', '/api/suppressions');
    await sql`ALTER TABLE hidden RENAME TO suppressions`.execute(api.database.db);
    expect(reply.statusCode).toBe(500);
    expect(reply.json<ApiError>().error.code).toBe('internal');
    expect(reply.body).not.toMatch(/relation|suppressions|stack|node_modules/);
    expect(api.logged()).toContain('relation');
  });
});

describe('campaigns', () => {
  const settings = defaultSettings(TRUNK);
  const create = (over: object = {}) =>
    ask('POST', '/api/campaigns', { name: '秋季续费', scriptId: api.scriptId, settings, importIds: [], ...over });
  const countCampaigns = async () =>
    (await sql<{ n: number }>`SELECT count(*)::int AS n FROM campaigns`.execute(api.database.db)).rows[0]!.n;

  let events: [string, unknown][];
  let stop: () => void;
  beforeEach(() => {
    events = [];
    const stops = (['campaign-changed', 'lead-changed', 'suppression-added'] as const).map((topic) =>
      api.bus.subscribe(topic, (event: BusEvents[typeof topic]) => void events.push([topic, event])),
    );
    stop = () => stops.forEach((end) => end());
  });
  afterEach(() => stop());

  test('a draft takes the leads of its imports', async () => {
    const importId = await seedImport(api.database.db, { count: 3, now: api.clock.now() });
    const reply = await create({ importIds: [importId] });
    expect(reply.statusCode).toBe(201);
    const campaign = reply.json<CampaignView>();
    expect(campaign).toMatchObject({ name: '秋季续费', state: 'draft', settings, startedAt: null });
    expect(campaign.counts.leads).toEqual({ pending: 3, dialing: 0, waiting: 0, done: 0 });
    expect(events).toEqual([['campaign-changed', { campaignId: campaign.id }]]);
    expect((await ask('GET', `/api/campaigns/${campaign.id}`)).json()).toEqual(campaign);
    expect((await ask('GET', '/api/campaigns')).json<CampaignView[]>()).toContainEqual(campaign);
  });

  test('every problem of the settings is told by its path', async () => {
    const reply = await create({
      settings: {
        ...settings,
        windows: [{ weekday: 8, startMinute: 600, endMinute: 500 }],
        redial: [{ outcome: 'busy', delaysSeconds: [], maxRetries: 1 }],
        trunk: 'none',
        dailyCap: 0,
      },
    });
    expect(reply.statusCode).toBe(400);
    expect(
      reply
        .json<ApiError>()
        .error.problems.map(({ path }) => path)
        .sort(),
    ).toEqual([
      'settings.dailyCap',
      'settings.redial[0].delaysSeconds',
      'settings.trunk',
      'settings.windows[0].endMinute',
      'settings.windows[0].weekday',
    ]);
  });

  test('nothing of a campaign stays when one of its imports cannot be taken', async () => {
    const before = await countCampaigns();
    const importId = await seedImport(api.database.db, { count: 2, now: api.clock.now(), firstNumber: 13_700_000_000 });
    const unknown = await create({ importIds: [importId, NO_ID] });
    expect(unknown.json<ApiError>().error.problems.map(({ path }) => path)).toEqual(['importIds[1]']);
    await sql`ALTER TABLE leads ADD CONSTRAINT broken CHECK (state <> 'pending') NOT VALID`.execute(api.database.db);
    const broken = await create({ importIds: [importId] });
    await sql`ALTER TABLE leads DROP CONSTRAINT broken`.execute(api.database.db);
    expect(broken.statusCode).toBe(500);
    expect(await countCampaigns()).toBe(before);
    expect(events).toEqual([]);
    expect((await create({ scriptId: NO_ID })).json<ApiError>().error.problems[0]?.path).toBe('scriptId');
  });

  test('states change only as allowed, and each change is on record', async () => {
    const importId = await seedImport(api.database.db, { count: 1, now: api.clock.now(), firstNumber: 13_600_000_000 });
    const { id } = (await create({ importIds: [importId] })).json<CampaignView>();
    const act = async (action: string) => {
      const reply = await ask('POST', `/api/campaigns/${id}/state`, { action });
      return reply.statusCode === 200 ? reply.json<CampaignView>().state : reply.statusCode;
    };
    expect(await act('pause')).toBe(409);
    expect(await act('start')).toBe('running');
    expect(await act('start')).toBe(409);
    expect(await act('pause')).toBe('paused');
    expect(await act('resume')).toBe('running');
    expect(await act('cancel')).toBe('cancelled');
    expect(await act('resume')).toBe(409);
    expect(await act('explode')).toBe(400);
    const rows = await sql<{ action: string; actor: string }>`
      SELECT action, actor FROM audit WHERE subject = ${id} ORDER BY seq`.execute(api.database.db);
    expect(rows.rows.map(({ action }) => action)).toEqual([
      'campaign.create',
      'campaign.start',
      'campaign.pause',
      'campaign.resume',
      'campaign.cancel',
    ]);
    expect(new Set(rows.rows.map(({ actor }) => actor))).toEqual(new Set(['local-operator']));
    const empty = (await create()).json<CampaignView>();
    expect((await ask('POST', `/api/campaigns/${empty.id}/state`, { action: 'start' })).statusCode).toBe(409);
  });

  test('leads come in pages, by filter, with numbers masked', async () => {
    const importId = await seedImport(api.database.db, { count: 5, now: api.clock.now(), firstNumber: 13_500_000_000 });
    const { id } = (await create({ importIds: [importId] })).json<CampaignView>();
    const leads = async (query: string) =>
      (await ask('GET', `/api/campaigns/${id}/leads?${query}`)).json<Page<LeadView>>();
    const first = await leads('limit=2');
    expect([first.items.length, first.total]).toEqual([2, 5]);
    expect(first.items[0]?.phone).toBe('+86135****0000');
    const second = await leads(`limit=4&cursor=${first.next}`);
    expect(second.items.length).toBe(3);
    expect(second.next).toBeUndefined();
    expect((await leads('state=done')).total).toBe(0);
    expect((await leads('state=pending&search=0003')).items.map(({ phone }) => phone)).toEqual(['+86135****0003']);
    expect((await leads('search=%25')).total).toBe(0);
    expect((await leads('outcome=busy&grade=A')).total).toBe(0);
  });

  test('a suppression ends leads at once, is told on the bus and is on record', async () => {
    const importId = await seedImport(api.database.db, { count: 1, now: api.clock.now(), firstNumber: 13_400_000_000 });
    const { id } = (await create({ importIds: [importId] })).json<CampaignView>();
    events.length = 0;
    const reply = await ask('POST', '/api/suppressions', { phone: '134 0000 0000', note: '本人要求' });
    expect([reply.statusCode, reply.json()]).toEqual([201, { added: 1 }]);
    expect(events.map(([topic]) => topic)).toEqual(['suppression-added', 'lead-changed', 'campaign-changed']);
    expect(events[0]?.[1]).toEqual({ phone: '+8613400000000', attemptId: undefined });
    const view = (await ask('GET', `/api/campaigns/${id}`)).json<CampaignView>();
    expect(view.counts.reasons).toEqual({ suppressed: 1 });
    const list = (await ask('GET', '/api/suppressions?phone=13400000000')).json<Page<SuppressionView>>();
    expect(list.items).toMatchObject([{ phone: '+86134****0000', note: '本人要求', source: 'manual' }]);
    const entry = list.items[0]!;
    expect((await ask('DELETE', `/api/suppressions/${entry.id}`)).statusCode).toBe(204);
    expect((await ask('DELETE', `/api/suppressions/${entry.id}`)).statusCode).toBe(404);
    const rows = await sql<{ action: string }>`
      SELECT action FROM audit WHERE subject = '+86134****0000' ORDER BY seq`.execute(api.database.db);
    expect(rows.rows.map(({ action }) => action)).toEqual(['suppression.add', 'suppression.remove']);
    const all = await sql<{ text: string }>`SELECT string_agg(audit::text, '') AS text FROM audit`.execute(
      api.database.db,
    );
    expect(all.rows[0]?.text).not.toMatch(/134\s?0000\s?0000/);
    expect((await ask('POST', '/api/suppressions', { phone: 'abc' })).json<ApiError>().error.problems[0]?.path).toBe(
      'phone',
    );
  });
});

describe('a call by hand', () => {
  const dial = (over: object = {}) =>
    ask('POST', '/api/calls', { number: '13300000000', scriptId: api.scriptId, variables: { a: 'b' }, ...over });

  test('goes out on the first trunk with its first caller number', async () => {
    const reply = await dial();
    expect(reply.statusCode).toBe(201);
    expect(api.placed.at(-1)).toEqual({
      phone: '+8613300000000',
      timeZone: 'Asia/Shanghai',
      scriptId: api.scriptId,
      variables: { a: 'b' },
      trunk: 'main',
      callerNumber: '+862100000000',
    });
    const row = await sql<{ detail: object; actor: string }>`
      SELECT detail, actor FROM audit WHERE subject = ${reply.json<{ id: string }>().id}`.execute(api.database.db);
    expect(row.rows).toEqual([{ detail: { phone: '+86133****0000' }, actor: 'local-operator' }]);
  });

  test('is refused for a bad number, trunk or caller number, and for who is on the suppression list', async () => {
    const before = api.placed.length;
    const problem = async (over: object) => (await dial(over)).json<ApiError>().error.problems[0]?.path;
    expect(await problem({ number: '12' })).toBe('number');
    expect(await problem({ trunk: 'none' })).toBe('trunk');
    expect(await problem({ callerNumber: '+861' })).toBe('callerNumber');
    expect(await problem({ scriptId: 'none' })).toBe('scriptId');
    expect(await problem({ variables: { name: 'x\0' } })).toBe('variables.name');
    await ask('POST', '/api/suppressions', { phone: '13200000000' });
    expect((await dial({ number: '13200000000' })).statusCode).toBe(409);
    expect(api.placed.length).toBe(before);
    expect(api.logged()).not.toMatch(/13[23]00000000/);
  });
});

test('scripts, trunks and defaults are what the wizard needs', async () => {
  expect((await ask('GET', '/api/scripts')).json()).toMatchObject([{ id: api.scriptId, publishedVersion: 1 }]);
  expect((await ask('GET', `/api/scripts/${api.scriptId}`)).json()).toHaveProperty('nodes');
  expect((await ask('GET', '/api/trunks')).json()).toEqual([TRUNK]);
  expect((await ask('GET', '/api/defaults')).json()).toMatchObject({ settings: defaultSettings(TRUNK) });
});

test('pages may load only what is ours and open WebSockets only to us', async () => {
  const { headers } = await ask('GET', '/api/trunks');
  const policy = String(headers['content-security-policy']);
  expect(policy).toMatch(/connect-src 'self'(;|$)/);
  expect(policy).toContain("style-src 'self' 'unsafe-inline'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
});
