import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';
import type { TakeChannel } from '#calls/bridge/outside-target.ts';
import type { DialTrunk } from '#dialer/lines.ts';
import { freeSecondChannel, takeSecondChannel } from '#dialer/second-call.ts';

/** A slot in the trunk's calls per second that is further away is as good as none: callee and operator wait for it. */
const SLOT_MS = 2000;

export interface SecondCallsOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly trunks: readonly DialTrunk[];
  /** Takes the trunk's next slot and says how far away it is; undefined where that is more than `withinMs`. */
  readonly takeSlot: (trunk: string, withinMs: number) => number | undefined;
}

/**
 * Lets second calls take their channel and their turn on the trunk of the call that they stand beside. A database that
 * cannot be asked keeps nobody from being put through: the call goes out uncounted.
 */
export function secondCalls(o: SecondCallsOptions): TakeChannel {
  return async (attempt) => {
    const channels = o.trunks.find(({ name }) => name === attempt.trunk)?.freeChannels() ?? Infinity;
    const counted = await takeSecondChannel(o.db, attempt, Math.min(channels, MOST)).catch((error: unknown) => {
      o.log.warn({ call: attempt.id, err: error }, 'the channel of a second call could not be counted');
      return undefined;
    });
    if (counted === false) return undefined;
    const free = (): void => {
      if (counted === undefined) return;
      // At the latest the end of the attempt frees it.
      void freeSecondChannel(o.db, attempt.id).catch((error: unknown) =>
        o.log.warn({ call: attempt.id, err: error }, 'the channel of a second call could not be given back'),
      );
    };
    const waitMs = o.takeSlot(attempt.trunk, SLOT_MS);
    if (waitMs === undefined) {
      free();
      return undefined;
    }
    if (waitMs > 0) await new Promise<void>((resolve) => o.clock.setTimer(waitMs, resolve));
    return free;
  };
}

/** PostgreSQL knows no infinite integer. */
const MOST = 1_000_000;
