import { userOfActor } from '#domain/actor.ts';
import type { TimelineEvent } from '#domain/call.ts';
import type { UserId } from '#domain/ids.ts';
import type { Db } from '#platform/db/database.ts';
import { isUuid } from '#platform/id.ts';
import { namesOfUsers } from './users.ts';

/**
 * The events of a call with whoever transferred, listened in or hung up called by their name. The local operator and users
 * who have been removed stay as the audit log has them (`local-operator`, `user:…`).
 */
export async function withActorNames(db: Db, timeline: readonly TimelineEvent[]): Promise<readonly TimelineEvent[]> {
  const ids = new Set(timeline.flatMap((event) => userIn(event) ?? []));
  if (ids.size === 0) return timeline;
  const names = await namesOfUsers(db, [...ids]);
  return timeline.map((event) => {
    const id = userIn(event);
    const name = id === undefined ? undefined : names.get(id);
    return name === undefined ? event : ({ ...event, by: name } as TimelineEvent);
  });
}

function userIn(event: TimelineEvent): UserId | undefined {
  if (event.type === 'ended' || !('by' in event) || event.by === undefined) return undefined;
  const id = userOfActor(event.by);
  return id !== undefined && isUuid(id) ? id : undefined;
}
