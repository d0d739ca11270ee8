import { createHash, randomBytes } from 'node:crypto';
import type { SessionView } from '#domain/api.ts';
import type { UserId } from '#domain/ids.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';
import { hashPassword, verifyPassword } from './password.ts';
import type { User, UserTables } from './users.ts';

/** Sessions end after twelve hours: a shift. */
export const SESSION_MS = 12 * 3600 * 1000;

/** A hash that no password has, so that an unknown name costs the same time as a wrong password. */
let decoy: Promise<string> | undefined;

/** Makes the first refusal as quick as the later ones. */
export function warmDecoy(): Promise<string> {
  return (decoy ??= hashPassword(randomBytes(16).toString('hex')));
}

/** What a sign-in came to; a refusal names the user only for the audit chain, never for the caller. */
export type SignIn =
  | { readonly ok: true; readonly token: string; readonly session: SessionView }
  | { readonly ok: false; readonly userId: UserId | undefined };

/** Checks name and password and opens a session. */
export async function signIn(
  db: Db,
  input: { readonly name: string; readonly password: string; readonly now: Date },
): Promise<SignIn> {
  const tables = db.withTables<UserTables>();
  const user = await tables.selectFrom('users').selectAll().where('name', '=', input.name).executeTakeFirst();
  const right = await verifyPassword(input.password, user?.password_hash ?? (await warmDecoy()));
  if (user === undefined || !right) return { ok: false, userId: user?.id };
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(input.now.getTime() + SESSION_MS);
  await tables
    .insertInto('sessions')
    .values({ token_hash: digest(token), user_id: user.id, created_at: input.now, expires_at: expiresAt })
    .execute();
  return { ok: true, token, session: viewOf(user, expiresAt) };
}

/** The session behind a token, or undefined where there is none or it has run out. */
export async function findSession(
  db: Db,
  token: string,
  now: Date,
): Promise<{ readonly user: User; readonly session: SessionView } | undefined> {
  const row = await db
    .withTables<UserTables>()
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.name', 'users.role', 'users.language', 'sessions.expires_at'])
    .where('sessions.token_hash', '=', digest(token))
    .where('sessions.expires_at', '>', now)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { expires_at, ...user } = row;
  return { user, session: viewOf(user, expires_at) };
}

export async function signOut(db: Db, token: string): Promise<void> {
  await db.withTables<UserTables>().deleteFrom('sessions').where('token_hash', '=', digest(token)).execute();
}

/** Ends every session of a user but the one of this token. */
export async function signOutElsewhere(db: Db, id: UserId, token: string): Promise<void> {
  await db
    .withTables<UserTables>()
    .deleteFrom('sessions')
    .where('user_id', '=', id)
    .where('token_hash', '<>', digest(token))
    .execute();
}

/** Deletes the sessions that have run out. */
export async function deleteExpiredSessions(db: Db, now: Date): Promise<void> {
  await db.withTables<UserTables>().deleteFrom('sessions').where('expires_at', '<=', now).execute();
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

const CLEAN_EVERY_MS = 3600 * 1000;

/** Deletes run-out sessions every hour until stopped; a failure waits for the next time. */
export function cleanSessions(o: { readonly db: Db; readonly clock: Clock; readonly log: Log }): { stop(): void } {
  let timer: Timer;
  const next = (): void => {
    timer = o.clock.setTimer(CLEAN_EVERY_MS, clean, { unref: true });
  };
  const clean = (): void => {
    deleteExpiredSessions(o.db, o.clock.now()).catch((error: unknown) =>
      o.log.warn({ err: error }, 'run-out sessions could not be deleted'),
    );
    next();
  };
  next();
  return { stop: () => timer.cancel() };
}
