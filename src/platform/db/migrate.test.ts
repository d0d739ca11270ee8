import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { silentLog } from '../log.ts';
import { openDatabase, type OpenDatabase } from './database.ts';
import { migrate } from './migrate.ts';

let template: TestDatabase;
beforeAll(async () => {
  template = await testDatabase();
});
afterAll(() => template.close());

/** A directory of migrations and an empty schema to apply them to. */
async function bench(files: Record<string, string>) {
  const directory = scratchDirectory();
  const schema = path
    .basename(directory)
    .replaceAll(/[^a-zA-Z0-9]/g, '')
    .toLowerCase();
  const write = async (more: Record<string, string>) => {
    for (const [name, sql] of Object.entries(more)) await writeFile(path.join(directory, name), sql);
  };
  await write(files);
  await template.pool.query(`CREATE SCHEMA ${schema}`);
  const opened: OpenDatabase = await openDatabase(`${template.url}?options=-csearch_path%3D${schema}`);
  const url = pathToFileURL(`${directory}/`);
  return { ...opened, write, run: () => migrate(opened.pool, silentLog, url) };
}

const ONE = { '0001_one.sql': 'CREATE TABLE one (id int)' };

test('the numbered files of this version are applied once, and not again', async () => {
  const files = (await readdir(new URL('../../../migrations/', import.meta.url))).toSorted();
  const { rows } = await template.pool.query('SELECT name FROM schema_migrations ORDER BY name');
  expect(rows.map((row) => row.name)).toEqual(files);
  expect(await migrate(template.pool, silentLog)).toEqual({ applied: [] });
});

test('no two migrations have the same number', async () => {
  const numbers = (await readdir(new URL('../../../migrations/', import.meta.url))).map((name) => name.slice(0, 4));
  expect(numbers).toEqual([...new Set(numbers)]);
});

test('new files are applied in order, after those that were', async () => {
  const { run, write, close } = await bench(ONE);
  expect(await run()).toEqual({ applied: ['0001_one.sql'] });
  await write({ '0010_ten.sql': 'DROP TABLE two', '0002_two.sql': 'ALTER TABLE one RENAME TO two' });
  expect(await run()).toEqual({ applied: ['0002_two.sql', '0010_ten.sql'] });
  await close();
});

test('two nodes that start together apply each file once', async () => {
  const { run, close } = await bench({ ...ONE, '0002_two.sql': 'CREATE TABLE two (id int)' });
  const results = await Promise.all([run(), run(), run()]);
  expect(results.flatMap((result) => result.applied)).toEqual(['0001_one.sql', '0002_two.sql']);
  await close();
});

test('a file that fails leaves nothing behind and can be tried again', async () => {
  const { run, write, pool, close } = await bench({ ...ONE, '0002_two.sql': 'CREATE TABLE two (id int); SELECT 1/0' });
  await expect(run()).rejects.toMatchObject({ code: 'migration-failed' });
  expect((await pool.query(`SELECT to_regclass('two') AS two, to_regclass('one') AS one`)).rows[0]).toEqual({
    two: null,
    one: 'one',
  });
  await write({ '0002_two.sql': 'CREATE TABLE two (id int)' });
  expect(await run()).toEqual({ applied: ['0002_two.sql'] });
  await close();
});

test('an applied file that was changed is refused', async () => {
  const { run, write, close } = await bench(ONE);
  await run();
  await write({ '0001_one.sql': 'CREATE TABLE one (id bigint)' });
  await expect(run()).rejects.toMatchObject({ code: 'migration-failed', message: expect.stringContaining('0001_one') });
  await close();
});

test('a database of a newer version is refused', async () => {
  const { run, pool, close } = await bench(ONE);
  await run();
  await pool.query(`INSERT INTO schema_migrations (name, checksum) VALUES ('0099_later.sql', 'x')`);
  await expect(run()).rejects.toMatchObject({ message: expect.stringContaining('newer version') });
  await close();
});
