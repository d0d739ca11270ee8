import type { Attempt, FinishedCall, SecondLeg, TimelineEvent } from '#domain/call.ts';
import type { Evidence, NetworkOutcome } from '#domain/outcome.ts';
import type { TransferRecord } from '#domain/transfer.ts';
import { decideNetworkOutcome } from '#telephony/progress/decide.ts';
import type { CallEnd } from '#telephony/sip/user-agent.ts';
import type { WorkerResult } from './worker-protocol.ts';

/** What the main thread saw of a call; milliseconds since the INVITE. */
export interface Signalling {
  readonly attempt: Attempt;
  readonly dialedAt: Date;
  readonly end: CallEnd;
  readonly endedMs: number;
  readonly ringMs: number | undefined;
  /** Undefined too where the answer could not be used. */
  readonly answeredMs: number | undefined;
  /** Why our side hung up, where it did. */
  readonly hangUpReason: string | undefined;
  readonly overrides: Readonly<Record<string, NetworkOutcome>>;
  readonly timeline: readonly TimelineEvent[];
  readonly transfer?: TransferRecord | undefined;
  /** Who took part beside the callee. */
  readonly legs: readonly SecondLeg[];
}

/** Why a call ended of which nothing is known but that its worker died. */
export const WORKER_LOST = 'worker-lost';

/** What a worker that is gone would have reported; `atMs` since the INVITE. */
export function lostResult(atMs: number, by: CallEnd['by']): WorkerResult {
  return {
    dialog: undefined,
    timeline: [{ type: 'ended', atMs, by, detail: WORKER_LOST }],
    turns: [],
    recording: undefined,
    media: undefined,
    legs: [],
    detections: [],
    callClass: 'unknown',
    callClassEvidence: '',
  };
}

/** Both threads' views of a call that is over as one record. */
export function finishedCall(seen: Signalling, result: WorkerResult): FinishedCall {
  const { attempt, dialedAt, end, endedMs, ringMs, answeredMs } = seen;
  return {
    attemptId: attempt.id,
    dialedAt,
    endedAt: new Date(dialedAt.getTime() + endedMs),
    ringMs: rounded(ringMs),
    answeredMs: rounded(answeredMs),
    talkMs: answeredMs === undefined ? 0 : Math.max(0, Math.round(endedMs - answeredMs)),
    hangupBy: end.by,
    sipStatus: end.status,
    sipReason: end.reason,
    ...outcomeOf(seen, result),
    dialog: result.dialog,
    timeline: [...seen.timeline, ...result.timeline]
      .map((event) => ({ ...event, atMs: Math.round(event.atMs) }))
      .toSorted((a, b) => a.atMs - b.atMs),
    turns: result.turns,
    recording: result.recording,
    media: result.media,
    ...(seen.legs.length === 0 ? {} : { legs: seen.legs }),
    ...(seen.transfer === undefined ? {} : { transfer: seen.transfer }),
  };
}

function outcomeOf(
  seen: Signalling,
  { detections, timeline, callClass, callClassEvidence }: WorkerResult,
): { readonly outcome: NetworkOutcome; readonly evidence: readonly Evidence[] } {
  const { end, ringMs, answeredMs, hangUpReason, overrides } = seen;
  const evidence = (suggests: NetworkOutcome, detail: string, confidence: number): Evidence[] => [
    { kind: 'platform', detail, suggests, confidence },
  ];
  if (hangUpReason === WORKER_LOST) return { outcome: 'lost', evidence: evidence('lost', WORKER_LOST, 0.99) };
  const decided = decideNetworkOutcome({
    status: end.status,
    reason: end.reason,
    cause: end.cause,
    by: end.by,
    detections,
    ringMs,
    rangMs: rangMsOf(seen, timeline),
    answered: answeredMs !== undefined,
    hangUpReason,
    callClass,
    callClassEvidence,
    overrides,
  });
  // For example an answer without a codec of ours: nobody said anything about the callee.
  if (decided.evidence.length > 0) return { outcome: decided.outcome, evidence: decided.evidence };
  return { outcome: decided.outcome, evidence: evidence(decided.outcome, hangUpReason ?? end.detail, 0.3) };
}

/** How long the callee's own line rang: since a 180, or since a ringback tone was heard. */
function rangMsOf({ timeline, endedMs }: Signalling, heard: readonly TimelineEvent[]): number | undefined {
  const rings = [...timeline, ...heard].filter(
    (event) =>
      (event.type === 'progress' && event.status === 180) || (event.type === 'tone' && event.label === 'ringback'),
  );
  return rings.length === 0 ? undefined : endedMs - Math.min(...rings.map(({ atMs }) => atMs));
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}
