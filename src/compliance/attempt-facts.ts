import { PLATFORM_OUTCOMES } from '#domain/outcome.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Db } from '#platform/db/database.ts';
import { idFloor } from '#platform/id.ts';
import { startOfLocalDay } from './windows.ts';

type AttemptTables = {
  readonly attempts: { direction: string; id: AttemptId; phone: PhoneNumber; outcome: OutcomeCode | null };
};

/**
 * How often a number was dialled since midnight at the callee's place, over all campaigns, dials that are under way
 * included. An unknown zone counts without end, so that every cap denies.
 */
export async function dialsToday(db: Db, phone: PhoneNumber, timeZone: string | undefined, now: Date): Promise<number> {
  const midnight = timeZone === undefined ? undefined : startOfLocalDay(timeZone, now);
  if (midnight === undefined) return Number.POSITIVE_INFINITY;
  const row = await db
    .withTables<AttemptTables>()
    .selectFrom('attempts')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('phone', '=', phone)
    // Whoever calls us was not dialled.
    .where('direction', '=', 'outbound')
    .where('id', '>=', idFloor(midnight) as AttemptId)
    // A refusal of our own rang nowhere.
    .where((where) => where.or([where('outcome', 'is', null), where('outcome', 'not in', PLATFORM_OUTCOMES)]))
    .executeTakeFirstOrThrow();
  return row.count;
}
