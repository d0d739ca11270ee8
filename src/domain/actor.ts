import type { UserId } from './ids.ts';

/** How the audit log and the timelines of calls name whoever acts from the command line of the machine itself. */
export const LOCAL_OPERATOR_ACTOR = 'local-operator';
const USER = 'user:';

/** How they name a user. */
export function userActor(id: UserId): string {
  return USER + id;
}

/** The user whom an actor names; undefined for anybody else. */
export function userOfActor(actor: string): UserId | undefined {
  return actor.startsWith(USER) ? (actor.slice(USER.length) as UserId) : undefined;
}
