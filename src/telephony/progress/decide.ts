import { HUNG_UP_BY_OPERATOR } from '#domain/call.ts';
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
  /** How long the callee's own line rang, by 180 or by a ringback tone; undefined where nothing says that it did. */
  readonly rangMs?: number | undefined;
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

/** ITU-T Q.850 causes as carriers use them; 16 says nothing by itself, 31 next to nothing. */
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
  25: ['congestion', 0.6],
  27: ['congestion', 0.7],
  28: ['invalid-number', 0.85],
  31: ['no-answer', 0.25],
  34: ['congestion', 0.9],
  38: ['congestion', 0.85],
  41: ['congestion', 0.85],
  42: ['congestion', 0.9],
  43: ['congestion', 0.6],
  44: ['congestion', 0.85],
  47: ['congestion', 0.8],
  55: ['incoming-barred', 0.85],
  57: ['caller-id-blocked', 0.7],
  58: ['congestion', 0.6],
  65: ['media-refused', 0.7],
  79: ['media-refused', 0.6],
  88: ['media-refused', 0.7],
  102: ['congestion', 0.7],
  127: ['congestion', 0.3],
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
  // Any recorded announcement may follow, except where North American switches say which kind.
  sit: ['invalid-number', 0.3],
  'sit-intercept': ['invalid-number', 0.5],
  'sit-vacant': ['invalid-number', 0.6],
  'sit-reorder': ['congestion', 0.7],
  'sit-no-circuit': ['congestion', 0.7],
  ringback: ['no-answer', 0.3],
  'fax-ced': ['fax', 0.8],
};

/** Statuses of trunks: what a cause beside them says about the callee counts half (notes: never the lead's fault). */
const TRUNK_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);
const TRUNK_DOUBT = 0.5;
/** Busy at once is busy; a line that rang first was declined by hand, or rang out where it rang for long. */
const RANG_AT_ALL_MS = 1500;
const RANG_OUT_MS = 25_000;

/** Q.850 texts and 603 reasons of analytics engines that label callers. */
const SPAM_TEXT = /spam|robocall|analytics|nuisance|unwanted/i;

/** Our own words for a hang-up that says nothing about the callee. */
const OWN_CANCEL: ReadonlySet<string> = new Set(['cancelled', 'shutdown', 'worker-lost', HUNG_UP_BY_OPERATOR]);

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
  if (callClass === 'ivr')
    return [
      answer,
      { kind: 'in-call', detail: `ivr:${facts.callClassEvidence}`, suggests: 'answered', confidence: 0.6 },
    ];
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
  addRinging(evidence, facts);
  return evidence;
}

/**
 * Chinese switches report a declined call and one that nobody took alike as busy or unavailable (486, 480): how long the
 * line rang tells them apart, unless an announcement does.
 */
function addRinging(evidence: Evidence[], { status, rangMs, detections, reason, overrides }: NetworkFacts): void {
  if (rangMs === undefined || rangMs < RANG_AT_ALL_MS || (status !== 480 && status !== 486 && status !== 600)) return;
  if (overrides?.[`SIP ${status}`] !== undefined || detections.some(({ kind }) => kind === 'announcement')) return;
  const seconds = Math.round(rangMs / 1000);
  if (rangMs >= RANG_OUT_MS || status === 480)
    evidence.push({
      kind: 'timing',
      detail: `rang ${seconds} s before ${status}`,
      suggests: 'no-answer',
      confidence: rangMs >= RANG_OUT_MS ? 0.75 : 0.4,
    });
  // With a cause the switch knows what it says; without one a busy line would not have rung.
  else if (reason === undefined)
    evidence.push({
      kind: 'timing',
      detail: `rang ${seconds} s before ${status}`,
      suggests: 'rejected',
      confidence: 0.65,
    });
}

function addDetection(evidence: Evidence[], { kind, label, confidence }: Detection): void {
  // Speech and music say that somebody plays something, not what became of the call.
  if (kind === 'sound') return;
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
    const detail = `${protocol.toUpperCase()};cause=${cause}`;
    const mapping = cause === undefined ? undefined : causeMapping(facts, protocol.toUpperCase(), cause);
    if (mapping !== undefined) evidence.push({ kind: 'reason', detail, suggests: mapping[0], confidence: mapping[1] });
  }
}

function causeMapping({ status, overrides }: NetworkFacts, protocol: string, cause: number): Mapping | undefined {
  const override = overrides?.[`${protocol};cause=${cause}`];
  if (override !== undefined) return [override, 0.97];
  // A labelled call may be refused by any code with the true one in the Reason (RFC 8197 §7, RFC 8688 §3).
  if (protocol === 'SIP') return cause === 607 || cause === 608 ? STATUSES[cause] : undefined;
  if (protocol !== 'Q.850') return undefined;
  // 403 with "call rejected" is the network's rejection, not the callee's.
  if (cause === 21 && status === 403) return ['operator-blocked', 0.7];
  const mapping = CAUSES[cause];
  const doubted =
    mapping !== undefined && status !== undefined && TRUNK_STATUSES.has(status) && mapping[0] !== 'congestion';
  return doubted ? [mapping[0], mapping[1] * TRUNK_DOUBT] : mapping;
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
