import type { Db } from '#platform/db/database.ts';
import { dialsToday } from '#compliance/attempt-facts.ts';
import { decideDial } from '#compliance/decide.ts';
import { isSuppressed } from '#compliance/suppression.ts';
import type { DialDecision, DialFacts } from '#dialer/dial-store.ts';

/** Asks compliance about one dial; `db` is the transaction that takes the lead. */
export async function allowDial(facts: DialFacts, now: Date, db: Db): Promise<DialDecision> {
  const { phone, timeZone, settings } = facts;
  return decideDial({
    phone,
    timeZone,
    windows: settings.windows,
    suppressed: await isSuppressed(db, phone),
    dialsToday: await dialsToday(db, phone, timeZone, now),
    dailyCap: settings.dailyCap,
    now,
  });
}
