import type { Role, UserView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import type { Language } from '#domain/text.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { hashPassword, verifyPassword } from './password.ts';

/** The tables of users and their sessions. */
export type UserTables = {
  users: { id: UserId; name: string; password_hash: string; role: Role; language: Language; created_at: Date };
  sessions: { token_hash: Buffer; user_id: UserId; created_at: Date; expires_at: Date };
};

export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly role: Role;
  readonly language: Language;
}

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
    .withTables<UserTables>()
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

/** What those of the users are called who are still there. */
export async function namesOfUsers(db: Db, ids: readonly UserId[]): Promise<ReadonlyMap<UserId, string>> {
  const rows = await db
    .withTables<UserTables>()
    .selectFrom('users')
    .select(['id', 'name'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export async function countUsers(db: Db): Promise<number> {
  const row = await db
    .withTables<UserTables>()
    .selectFrom('users')
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Every user by name. */
export async function listUsers(db: Db): Promise<readonly UserView[]> {
  const rows = await db
    .withTables<UserTables>()
    .selectFrom('users')
    .select(['id', 'name', 'role', 'language', 'created_at'])
    .orderBy('name')
    .execute();
  return rows.map(({ created_at, ...user }) => ({ ...user, createdAt: created_at.toISOString() }));
}

/**
 * Removes a user with every session; an administrator always stays.
 * @throws AppError `not-found`, `conflict` for the last administrator
 */
export async function deleteUser(db: Db, id: UserId): Promise<void> {
  const tables = db.withTables<UserTables>();
  // All administrators are locked, so that two of them cannot remove each other at the same time.
  const administrators = await tables
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .orderBy('id')
    .forUpdate()
    .execute();
  if (administrators.length === 1 && administrators[0]?.id === id) {
    throw new AppError('conflict', {
      zh: '这是最后一个管理员，不能删除。请先添加另一个管理员。',
      en: 'This is the last administrator and stays; add another one first.',
    });
  }
  const removed = await tables.deleteFrom('users').where('id', '=', id).executeTakeFirst();
  if (removed.numDeletedRows === 0n) {
    throw new AppError('not-found', { zh: '没有这个用户。', en: 'There is no such user.' });
  }
}

/**
 * Gives a user another password, in the caller's transaction.
 * @throws AppError `invalid-input` where the current one is wrong
 */
export async function changePassword(
  db: Db,
  change: { readonly id: UserId; readonly current: string; readonly next: string },
): Promise<void> {
  const tables = db.withTables<UserTables>();
  const user = await tables.selectFrom('users').select('password_hash').where('id', '=', change.id).executeTakeFirst();
  if (user === undefined || !(await verifyPassword(change.current, user.password_hash))) {
    const text = { zh: '当前密码不对，请重新输入。', en: 'The current password is wrong; enter it again.' };
    throw new AppError('invalid-input', text, { problems: [{ path: 'current', message: text }] });
  }
  if (change.next === change.current) {
    const text = { zh: '新密码和当前密码相同，请换一个。', en: 'The new password is the current one; choose another.' };
    throw new AppError('invalid-input', text, { problems: [{ path: 'next', message: text }] });
  }
  const password_hash = await hashPassword(change.next);
  await tables.updateTable('users').set({ password_hash }).where('id', '=', change.id).execute();
}

/** Remembers the language a user reads. */
export async function setLanguage(db: Db, id: UserId, language: Language): Promise<void> {
  await db.withTables<UserTables>().updateTable('users').set({ language }).where('id', '=', id).execute();
}
