import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DialogResult, FinishedCall } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import { GRADES, NETWORK_OUTCOMES } from '#domain/outcome.ts';
import type { Evidence } from '#domain/outcome.ts';
import { decideOutcome } from './decide.ts';

const DIALOG: DialogResult = {
  grade: 'A',
  gradeReason: 'agreed',
  tags: ['vip'],
  slots: { date: '5号' },
  nodes: [],
  intents: [],
  rounds: 3,
  score: 10,
  endReason: 'end',
  optedOut: false,
  callBackAt: new Date('2026-01-06T07:00:00Z'),
};

const CALL: FinishedCall = {
  attemptId: '019b0000-0000-7000-8000-000000000001' as AttemptId,
  dialedAt: new Date('2026-01-05T02:00:00Z'),
  endedAt: new Date('2026-01-05T02:01:00Z'),
  ringMs: 800,
  answeredMs: 5000,
  talkMs: 50_000,
  hangupBy: 'callee',
  sipStatus: 200,
  sipReason: undefined,
  outcome: 'answered',
  evidence: [],
  dialog: DIALOG,
  timeline: [],
  turns: [],
  recording: undefined,
  media: undefined,
};

const heard = (suggests: Evidence['suggests'], confidence: number): Evidence => ({
  kind: 'in-call',
  detail: 'test',
  suggests,
  confidence,
});

describe('what a call came to', () => {
  it('takes over what the dialog found when a person answered', () => {
    expect(decideOutcome(CALL)).toMatchObject({
      code: 'answered',
      grade: 'A',
      gradeReason: 'agreed',
      tags: ['vip'],
      slots: { date: '5号' },
      callBackAt: DIALOG.callBackAt,
    });
  });

  it('lets the most certain detection in the call override the answer, and then nobody was reached', () => {
    const outcome = decideOutcome({ ...CALL, evidence: [heard('voicemail', 0.9), heard('call-assistant', 0.6)] });
    expect(outcome).toMatchObject({ code: 'voicemail', grade: 'F', slots: {}, callBackAt: undefined });
  });

  it('does not take a faint suspicion of a mailbox for one, nor any before the answer', () => {
    expect(decideOutcome({ ...CALL, evidence: [heard('voicemail', 0.4)] }).code).toBe('answered');
    const unanswered = { ...CALL, answeredMs: undefined, dialog: undefined, outcome: 'no-answer' as const };
    expect(decideOutcome({ ...unanswered, evidence: [heard('fax', 0.9)] }).code).toBe('no-answer');
  });

  it('grades an answer that ended before any dialog as not reached, and says so', () => {
    expect(decideOutcome({ ...CALL, dialog: undefined })).toMatchObject({
      code: 'answered',
      grade: 'F',
      gradeReason: 'ended before the dialog began',
    });
  });

  it('keeps an opt-out whatever else the call was', () => {
    const dialog = { ...DIALOG, optedOut: true };
    expect(decideOutcome({ ...CALL, dialog, evidence: [heard('voicemail', 0.9)] }).optedOut).toBe(true);
  });

  it('is surer the more kinds of evidence agree, and less sure when one disagrees', () => {
    const busy = (evidence: readonly Evidence[]) =>
      decideOutcome({ ...CALL, answeredMs: undefined, dialog: undefined, outcome: 'busy', evidence }).confidence;
    const code: Evidence = { kind: 'final-code', detail: '486', suggests: 'busy', confidence: 0.8 };
    const reason: Evidence = { kind: 'reason', detail: 'Q.850;cause=17', suggests: 'busy', confidence: 0.8 };
    const tone: Evidence = { kind: 'early-media', detail: 'tone', suggests: 'congestion', confidence: 0.6 };
    expect(busy([code])).toBe(0.8);
    expect(busy([code, code])).toBe(0.8);
    expect(busy([code, reason])).toBe(0.96);
    expect(busy([code, tone])).toBeLessThan(0.8);
  });

  it('always has evidence, a reason, a confidence within 0 and 1, and F exactly where no dialog was held', () => {
    const kinds = ['reason', 'early-media', 'final-code', 'timing', 'in-call', 'platform'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...NETWORK_OUTCOMES),
        fc.boolean(),
        fc.constantFrom(...GRADES.filter((grade) => grade !== 'F')),
        fc.array(
          fc.record({
            kind: fc.constantFrom(...kinds),
            detail: fc.constant('x'),
            suggests: fc.constantFrom(...NETWORK_OUTCOMES),
            confidence: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
          { maxLength: 6 },
        ),
        (network, talked, grade, evidence) => {
          const outcome = decideOutcome({
            ...CALL,
            outcome: network,
            answeredMs: network === 'answered' ? 5000 : undefined,
            dialog: talked ? { ...DIALOG, grade } : undefined,
            evidence,
          });
          expect(outcome.evidence.length).toBeGreaterThan(0);
          expect(outcome.gradeReason).not.toBe('');
          expect(outcome.confidence).toBeGreaterThanOrEqual(0);
          expect(outcome.confidence).toBeLessThanOrEqual(1);
          expect(outcome.grade === 'F').toBe(outcome.code !== 'answered' || !talked);
        },
      ),
    );
  });
});
