import type { BusEvents } from '#platform/bus-events.ts';
import type { Bus } from '#platform/bus.ts';
import type { Db } from '#platform/db/database.ts';

/** Publishes nothing before the facts are committed. */
export type Publisher = Pick<Bus, 'publish'>;

/** Runs `work` in one transaction; what it publishes leaves once that is committed, and never when it is not. */
export async function committed<Result>(
  context: { readonly db: Db; readonly bus: Bus },
  work: (transaction: Db, bus: Publisher) => Promise<Result>,
): Promise<Result> {
  const events: (() => void)[] = [];
  const bus: Publisher = {
    publish<Topic extends keyof BusEvents>(topic: Topic, event: BusEvents[Topic]) {
      events.push(() => context.bus.publish(topic, event));
    },
  };
  const result = await context.db.transaction().execute((transaction) => work(transaction, bus));
  for (const publish of events) publish();
  return result;
}
