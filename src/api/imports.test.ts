import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApiError, ImportPreview, ImportView, Page } from '#domain/api.ts';
import { OPERATOR_TOKEN, multipart, testApi } from '../../test/support/api.ts';
import type { TestApi } from '../../test/support/api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await testApi({ uploadLimitBytes: 200_000 });
});
afterEach(() => api.close());

const authorization = `Bearer ${OPERATOR_TOKEN}`;
const upload = (url: string, parts: Parameters<typeof multipart>[0]) => {
  const { payload, headers } = multipart(parts);
  return api.app.inject({ method: 'POST', url, payload, headers: { ...headers, authorization } });
};
const file = (content: string | Uint8Array, fileName = 'list.csv') => ({ name: 'file', content, fileName });
const MAPPING = { phone: '手机', name: '姓名', ignore: ['备注'], rename: { 到期日: 'dueDate' } };

/** `手机,姓名,到期日,备注` and rows, in GB18030: two good, one bad, one that would be a formula. */
const GB18030 = Buffer.concat([
  Buffer.from('cad6bbfa2cd0d5c3fb2cb5bdc6dac8d52cb1b8d7a20a', 'hex'),
  Buffer.from('31333830303030303030312cd5c5c8fd2c352bd4c2', 'hex'),
  Buffer.from(',x\n13800000002,,6,y\n123,,7,z\n=1+1,,8,w\n'),
]);

async function countRows(table: 'contacts' | 'imports' | 'import_contacts'): Promise<number> {
  const rows = await sql<{ n: number }>`SELECT count(*)::int AS n FROM ${sql.table(table)}`.execute(api.database.db);
  return rows.rows[0]!.n;
}

test('a preview shows columns, first rows and guesses of a GB18030 file', async () => {
  const reply = await upload('/api/imports/preview', [file(GB18030)]);
  expect(reply.statusCode).toBe(200);
  const preview = reply.json<ImportPreview>();
  expect(preview).toMatchObject({
    encoding: 'gb18030',
    columns: ['手机', '姓名', '到期日', '备注'],
    guess: { phone: '手机', name: '姓名' },
  });
  expect(preview.rows[0]?.slice(0, 2)).toEqual(['13800000001', '张三']);
});

test('a preview of a long file reads its beginning, even where that ends within a character', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => `1380000${String(i).padStart(4, '0')},张三丰`).join('\n');
  for (const shift of ['', 'x', 'xx']) {
    const reply = await upload('/api/imports/preview', [file(`手机,姓名${shift}\n${rows}`)]);
    expect(reply.json<ImportPreview>()).toMatchObject({ encoding: 'utf-8', columns: ['手机', `姓名${shift}`] });
  }
});

