import type { Attempt } from '#domain/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';
import { inOrder } from './lines.ts';
import type { Lines } from './lines.ts';
import { freeSecondChannel, takeSecondChannel } from './second-call.ts';

/** A slot in a trunk's calls per second that is further away is as good as none: callee and operator wait for it. */
const SLOT_MS = 2000;

export interface SecondLineOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** The way of a call beside another one. */
export interface SecondLine {
  readonly trunk: string;
  /** What the trunk's rule shows to whom is called. */
  readonly callerNumber: string;
  /** Gives the channel back; at the latest the end of the attempt does. */
  readonly free: () => void;
}

/**
 * Takes a channel and the next slot of a trunk for a call to `called` beside `attempt`, and resolves when the slot has
 * come: that of the attempt, or another one of its group where that does not take the number, is held or full. A number
 * without `+` means what the attempt's own trunk means by it. A database that cannot be asked keeps nobody from being put
 * through: the call goes out uncounted. Never rejects.
 */
export async function takeSecondLine(
  o: SecondLineOptions,
  lines: readonly Lines[],
  attempt: Attempt,
  called: string,
): Promise<SecondLine | 'no-trunk' | 'no-channel'> {
  const { clock, db, log } = o;
  const taking = candidates(o, lines, attempt, called);
  if (taking.length === 0) return 'no-trunk';
  for (const { trunk, pace } of taking) {
    if (trunk.hold() !== undefined || pace.nextMs(clock.monotonicMs()) - clock.monotonicMs() > SLOT_MS) continue;
    const { name } = trunk;
    const counted = await takeSecondChannel(db, attempt.id, name, trunk.freeChannels()).catch((error: unknown) => {
      log.warn({ call: attempt.id, err: error }, 'the channel of a second call could not be counted');
      return undefined;
    });
    if (counted === false) continue;
    const free = (): void => {
      if (counted === undefined) return;
      void freeSecondChannel(db, attempt.id, name).catch((error: unknown) =>
        log.warn({ call: attempt.id, err: error }, 'the channel of a second call could not be given back'),
      );
    };
    const waitMs = pace.takeWithin(clock.monotonicMs(), SLOT_MS);
    if (waitMs === undefined) {
      free();
      continue;
    }
    if (waitMs > 0) await new Promise<void>((resolve) => clock.setTimer(waitMs, resolve));
    return { trunk: name, callerNumber: trunk.callerNumber(called, attempt.callerNumber), free };
  }
  return 'no-channel';
}

/** The attempt's own trunk, then the others of its group as a dial tries them; those that rest come last. */
function candidates(
  { clock, random }: SecondLineOptions,
  lines: readonly Lines[],
  attempt: Attempt,
  called: string,
): readonly Lines[] {
  const own = lines.filter(({ trunk }) => trunk.name === attempt.trunk);
  if (!called.startsWith('+')) return own;
  const group = own[0]?.trunk.group;
  const others = lines.filter(
    ({ trunk }) => group !== undefined && trunk.group === group && !own.some((one) => one.trunk === trunk),
  );
  const nowMs = clock.monotonicMs();
  const rests = (one: Lines): number => (one.restsUntilMs(nowMs) === undefined ? 0 : 1);
  return [...own, ...inOrder(others, random)]
    .filter(({ trunk }) => trunk.takes?.test(called) !== false)
    .toSorted((a, b) => rests(a) - rests(b));
}
