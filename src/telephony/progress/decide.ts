import type { Evidence, NetworkOutcome } from '#domain/outcome.ts';
import { NETWORK_OUTCOMES } from '#domain/outcome.ts';
import type { CallClass } from './answering-machine.ts';
import type { Detection } from './detector.ts';
import { parseReason } from '../sip/reason.ts';
import type { CallEnd } from '../sip/user-agent.ts';

/** Everything the network said about one dial. */
export interface NetworkFacts {
  readonly status: number | undefined;
  /** Raw Reason header of the final response or BYE. */
  readonly reason: string | undefined;
  readonly cause: CallEnd['cause'];
  readonly by: CallEnd['by'];
  readonly detections: readonly Detection[];
  /** From the INVITE to the first 18x. */
  readonly ringMs: number | undefined;
  readonly answered: boolean;
  /** Why our side hung up, where it did. */
  readonly hangUpReason: string | undefined;
  readonly callClass: CallClass;
  readonly callClassEvidence: string;
  /** Mappings of this trunk that override the general ones, by `Q.850;cause=N` or `SIP N`. */
  readonly overrides?: Readonly<Record<string, NetworkOutcome>>;
}

export interface NetworkDecision {
  readonly outcome: NetworkOutcome;
  readonly evidence: readonly Evidence[];
  readonly confidence: number;
}

type Mapping = readonly [outcome: NetworkOutcome, confidence: number];

/** ITU-T Q.850 causes as carriers use them; 16 and 31 say nothing by themselves. */
const CAUSES: Readonly<Record<number, Mapping>> = {
  1: ['invalid-number', 0.95],
  2: ['invalid-number', 0.7],
  3: ['invalid-number', 0.75],
  17: ['busy', 0.7],
  18: ['unreachable', 0.6],
  19: ['no-answer', 0.85],
  20: ['out-of-coverage', 0.55],
  21: ['rejected', 0.85],
  22: ['number-changed', 0.95],
  27: ['congestion', 0.6],
  28: ['invalid-number', 0.85],
  31: ['no-answer', 0.25],
  34: ['congestion', 0.9],
  38: ['congestion', 0.85],
  41: ['congestion', 0.85],
  42: ['congestion', 0.9],
  47: ['congestion', 0.8],
  55: ['incoming-barred', 0.85],
  57: ['caller-id-blocked', 0.7],
  65: ['media-refused', 0.7],
  79: ['media-refused', 0.6],
  88: ['media-refused', 0.7],
  102: ['congestion', 0.6],
};

/** Final SIP codes; weak where switches use one code for many things. */
const STATUSES: Readonly<Record<number, Mapping>> = {
  401: ['trunk-auth-failed', 0.9],
  403: ['operator-blocked', 0.6],
  404: ['invalid-number', 0.8],
  407: ['trunk-auth-failed', 0.9],
  408: ['unreachable', 0.5],
  410: ['number-changed', 0.9],
  480: ['no-answer', 0.35],
  484: ['invalid-number', 0.8],
  486: ['busy', 0.6],
  487: ['no-answer', 0.3],
  488: ['media-refused', 0.85],
  500: ['congestion', 0.5],
  502: ['congestion', 0.8],
  503: ['congestion', 0.85],
  504: ['congestion', 0.8],
  600: ['busy', 0.6],
  603: ['rejected', 0.75],
  604: ['invalid-number', 0.85],
  606: ['media-refused', 0.7],
  607: ['spam-labelled', 0.95],
  608: ['spam-labelled', 0.95],
};

const TONES: Readonly<Record<string, Mapping>> = {
  busy: ['busy', 0.6],
  congestion: ['congestion', 0.6],
  sit: ['invalid-number', 0.3],
  ringback: ['no-answer', 0.3],
};

/** Q.850 texts and 603 reasons of analytics engines that label callers. */
const SPAM_TEXT = /spam|robocall|analytics|nuisance|unwanted/i;

/** Our own words for a hang-up that says nothing about the callee. */
const OWN_CANCEL: ReadonlySet<string> = new Set(['cancelled', 'shutdown', 'worker-lost']);

/**
 * Weighs the four kinds of evidence and names the outcome. Evidence for the same outcome adds up as independent
 * chances: 1 − ∏(1 − confidence). Sources: RFC 3398, RFC 8197, RFC 8688 and the behaviour of Chinese switches.
 */
