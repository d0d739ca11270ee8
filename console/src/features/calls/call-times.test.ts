import { describe, expect, it } from 'vitest';
import { clockText, positionText } from '../../app/duration.ts';
import { recordingMs, turnAt } from './call-times.ts';
import { columnsOf, outlineOf } from './player/wave-shape.ts';

describe('times of a call', () => {
  const turns = [
    { index: 0, startMs: 6000 },
    { index: 1, startMs: 9000 },
    { index: 2, startMs: 12_000 },
  ];

  it('counts the recording from the answer', () => {
    expect(recordingMs(9000, 5000)).toBe(4000);
    expect(recordingMs(3000, 5000)).toBe(0);
    expect(recordingMs(3000, null)).toBe(3000);
  });

  it('marks the turn that began last', () => {
    expect(turnAt(turns, 500, 5000)).toBeUndefined();
    expect(turnAt(turns, 1000, 5000)).toBe(0);
    expect(turnAt(turns, 3999, 5000)).toBe(0);
    expect(turnAt(turns, 4000, 5000)).toBe(1);
    expect(turnAt(turns, 60_000, 5000)).toBe(2);
  });

  it('goes by time where turns are stored out of order', () => {
    expect(turnAt([turns[1]!, turns[0]!], 10_000, 5000)).toBe(1);
  });

  it('writes lengths as people read them', () => {
    expect([0, 59_999, 60_000, 3_600_000, -5].map(clockText)).toEqual(['0:00', '0:59', '1:00', '1:00:00', '0:00']);
    expect(positionText(61_290)).toBe('1:01.2');
  });
});

describe('waveform', () => {
  it('keeps the highest peak of each column', () => {
    expect(columnsOf([0, 255, 10, 51], 2)).toEqual([1, 0.2]);
  });

  it('stretches short recordings and shows silence for none', () => {
    expect(columnsOf([255, 0], 4)).toEqual([1, 1, 0, 0]);
    expect(columnsOf([], 2)).toEqual([0, 0]);
  });

  it('draws the callee up and the platform down', () => {
    expect(outlineOf([1], 50, true)).toBe('M0 0L0 -50.00L1 0Z');
    expect(outlineOf([1], 50, false)).toBe('M0 0L0 50.00L1 0Z');
  });
});