test('an import takes the mapping, and gives the rejected rows back', async () => {
  const parts = [{ name: 'mapping', content: JSON.stringify(MAPPING) }, file(GB18030, '客户名单.csv')];
  const reply = await upload('/api/imports', parts);
  expect(reply.statusCode).toBe(200);
  const view = reply.json<ImportView>();
  expect(view).toMatchObject({ fileName: '客户名单.csv', rows: 4, imported: 2, merged: 0, rejected: 2 });
  expect(view.rejectedUrl).toBe(`/api/imports/${view.id}/rejected.csv`);
  const contacts = await sql<{ name: string; attributes: object }>`
    SELECT name, attributes FROM contacts ORDER BY phone`.execute(api.database.db);
  expect(contacts.rows[0]).toEqual({ name: '张三', attributes: { dueDate: expect.stringContaining('5') } });

  const rejected = await api.app.inject({ url: view.rejectedUrl!, headers: { authorization } });
  expect(rejected.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(rejected.body).toContain('"123"');
  expect(rejected.body).toContain(`"'=1+1"`);
  const list = (await api.app.inject({ url: '/api/imports', headers: { authorization } })).json<Page<ImportView>>();
  expect(list.items).toEqual([view]);

  const again = (await upload('/api/imports', parts)).json<ImportView>();
  expect(again).toMatchObject({ imported: 0, merged: 2 });
});

test('rejected rows are served from the imports directory alone', async () => {
  const view = (await upload('/api/imports', [file(GB18030)])).json<ImportView>();
  const fetchRejected = () => api.app.inject({ url: view.rejectedUrl!, headers: { authorization } });
  expect((await fetchRejected()).statusCode).toBe(200);
  for (const path of ['/etc/passwd', `${api.importsDirectory}/../../../../../../etc/passwd`, api.importsDirectory]) {
    await sql`UPDATE imports SET rejected_file = ${path}`.execute(api.database.db);
    expect((await fetchRejected()).statusCode).toBe(404);
  }
});

test('a wrong mapping, a missing file and another format say what to do', async () => {
  const problems = async (mapping: unknown) => {
    const reply = await upload('/api/imports', [{ name: 'mapping', content: JSON.stringify(mapping) }, file(GB18030)]);
    expect(reply.statusCode).toBe(400);
    return reply.json<ApiError>().error.problems.map(({ path }) => path);
  };
  expect(await problems({ ...MAPPING, phone: '电话' })).toEqual(['mapping.phone']);
  expect(await problems({ phone: 1 })).toEqual([]);
  expect(await problems({ ...MAPPING, rename: { 到期日: 'a\0' } })).toEqual(['mapping.rename.到期日']);
  expect((await upload('/api/imports', [])).statusCode).toBe(400);
  expect((await upload('/api/imports', [file('PK\u0003\u0004rest')])).json<ApiError>().error.text.en).toContain(
    'Excel',
  );
  const json = await api.app.inject({ method: 'POST', url: '/api/imports', payload: {}, headers: { authorization } });
  expect(json.statusCode).toBe(400);
  expect([await countRows('contacts'), await countRows('imports')]).toEqual([0, 0]);
});

test('a file over the limit is refused whole, not cut off', async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `138${String(i).padStart(8, '0')}`).join('\n');
  const reply = await upload('/api/imports', [file(`手机\n${rows}`)]);
  expect([reply.statusCode, reply.json<ApiError>().error.code]).toEqual([413, 'too-large']);
  const preview = await upload('/api/imports/preview', [file(`手机\n${rows}`)]);
  expect(preview.statusCode).toBe(413);
  expect([await countRows('contacts'), await countRows('imports')]).toEqual([0, 0]);
  expect(readdirSync(api.importsDirectory)).toEqual([]);
});

test('an upload that breaks off leaves nothing', async () => {
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const address = api.app.server.address() as { port: number };
  const socket = connect(address.port, '127.0.0.1');
  await once(socket, 'connect');
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n手机\n';
  const rows = `${Array.from({ length: 5000 }, (_, i) => `138${String(i).padStart(8, '0')}`).join('\n')}\n12\n`;
  socket.write(
    `POST /api/imports HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
      `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 150000\r\n\r\n${head}${rows}`,
  );
  const connections = async () =>
    (
      await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'COPY import_staging%' AND state = 'active'`.execute(
        api.database.db,
      )
    ).rows[0]!.n;
  await expect.poll(connections).toBe(1);
  socket.destroy();
  await expect.poll(connections).toBe(0);
  expect([await countRows('contacts'), await countRows('imports')]).toEqual([0, 0]);
  await expect.poll(() => readdirSync(api.importsDirectory)).toEqual([]);
});

test('names of files lose their path and what a log or header could not hold', async () => {
  const content = '手机\n13800000001\n';
  const nameOf = async (fileName: string) =>
    (await upload('/api/imports', [file(content, fileName)])).json<ImportView>().fileName;
  expect(await nameOf('C:\\\\data\\\\名单.csv')).toBe('名单.csv');
  expect(await nameOf('../../etc/cron.d/x')).toBe('x');
  expect((await nameOf('长'.repeat(2000))).length).toBe(255);
});
