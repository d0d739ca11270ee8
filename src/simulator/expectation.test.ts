import { describe, expect, it } from 'vitest';
import type { CallFacts, EndedLine } from './call-record.ts';
import { expectationOf, leadExpectations } from './expectation.ts';

const talked: CallFacts = {
  behaviour: 'human',
  answered: true,
  causeTold: false,
  ending: { by: 'caller', reason: 'hung-up' },
  conversationGrade: 'B',
  linesSaid: 3,
  linesMeant: 3,
};
const released: CallFacts = {
  behaviour: 'powered-off',
  answered: false,
  causeTold: true,
  ending: { by: 'network', reason: 'released', status: 480 },
  conversationGrade: undefined,
  linesSaid: 0,
  linesMeant: 0,
};
const ended = (facts: CallFacts, number: string, attempt: number): EndedLine => ({
  ...facts,
  type: 'ended',
  at: '2026-01-05T02:00:00.000Z',
  callId: `${number}-${attempt}`,
  phone: number,
  number,
  attempt,
  said: [],
  heard: [],
  expectedOutcome: expectationOf(facts).outcome,
});

describe('expectations', () => {
  it('take the grade of the conversation that was had', () => {
    expect(expectationOf(talked)).toEqual({ outcome: 'answered', grade: 'B' });
  });

  it('still expect that grade when the platform hung up too early: that is its mistake', () => {
    expect(expectationOf({ ...talked, linesSaid: 1 }).grade).toBe('B');
  });

  it('fix no grade when the person left before having said everything', () => {
    const left: CallFacts = { ...talked, linesSaid: 1, ending: { by: 'callee', reason: 'lost-patience' } };
    expect(expectationOf(left)).toEqual({ outcome: 'answered', grade: undefined });
  });

  it('grade whoever was not reached F and name the outcome of the line', () => {
    expect(expectationOf(released)).toEqual({ outcome: 'powered-off', grade: 'F' });
    expect(expectationOf({ ...talked, behaviour: 'voicemail' })).toEqual({ outcome: 'voicemail', grade: 'F' });
  });

  it('expect the cause when the caller hung up in the announcement, no answer when it hung up while ringing', () => {
    const cancelled = { ...released, ending: { by: 'caller', reason: 'cancelled' } } as const;
    expect(expectationOf(cancelled).outcome).toBe('powered-off');
    expect(expectationOf({ ...cancelled, causeTold: false }).outcome).toBe('no-answer');
  });

  it('expect a lost call when the caller vanished', () => {
    expect(expectationOf({ ...talked, ending: { by: 'failure', reason: 'caller-gone' } }).outcome).toBe('lost');
  });

  it('judge a number by its last call', () => {
    const leads = leadExpectations([
      ended(released, '13800000001', 1),
      ended(talked, '13800000001', 2),
      ended(released, '13800000002', 1),
    ]);
    expect(leads.get('13800000001')).toEqual({ outcome: 'answered', grade: 'B', attempts: 2 });
    expect(leads.get('13800000002')).toEqual({ outcome: 'powered-off', grade: 'F', attempts: 1 });
  });
});
