import { createHash, randomBytes } from 'node:crypto';
import type { Role, SessionView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import type { Language } from '#domain/text.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { hashPassword, verifyPassword } from './password.ts';

/** Sessions end after twelve hours: a shift. */
const SESSION_MS = 12 * 3600 * 1000;

type Tables = {
  users: { id: UserId; name: string; password_hash: string; role: Role; language: Language; created_at: Date };
  sessions: { token_hash: Buffer; user_id: UserId; created_at: Date; expires_at: Date };
};

export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly role: Role;
  readonly language: Language;
}

/** A hash that no password has, so that an unknown name costs the same time as a wrong password. */
let decoy: Promise<string> | undefined;

/** Makes a user; throws `conflict` where the name is taken. */
export async function createUser(
  db: Db,
  user: {
    readonly name: string;
    readonly password: string;
    readonly role: Role;
    readonly language: Language;
    readonly now: Date;
  },
): Promise<UserId> {
  const id = newId<'user'>(user.now);
  const result = await db
    .withTables<Tables>()
    .insertInto('users')
    .values({
      id,
      name: user.name,
      password_hash: await hashPassword(user.password),
      role: user.role,
      language: user.language,
      created_at: user.now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  if (result.numInsertedOrUpdatedRows === 0n) {
    throw new AppError('conflict', {
      zh: '这个用户名已经有了，请换一个。',
      en: 'This user name is taken; choose another.',
    });
  }
  return id;
}

export async function countUsers(db: Db): Promise<number> {
  const row = await db
    .withTables<Tables>()
    .selectFrom('users')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Checks name and password and opens a session; throws `unauthenticated` without saying which of them was wrong. */
export async function signIn(
  db: Db,
  input: { readonly name: string; readonly password: string; readonly now: Date },
): Promise<{ readonly token: string; readonly session: SessionView }> {
  const user = await db
    .withTables<Tables>()
    .selectFrom('users')
    .selectAll()
    .where('name', '=', input.name)
    .executeTakeFirst();
  decoy ??= hashPassword(randomBytes(16).toString('hex'));
  const right = await verifyPassword(input.password, user?.password_hash ?? (await decoy));
  if (user === undefined || !right) {
    throw new AppError('unauthenticated', {
      zh: '用户名或密码不对，请重新输入。',
      en: 'Wrong user name or password; enter them again.',
    });
  }
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(input.now.getTime() + SESSION_MS);
  const tables = db.withTables<Tables>();
  await tables.deleteFrom('sessions').where('expires_at', '<', input.now).execute();
  await tables
    .insertInto('sessions')
    .values({ token_hash: digest(token), user_id: user.id, created_at: input.now, expires_at: expiresAt })
    .execute();
  return { token, session: viewOf(user, expiresAt) };
}

/** The session behind a token, or undefined where there is none or it has run out. */
export async function findSession(
  db: Db,
  token: string,
  now: Date,
): Promise<{ readonly user: User; readonly session: SessionView } | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.name', 'users.role', 'users.language', 'sessions.expires_at'])
    .where('sessions.token_hash', '=', digest(token))
    .where('sessions.expires_at', '>', now)
    .executeTakeFirst();
  return row === undefined ? undefined : { user: row, session: viewOf(row, row.expires_at) };
}

export async function signOut(db: Db, token: string): Promise<void> {
  await db.withTables<Tables>().deleteFrom('sessions').where('token_hash', '=', digest(token)).execute();
}

/** Remembers the language a user reads. */
export async function setLanguage(db: Db, id: UserId, language: Language): Promise<void> {
  await db.withTables<Tables>().updateTable('users').set({ language }).where('id', '=', id).execute();
}

/** Only digests of tokens are stored, so a copy of the database opens no session. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function viewOf(user: User, expiresAt: Date): SessionView {
  return {
    user: { id: user.id, name: user.name, role: user.role, language: user.language },
    expiresAt: expiresAt.toISOString(),
  };
}
