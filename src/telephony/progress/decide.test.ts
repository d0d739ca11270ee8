import { describe, expect, it } from 'vitest';
import { decideNetworkOutcome } from './decide.ts';
import type { NetworkFacts } from './decide.ts';

const rejected: NetworkFacts = {
  status: 480,
  reason: undefined,
  cause: 'rejected',
  by: 'network',
  detections: [],
  ringMs: undefined,
  answered: false,
  hangUpReason: undefined,
  callClass: 'unknown',
  callClassEvidence: '',
};
const announcement = (label: string) => ({ kind: 'announcement', label, confidence: 0.92, atMs: 3000 }) as const;

describe('the outcome of a dial', () => {
  it.each([
    [
      '404 with cause 1 is an invalid number',
      { status: 404, reason: 'Q.850;cause=1;text="Unallocated"' },
      'invalid-number',
    ],
    ['410 is a changed number', { status: 410 }, 'number-changed'],
    ['486 with cause 17 is busy', { status: 486, reason: 'Q.850;cause=17' }, 'busy'],
    ['603 with cause 21 is rejected', { status: 603, reason: 'Q.850;cause=21' }, 'rejected'],
    [
      '603 of an analytics engine is a spam label',
      { status: 603, reason: 'SIP;cause=603;text="Blocked by analytics"' },
      'spam-labelled',
    ],
    ['607 is a spam label', { status: 607 }, 'spam-labelled'],
    ['480 with cause 19 is no answer', { status: 480, reason: 'Q.850;cause=19' }, 'no-answer'],
    ['503 with cause 42 is congestion', { status: 503, reason: 'Q.850;cause=42' }, 'congestion'],
    ['an unknown 5xx is congestion', { status: 599 }, 'congestion'],
    [
      'a switch that says busy for all is overruled by its announcement',
      { status: 486, reason: 'Q.850;cause=17', detections: [announcement('powered-off')] },
      'powered-off',
    ],
    [
      '480 after the announcement of suspension is suspension',
      { status: 480, detections: [announcement('suspended')] },
      'suspended',
    ],
    [
      'our hang-up on a dead number keeps what was announced',
      {
        status: 487,
        by: 'platform',
        cause: 'cancelled',
        hangUpReason: 'dead-number',
        detections: [announcement('invalid-number')],
      },
      'invalid-number',
    ],
    ['our ring time-out is no answer', { status: 487, by: 'platform', cause: 'ring-timeout' }, 'no-answer'],
    [
      'our cancel says nothing about the callee',
      { status: 487, by: 'platform', cause: 'cancelled', hangUpReason: 'cancelled' },
      'cancelled',
    ],
    [
      "a silent trunk is unreachable, never the lead's fault",
      { status: undefined, cause: 'no-response' },
      'trunk-unreachable',
    ],
    ['a refused connection too', { status: undefined, cause: 'transport' }, 'trunk-unreachable'],
    ["refused credentials are the trunk's", { status: 407 }, 'trunk-auth-failed'],
    ['a refused codec is no word about the callee', { status: 488 }, 'media-refused'],
    ['an answer without SDP neither', { status: undefined, cause: 'protocol', by: 'platform' }, 'media-refused'],
    ['an answered call is answered', { status: 200, answered: true, cause: 'bye', by: 'callee' }, 'answered'],
    [
      'an answer by a voicemail box is voicemail',
      { status: 200, answered: true, cause: 'bye', by: 'platform', callClass: 'voicemail', callClassEvidence: 'beep' },
      'voicemail',
    ],
  ] satisfies readonly [string, Partial<NetworkFacts>, string][])('%s', (_, facts, outcome) => {
    const decision = decideNetworkOutcome({ ...rejected, ...facts });
    expect(decision.outcome).toBe(outcome);
    expect(decision.evidence.length).toBeGreaterThan(0);
    expect(decision.confidence).toBeGreaterThan(0.2);
  });
  it('follows the mapping of a trunk where it has one', () => {
    expect(decideNetworkOutcome({ ...rejected, overrides: { 'SIP 480': 'powered-off' } }).outcome).toBe('powered-off');
  });
  it('is more certain when two kinds of evidence agree', () => {
    const alone = decideNetworkOutcome({ ...rejected, status: 404 });
    const both = decideNetworkOutcome({ ...rejected, status: 404, detections: [announcement('invalid-number')] });
    expect(both.confidence).toBeGreaterThan(alone.confidence);
  });
});
