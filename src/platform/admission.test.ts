import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, retryAfter } from './admission.ts';
import type { Admission, NodeLoad } from './admission.ts';

const SETTINGS = { maxCalls: 100, frameLatenessMs: 20, loopDelayMs: 100, retryAfterSeconds: 5 };
const IDLE: NodeLoad = {
  calls: 0,
  capacity: 200,
  frameLatenessMs: 1,
  framesDropped: 0,
  reportAgeMs: 500,
  loopDelayMs: 1,
  draining: false,
};
const OPEN: Admission = { accepts: true };
const decide = (load: Partial<NodeLoad>, before: Admission = OPEN) => admit(before, { ...IDLE, ...load }, SETTINGS);

describe('admission', () => {
  it('takes calls on a node that keeps up', () => {
    expect(decide({})).toEqual(OPEN);
    expect(decide({ calls: 99, frameLatenessMs: 19, loopDelayMs: 99 })).toEqual(OPEN);
  });

  it.each([
    [{ calls: 100 }, 'calls'],
    [{ calls: 20, capacity: 20 }, 'ports'],
    [{ frameLatenessMs: 21 }, 'frames-late'],
    [{ framesDropped: 1 }, 'frames-late'],
    [{ reportAgeMs: 4000 }, 'worker-silent'],
    [{ loopDelayMs: 101 }, 'loop-delay'],
    [{ draining: true }, 'draining'],
  ] as const)('refuses at %o', (load, reason) => {
    expect(decide(load)).toMatchObject({ accepts: false, reason });
  });

  it('takes calls again only well below the limit that it refused at', () => {
    const late = decide({ frameLatenessMs: 25 });
    expect(decide({ frameLatenessMs: 12 }, late)).toMatchObject({ accepts: false, reason: 'frames-late' });
    expect(decide({ frameLatenessMs: 9 }, late)).toEqual(OPEN);
    const full = decide({ calls: 100 });
    expect(decide({ calls: 98 }, full)).toMatchObject({ reason: 'calls' });
    expect(decide({ calls: 96 }, full)).toEqual(OPEN);
    // What was refused for one reason does not lower the limits of others.
    expect(decide({ frameLatenessMs: 12 }, full)).toEqual(OPEN);
  });

  it('knows no limit of calls but the ports where none is set', () => {
    const settings = { ...SETTINGS, maxCalls: 0 };
    expect(admit(OPEN, { ...IDLE, calls: 199 }, settings)).toEqual(OPEN);
    expect(admit(OPEN, { ...IDLE, calls: 200 }, settings)).toMatchObject({ reason: 'ports' });
  });

  it('spreads those whom it sends away', () => {
    const refused = decide({ calls: 100 });
    if (refused.accepts) throw new Error('not refused');
    const waits = [0, 0.25, 0.5, 0.75, 0.99].map((random) => retryAfter(refused, () => random));
    expect(waits).toEqual([5, 6, 8, 9, 10]);
  });

  it('never takes a call at a higher load where it refuses at a lower one', () => {
    const load = fc.record({
      calls: fc.nat(300),
      capacity: fc.constant(200),
      frameLatenessMs: fc.nat(50),
      framesDropped: fc.nat(2),
      reportAgeMs: fc.nat(5000),
      loopDelayMs: fc.nat(300),
      draining: fc.boolean(),
    });
    const holds = fc.property(load, fc.nat(50), fc.nat(50), (low, calls, late) => {
      const high = { ...low, calls: low.calls + calls, frameLatenessMs: low.frameLatenessMs + late };
      return !admit(OPEN, high, SETTINGS).accepts || admit(OPEN, low, SETTINGS).accepts;
    });
    expect(fc.check(holds).failed).toBe(false);
  });
});
