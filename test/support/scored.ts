import { expect } from 'vitest';
import type { MediaStats } from '#domain/call.ts';
import { estimateMos } from '#telephony/rtp/quality.ts';

const PACKET_MS = 20;
/** Between which the jitter buffer moves. */
const [LEAST_BUFFER_MS, MOST_BUFFER_MS] = [20, 120];

/**
 * Expects the score that follows from what the leg met: losses, delay and its codec's own impairment. A fixed bound would
 * judge the machine, on which a far end of a test may stall.
 */
export function expectScored(stats: MediaStats): void {
  const { codec, packetsReceived, packetsLost, packetsLate, lossBurstRatio, roundTripMs = 0, mos } = stats;
  expect(packetsReceived).toBeGreaterThan(0);
  const scored = (bufferMs: number): number =>
    estimateMos({
      codec,
      lossRatio: (packetsLost + packetsLate) / (packetsReceived + packetsLost),
      burstRatio: lossBurstRatio ?? 1,
      delayMs: roundTripMs / 2 + PACKET_MS + bufferMs,
    });
  expect(mos).toBeGreaterThanOrEqual(scored(MOST_BUFFER_MS) - ROUNDING);
  expect(mos).toBeLessThanOrEqual(scored(LEAST_BUFFER_MS) + ROUNDING);
}

/** A packet more or less at the ends of the stream. */
const ROUNDING = 0.05;
