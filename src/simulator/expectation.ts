import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import type { CallFacts, CallLogLine } from './call-record.ts';

/** What a platform should make of one call. */
export interface Expectation {
  readonly outcome: OutcomeCode;
  /** Undefined where what happened does not fix one: the person left before having said what was meant. */
  readonly grade: GradeCode | undefined;
}

/** What a platform should make of one number after all its calls. */
export interface LeadExpectation extends Expectation {
  readonly attempts: number;
}

/** Judges one call by what its line and its person really did. */
export function expectationOf(facts: CallFacts): Expectation {
  const outcome = outcomeOf(facts);
  return { outcome, grade: outcome === 'answered' ? gradeOf(facts) : 'F' };
}

function outcomeOf(facts: CallFacts): OutcomeCode {
  const { ending } = facts;
  if (ending.by === 'failure') {
    switch (ending.reason) {
      case 'unsupported-media':
        return 'unreachable';
      case 'overloaded':
        return 'congestion';
      case 'caller-gone':
      case 'carrier-closed':
        return 'lost';
    }
  }
  if (!facts.answered && ending.by === 'caller' && !facts.causeTold) return 'no-answer';
  return facts.behaviour === 'human' ? 'answered' : facts.behaviour;
}

function gradeOf(facts: CallFacts): GradeCode | undefined {
  const cutShort = facts.ending.by === 'callee' && facts.linesSaid < facts.linesMeant;
  return cutShort ? undefined : facts.conversationGrade;
}

/** Expected result of every dialled number, by national number: the last call decides, a conversation's grade stays. */
export function leadExpectations(lines: Iterable<CallLogLine>): Map<string, LeadExpectation> {
  const leads = new Map<string, LeadExpectation>();
  for (const line of lines) if (line.type === 'ended') leads.set(line.number, afterCall(leads.get(line.number), line));
  return leads;
}

/** What a platform should make of a number after one more call. */
export function afterCall(before: LeadExpectation | undefined, facts: CallFacts): LeadExpectation {
  const { outcome, grade } = expectationOf(facts);
  return {
    outcome,
    grade: outcome !== 'answered' && before?.outcome === 'answered' ? before.grade : grade,
    attempts: (before?.attempts ?? 0) + 1,
  };
}
