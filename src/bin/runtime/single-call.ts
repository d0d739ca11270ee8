import type { Attempt, CallOutcome } from '#domain/call.ts';
import type { AttemptId, ScriptId } from '#domain/ids.ts';
import type { Clock } from '#platform/clock.ts';
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

/**
 * Dials one number outside of any campaign. The suppression list holds here too; calling windows do not, because a
 * person stands behind the dial. Resolves once the attempt is committed; the call goes on by itself.
 */
export async function placeSingleCall(
  o: {
    readonly db: Db;
    readonly clock: Clock;
    readonly log: Log;
    readonly nodeId: string;
    readonly placeCall: (attempt: Attempt, signal: AbortSignal) => Promise<CallOutcome>;
  },
  call: SingleCall,
): Promise<AttemptId> {
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
  const now = o.clock.now();
  const attempt: Attempt = {
    id: newId<'attempt'>(now),
    campaignId: undefined,
    leadId: undefined,
    contactId: undefined,
    number: 1,
    phone: call.phone,
    callerNumber: call.callerNumber,
    trunk: call.trunk,
    ringTimeoutMs: RING_TIMEOUT_MS,
    script,
    variables: values,
    createdAt: now,
  };
  await openSingleAttempt(o.db, attempt, o.nodeId);
  void o
    .placeCall(attempt, new AbortController().signal)
    .then(
      (outcome) => outcome.code,
      (error: unknown) => {
        o.log.error({ attemptId: attempt.id, err: error }, 'a single call failed');
        return 'lost' as const;
      },
    )
    .then((code) => closeSingleAttempt(o.db, attempt.id, code, o.clock.now()))
    .catch((error: unknown) =>
      o.log.error({ attemptId: attempt.id, err: error }, 'a single call could not be settled'),
    );
  return attempt.id;
}
