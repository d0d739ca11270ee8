import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '#api/sessions.ts';
import { list } from '#dialog/store.ts';
import { ManualClock } from '#platform/clock.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { TestDatabase } from '../../../test/support/database.ts';
import { scratchDirectory } from '../../../test/support/scratch.ts';
import { createFirstAdministrator, PASSWORD_FILE, publishSampleScripts } from './first-start.ts';

const clock = new ManualClock();
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test('an installation gets one administrator, whose password only its owner can read, and gets none again', async () => {
  const dataDirectory = scratchDirectory();
  const made = await createFirstAdministrator(database.db, { dataDirectory, language: 'zh', clock });
  expect(made?.password).toMatch(/^[a-z2-9]{16}$/);
  const file = path.join(dataDirectory, PASSWORD_FILE);
  expect(readFileSync(file, 'utf8')).toBe(`admin\n${made?.password}\n`);
  expect(statSync(file).mode & 0o077).toBe(0);
  const signed = await signIn(database.db, { name: 'admin', password: made?.password ?? '', now: clock.now() });
  expect(signed).toMatchObject({ ok: true, session: { user: { name: 'admin', role: 'admin', language: 'zh' } } });
  expect(await createFirstAdministrator(database.db, { dataDirectory, language: 'en', clock })).toBeUndefined();
});

test('the shipped scripts are published once', async () => {
  await publishSampleScripts(database.db, clock);
  const first = await list(database.db);
  expect(first.map(({ key }) => key)).toEqual(
    expect.arrayContaining(['credit-card-reminder', 'instalment-offer', 'trial-lesson']),
  );
  expect(first.every(({ publishedVersion }) => publishedVersion === 1)).toBe(true);
  await publishSampleScripts(database.db, clock);
  expect(await list(database.db)).toEqual(first);
});
