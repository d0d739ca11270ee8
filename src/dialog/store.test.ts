import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '#platform/error.ts';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { installSample, readSample } from './publish.ts';
import { list, load, loadDraft, publish, saveDraft } from './store.ts';

const NOW = new Date('2026-01-05T02:00:00Z');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database.close();
});

test('a draft is saved by its key and published as versions that do not change', async () => {
  const script = await readSample('trial-lesson');
  const id = await saveDraft(database.db, script, NOW);
  expect(await saveDraft(database.db, { ...script, name: '改名' }, NOW)).toBe(id);
  expect((await publish(database.db, id, NOW)).version).toBe(1);
  await saveDraft(database.db, { ...script, name: '再改名' }, NOW);
  expect((await publish(database.db, id, NOW)).version).toBe(2);
  expect(await load(database.db, id, 1)).toEqual({ ...script, name: '改名', version: 1 });
  expect((await loadDraft(database.db, id)).name).toBe('再改名');
  const [summary] = await list(database.db);
  expect(summary).toMatchObject({ id, key: 'trial-lesson', name: '再改名', publishedVersion: 2 });
  expect(summary?.variables).toContainEqual({ name: 'name', label: '家长姓名', required: false });
});

test('a script with lint errors is kept as a draft and not published', async () => {
  const script = await readSample('instalment-offer');
  const broken = { ...script, id: 'broken', globals: script.globals.filter((handler) => handler.kind !== 'opt-out') };
  const id = await saveDraft(database.db, broken, NOW);
  const refusal = await publish(database.db, id, NOW).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(AppError);
  expect(refusal).toMatchObject({ code: 'invalid-input', problems: [{ code: 'missing-global' }] });
  await expect(load(database.db, id, 1)).rejects.toMatchObject({ code: 'not-found' });
});

test('a sample is installed once', async () => {
  const first = await installSample(database.db, 'credit-card-reminder', NOW);
  const again = await installSample(database.db, 'credit-card-reminder', NOW);
  expect([again.id, again.version]).toEqual([first.id, 1]);
});
