import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from '#domain/text.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import { countUsers, createUser } from '#api/users.ts';
import { sampleScripts } from '#dialog/samples.ts';
import { list, publish, saveDraft } from '#dialog/store.ts';

/** Where the first administrator's password can be read until it is changed. */
export const PASSWORD_FILE = 'admin-password.txt';

/** Letters and digits that nobody mistakes for each other. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Makes the first administrator of an installation; returns name and password, or undefined where there are users. */
export async function createFirstAdministrator(
  db: Db,
  o: { readonly dataDirectory: string; readonly language: Language; readonly clock: Clock },
): Promise<{ readonly name: string; readonly password: string } | undefined> {
  if ((await countUsers(db)) > 0) return undefined;
  const password = Array.from({ length: 16 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  writeFileSync(join(o.dataDirectory, PASSWORD_FILE), `admin\n${password}\n`, { mode: 0o600 });
  await createUser(db, { name: 'admin', password, role: 'admin', language: o.language, now: o.clock.now() });
  return { name: 'admin', password };
}

/** Publishes the shipped scripts where an installation has none. */
export async function publishSampleScripts(db: Db, clock: Clock): Promise<void> {
  if ((await list(db)).length > 0) return;
  for (const script of sampleScripts()) {
    const id = await saveDraft(db, script, clock.now());
    await publish(db, id, clock.now());
  }
}
