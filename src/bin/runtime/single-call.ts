import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { AttemptId, ScriptId } from '#domain/ids.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { Clock, Timer } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import type { Log } from '#platform/log.ts';
import type { SingleCall } from '#api/context.ts';
import { isSuppressed } from '#compliance/suppression.ts';
import { closeSingleAttempt, openSingleAttempt } from '#dialer/single-attempt.ts';
import type { SingleLines } from './trunk-lines.ts';
import { scriptVariables } from '#dialer/variables.ts';
import { list, load } from '#dialog/store.ts';

/** A person asked for this dial, so it rings as long as a campaign's default. */
const RING_TIMEOUT_MS = 45_000;

/** A slot in a trunk's calls per second that is further away is as good as none: somebody waits for the call. */
const SLOT_MS = 5_000;

/** Waits this long at the end for calls that were hung up, so that their records are written. */
const CLOSE_MS = 10_000;

export interface SingleCallsOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
  readonly placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>;
  /** The trunks for a number among those that a call names. */
  readonly linesFor: (named: string, phone: string) => SingleLines;
  /** Takes the trunk's next slot and says how far away it is; undefined where that is more than `withinMs`. */
  readonly takeSlot: (trunk: string, withinMs: number) => number | undefined;
  /** Whether the node takes another call now. */
  readonly admits: () => boolean;
}

/** Dials outside of any campaign. */
export interface SingleCalls {
  /** Resolves once the attempt is committed; the call goes on by itself. Throws `conflict` and `invalid-input`. */
  place(call: SingleCall): Promise<AttemptId>;
  /** Calls that go on. */
  readonly live: number;
  /** Places none any more; those that go on do. */
  drain(): void;
  /** Hangs up and waits for the records, a bounded time. The owner closes the call centre and the database later. */
  close(): Promise<void>;
}

/** Opens the way for single calls. */
export function openSingleCalls(o: SingleCallsOptions): SingleCalls {
  const hangUp = new AbortController();
  const live = new Set<Promise<void>>();
  let draining = false;
  return {
    get live() {
      return live.size;
    },
    drain() {
      draining = true;
    },
    async place(call) {
      if (draining) throw goingAway();
      const { attempt, waitMs } = await openAttempt(o, call);
      const settled = follow(o, attempt, waitMs, hangUp.signal).finally(() => live.delete(settled));
      live.add(settled);
      return attempt.id;
    },
    async close() {
      hangUp.abort();
      let giveUp: Timer | undefined;
      const bound = new Promise<void>((resolve) => {
        giveUp = o.clock.setTimer(CLOSE_MS, resolve);
      });
      await Promise.race([Promise.all(live), bound]);
      giveUp?.cancel();
    },
  };
}

async function follow(o: SingleCallsOptions, attempt: Attempt, waitMs: number, signal: AbortSignal): Promise<void> {
  let code: OutcomeCode = 'lost';
  try {
    await turn(o.clock, waitMs, signal);
    ({ code } = await o.placeCall(attempt, signal));
  } catch (error) {
    o.log.error({ attemptId: attempt.id, err: error }, 'a single call failed');
  }
  try {
    await closeSingleAttempt(o.db, attempt.id, code, o.clock.now());
  } catch (error) {
    o.log.error({ attemptId: attempt.id, err: error }, 'a single call could not be settled');
  }
}

/** Waits for the slot; a call that is taken back meanwhile ends without an INVITE. */
async function turn(clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
  if (waitMs <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimer(waitMs, done);
    signal.addEventListener('abort', done);
  });
}

/** The suppression list holds here too; calling windows do not, because a person stands behind the dial. */
async function openAttempt(
  o: SingleCallsOptions,
  call: SingleCall,
): Promise<{ readonly attempt: Attempt; readonly waitMs: number }> {
  if (await isSuppressed(o.db, call.phone)) {
    throw new AppError('conflict', {
      zh: '这个号码在禁呼名单中，不能拨打。',
      en: 'This number is on the suppression list and must not be called.',
    });
  }
  const summary = (await list(o.db)).find(({ id }) => id === call.scriptId);
  if (summary === undefined || summary.publishedVersion === null) {
    throw new AppError('invalid-input', {
      zh: '话术不存在或尚未发布。',
      en: 'There is no such script, or it is not published.',
    });
  }
  const script = await load(o.db, summary.id as ScriptId, summary.publishedVersion);
  const { values, missing } = scriptVariables(script, {
    name: call.variables['name'] ?? '',
    attributes: call.variables,
  });
  if (missing.length > 0) {
    throw new AppError('invalid-input', {
      zh: `话术需要这些变量：${missing.join('、')}。请用 --var 名称=值 给出。`,
      en: `The script needs these variables: ${missing.join(', ')}. Give them with --var name=value.`,
    });
  }
  // After what is wrong with the call itself, which trying again later would not mend.
  if (!o.admits()) throw busy();
  const now = o.clock.now();
  const { trunks, group } = o.linesFor(call.trunk, call.phone);
  if (trunks.length === 0) throw noTrunk(call.trunk);
  const attempt: Omit<Attempt, 'trunk' | 'callerNumber'> = {
    id: newId<'attempt'>(now),
    campaignId: undefined,
    leadId: undefined,
    contactId: undefined,
    number: 1,
    phone: call.phone,
    timeZone: call.timeZone,
    ...(group === undefined ? {} : { standIns: { group, callerNumber: call.callerNumber } }),
    ringTimeoutMs: RING_TIMEOUT_MS,
    script,
    variables: values,
    createdAt: now,
  };
  for (const { name: trunk, channels, callerNumber: rule } of trunks) {
    const waitMs = o.takeSlot(trunk, SLOT_MS);
    if (waitMs === undefined) continue;
    // A trunk that was named owns the number; of a group not every one does.
    const callerNumber = group === undefined ? call.callerNumber : rule(call.phone, call.callerNumber);
    const dial = { ...attempt, trunk, callerNumber };
    if (await openSingleAttempt(o.db, dial, { nodeId: o.nodeId, channels })) return { attempt: dial, waitMs };
  }
  throw linesBusy(call.trunk);
}

function goingAway(): AppError {
  return new AppError(
    'unavailable',
    { zh: '平台正在停止，不再拨打新电话。', en: 'The platform is stopping and places no new calls.' },
    { retryable: true },
  );
}

function noTrunk(named: string): AppError {
  return new AppError('invalid-input', {
    zh: `没有名为“${named}”且接受这个号码的线路；用 waihu trunk list 查看，或改线路的 takes。`,
    en: `No trunk named "${named}" takes this number; see waihu trunk list, or change takes of the trunk.`,
  });
}

function linesBusy(named: string): AppError {
  return new AppError(
    'unavailable',
    {
      zh: `线路“${named}”的通道或每秒呼叫额度已用完，请稍后再试。`,
      en: `The channels or calls per second of trunk "${named}" are used up; try again later.`,
    },
    { retryable: true },
  );
}

function busy(): AppError {
  return new AppError(
    'unavailable',
    {
      zh: '平台繁忙，暂不拨打新电话，请稍后再试。',
      en: 'The platform is busy and places no new calls; try again later.',
    },
    { retryable: true },
  );
}
