import type { CallOutcome, FinishedCall } from '#domain/call.ts';
import type { Evidence, GradeCode, OutcomeCode } from '#domain/outcome.ts';

/** What the dialog's `endReason` or an in-call detector names, and the outcome it stands for. */
const IN_CALL_OUTCOMES: readonly OutcomeCode[] = ['voicemail', 'call-assistant', 'fax'];

/** An in-call detection below this does not outweigh the answer itself. */
const MIN_IN_CALL_CONFIDENCE = 0.5;

const NOT_REACHED = 'not reached';

/**
 * Names a finished call. What was heard in the call overrides the network: an answer by a mailbox, an assistant or a
 * fax is that and not `answered`. Whoever was not reached has grade F; an opt-out and slots survive in any case.
 */
export function decideOutcome(call: FinishedCall): CallOutcome {
  const inCall = strongestInCall(call.evidence);
  const reachedLine = call.answeredMs !== undefined;
  const code: OutcomeCode = reachedLine && inCall !== undefined ? inCall.suggests : call.outcome;
  const dialog = code === 'answered' ? call.dialog : undefined;
  const grade: GradeCode = code !== 'answered' ? 'F' : (dialog?.grade ?? 'F');
  const evidence = call.evidence.length > 0 ? call.evidence : [withoutEvidence(call)];
  return {
    attemptId: call.attemptId,
    code,
    evidence,
    confidence: confidenceOf(code, evidence),
    grade,
    gradeReason:
      code === 'answered' ? (dialog?.gradeReason ?? 'ended before the dialog began') : `${NOT_REACHED}: ${code}`,
    tags: call.dialog?.tags ?? [],
    slots: dialog?.slots ?? {},
    optedOut: call.dialog?.optedOut ?? false,
    callBackAt: dialog?.callBackAt,
    endedAt: call.endedAt,
  };
}

function strongestInCall(evidence: readonly Evidence[]): Evidence | undefined {
  let strongest: Evidence | undefined;
  for (const piece of evidence) {
    if (piece.kind !== 'in-call' || !IN_CALL_OUTCOMES.includes(piece.suggests)) continue;
    if (piece.confidence < MIN_IN_CALL_CONFIDENCE) continue;
    if (strongest === undefined || piece.confidence > strongest.confidence) strongest = piece;
  }
  return strongest;
}

/**
 * Pieces of different kinds that agree add up as independent witnesses, several of one kind count once; the strongest
 * one that disagrees takes away in proportion.
 */
function confidenceOf(code: OutcomeCode, evidence: readonly Evidence[]): number {
  const best = new Map<Evidence['kind'], number>();
  let against = 0;
  for (const piece of evidence) {
    if (piece.suggests === code) best.set(piece.kind, Math.max(best.get(piece.kind) ?? 0, piece.confidence));
    else if (!(code !== 'answered' && piece.suggests === 'answered')) against = Math.max(against, piece.confidence);
  }
  let doubt = 1;
  for (const confidence of best.values()) doubt *= 1 - Math.min(1, Math.max(0, confidence));
  const agreement = 1 - doubt;
  return Math.round(agreement * (1 - against * (1 - agreement)) * 1000) / 1000;
}

/** A dial that left no evidence at all still says what it rests on. */
function withoutEvidence(call: FinishedCall): Evidence {
  return call.sipStatus === undefined
    ? { kind: 'platform', detail: 'no-evidence', suggests: call.outcome, confidence: 0.5 }
    : { kind: 'final-code', detail: `SIP;status=${call.sipStatus}`, suggests: call.outcome, confidence: 0.6 };
}
