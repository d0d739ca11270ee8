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
import { scriptVariables } from '#dialer/variables.ts';
import { list, load } from '#dialog/store.ts';

/** A person asked for this dial, so it rings as long as a campaign's default. */
const RING_TIMEOUT_MS = 45_000;

/** Waits this long at the end for calls that were hung up, so that their records are written. */
const CLOSE_MS = 10_000;

export interface SingleCallsOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
  readonly placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>;
  /** The trunk for a number among those that a call names, and their group where others may stand in. */
  readonly lineFor: (named: string, phone: string) => { readonly trunk: string; readonly group: string | undefined };
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
      const attempt = await openAttempt(o, call);
      const settled = follow(o, attempt, hangUp.signal).finally(() => live.delete(settled));
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

async function follow(o: SingleCallsOptions, attempt: Attempt, signal: AbortSignal): Promise<void> {
  let code: OutcomeCode = 'lost';
  try {
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

/** The suppression list holds here too; calling windows do not, because a person stands behind the dial. */
async function openAttempt(o: SingleCallsOptions, call: SingleCall): Promise<Attempt> {
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
  const { trunk, group } = o.lineFor(call.trunk, call.phone);
  const attempt: Attempt = {
    id: newId<'attempt'>(now),
    campaignId: undefined,
    leadId: undefined,
    contactId: undefined,
    number: 1,
    phone: call.phone,
    callerNumber: call.callerNumber,
    timeZone: call.timeZone,
    trunk,
    ...(group === undefined ? {} : { standIns: { group, callerNumber: call.callerNumber } }),
    ringTimeoutMs: RING_TIMEOUT_MS,
    script,
    variables: values,
    createdAt: now,
  };
  await openSingleAttempt(o.db, attempt, o.nodeId);
  return attempt;
}

function goingAway(): AppError {
  return new AppError(
    'unavailable',
    { zh: '平台正在停止，不再拨打新电话。', en: 'The platform is stopping and places no new calls.' },
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