export function decideNetworkOutcome(facts: NetworkFacts): NetworkDecision {
  const evidence = facts.answered ? answeredEvidence(facts) : unansweredEvidence(facts);
  const doubts = new Map<NetworkOutcome, number>();
  for (const { suggests, confidence } of evidence) {
    const outcome = suggests as NetworkOutcome;
    doubts.set(outcome, (doubts.get(outcome) ?? 1) * (1 - confidence));
  }
  let outcome: NetworkOutcome = 'unreachable';
  let doubt = 1;
  for (const [candidate, itsDoubt] of doubts) {
    if (itsDoubt < doubt) {
      outcome = candidate;
      doubt = itsDoubt;
    }
  }
  return { outcome, evidence, confidence: Math.round((1 - doubt) * 1000) / 1000 };
}

function answeredEvidence(facts: NetworkFacts): Evidence[] {
  const answer: Evidence = { kind: 'final-code', detail: 'SIP 200', suggests: 'answered', confidence: 0.8 };
  const { callClass } = facts;
  if (callClass === 'unknown' || callClass === 'human') return [answer];
  return [
    answer,
    { kind: 'in-call', detail: `${callClass}:${facts.callClassEvidence}`, suggests: callClass, confidence: 0.95 },
  ];
}

function unansweredEvidence(facts: NetworkFacts): Evidence[] {
  const evidence: Evidence[] = [];
  if (facts.hangUpReason !== undefined && OWN_CANCEL.has(facts.hangUpReason)) {
    return [{ kind: 'platform', detail: facts.hangUpReason, suggests: 'cancelled', confidence: 0.99 }];
  }
  // An answer without SDP, or with none that fits our offer: it says nothing about the callee.
  if (facts.cause === 'protocol' || facts.hangUpReason === 'media-refused')
    return [{ kind: 'platform', detail: 'no media agreed', suggests: 'media-refused', confidence: 0.95 }];
  for (const detection of facts.detections) addDetection(evidence, detection);
  if (facts.by === 'platform') {
    if (facts.cause === 'ring-timeout')
      evidence.push({ kind: 'timing', detail: 'ring-timeout', suggests: 'no-answer', confidence: 0.85 });
    return evidence;
  }
  if (facts.cause === 'no-response' || facts.cause === 'transport') {
    evidence.push({ kind: 'timing', detail: `trunk ${facts.cause}`, suggests: 'trunk-unreachable', confidence: 0.9 });
    return evidence;
  }
  addReason(evidence, facts);
  addStatus(evidence, facts);
  if (
    facts.status === 480 &&
    facts.ringMs !== undefined &&
    facts.detections.some(({ label }) => label === 'ringback')
  ) {
    evidence.push({ kind: 'timing', detail: 'rang before 480', suggests: 'no-answer', confidence: 0.4 });
  }
  return evidence;
}

function addDetection(evidence: Evidence[], { kind, label, confidence }: Detection): void {
  if (kind === 'announcement') {
    if (!isNetworkOutcome(label)) return;
    evidence.push({
      kind: 'early-media',
      detail: `announcement:${label}`,
      suggests: label,
      confidence: Math.min(confidence, 0.97),
    });
    return;
  }
  const mapping = TONES[label];
  if (mapping !== undefined)
    evidence.push({
      kind: 'early-media',
      detail: `tone:${label}`,
      suggests: mapping[0],
      confidence: mapping[1] * confidence,
    });
}

function addReason(evidence: Evidence[], facts: NetworkFacts): void {
  for (const { protocol, cause, text } of facts.reason === undefined ? [] : parseReason(facts.reason)) {
    if (SPAM_TEXT.test(text))
      evidence.push({ kind: 'reason', detail: 'analytics label', suggests: 'spam-labelled', confidence: 0.95 });
    if (protocol.toUpperCase() !== 'Q.850' || cause === undefined) continue;
    const detail = `Q.850;cause=${cause}`;
    const override = facts.overrides?.[detail];
    const mapping = override === undefined ? CAUSES[cause] : ([override, 0.97] as const);
    if (mapping !== undefined) evidence.push({ kind: 'reason', detail, suggests: mapping[0], confidence: mapping[1] });
  }
}

function addStatus(evidence: Evidence[], facts: NetworkFacts): void {
  if (facts.status === undefined) return;
  const detail = `SIP ${facts.status}`;
  const override = facts.overrides?.[detail];
  const mapping =
    override === undefined ? (STATUSES[facts.status] ?? classOf(facts.status)) : ([override, 0.97] as const);
  if (mapping !== undefined)
    evidence.push({ kind: 'final-code', detail, suggests: mapping[0], confidence: mapping[1] });
}

function classOf(status: number): Mapping | undefined {
  if (status >= 500 && status < 600) return ['congestion', 0.5];
  return status >= 300 ? ['unreachable', 0.3] : undefined;
}

function isNetworkOutcome(label: string): label is NetworkOutcome {
  return (NETWORK_OUTCOMES as readonly string[]).includes(label);
}
