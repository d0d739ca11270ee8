import type { Attempt, FailedTrunk } from '#domain/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { DialStore } from './dial-store.ts';
import { inOrder } from './lines.ts';
import type { Lines } from './lines.ts';

/** A slot in a trunk's calls per second that is further away is as good as none: the next trunk may have one now. */
const SLOT_MS = 2000;

export interface FailOverOptions {
  readonly store: Pick<DialStore, 'move'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/**
 * Moves a dial to the next trunk of its group, in the order of a first dial: by priority, then drawn by weight, those
 * that are held, rest, are full or do not take the number left out. Resolves when its slot has come, with the attempt as
 * it is committed now; undefined where none takes it, or the database cannot say.
 */
export async function moveToNext(
  o: FailOverOptions,
  lines: readonly Lines[],
  attempt: Attempt,
  tried: readonly FailedTrunk[],
): Promise<Attempt | undefined> {
  const { standIns, phone } = attempt;
  const failed = tried.at(-1);
  if (standIns === undefined || failed === undefined) return undefined;
  const known = new Set([attempt.trunk, ...tried.map(({ trunk }) => trunk)]);
  const left = lines.filter(({ trunk }) => trunk.group === standIns.group && !known.has(trunk.name));
  const nowMs = o.clock.monotonicMs();
  const usable = left.filter(
    (one) =>
      one.trunk.takes?.test(phone) !== false &&
      one.trunk.hold() === undefined &&
      one.restsUntilMs(nowMs) === undefined &&
      one.pace.nextMs(nowMs) - nowMs <= SLOT_MS,
  );
  for (const { trunk, pace } of inOrder(usable, o.random)) {
    const callerNumber = trunk.callerNumber(phone, standIns.callerNumber);
    const to = { trunk: trunk.name, callerNumber, channels: trunk.freeChannels(), failed, now: o.clock.now() };
    const moved = await o.store.move(attempt, to).catch((error: unknown) => {
      o.log.warn({ call: attempt.id, err: error }, 'a dial could not be moved to another trunk');
      return undefined;
    });
    if (moved === undefined) return undefined;
    if (!moved) continue;
    const { status, detail } = failed;
    o.log.info({ call: attempt.id, trunk: failed.trunk, status, why: detail, next: trunk.name }, 'a dial goes on');
    const atMs = pace.nextMs(o.clock.monotonicMs());
    pace.take(atMs);
    const waitMs = atMs - o.clock.monotonicMs();
    if (waitMs > 0) await new Promise<void>((resolve) => o.clock.setTimer(waitMs, resolve));
    return { ...attempt, trunk: trunk.name, callerNumber, standIns: left.length > 1 ? standIns : undefined };
  }
  return undefined;
}
