import type { TakeLine } from '#calls/bridge/outside-target.ts';
import type { Lines } from '#dialer/lines.ts';
import { takeSecondLine } from '#dialer/second-line.ts';
import type { SecondLineOptions } from '#dialer/second-line.ts';
import type { Trunks } from './trunks.ts';

export interface SecondCallsOptions extends SecondLineOptions {
  readonly lines: () => readonly Lines[];
  readonly trunks: Pick<Trunks, 'find'>;
}

/** Lets second calls find a trunk that takes their number, with a channel and a turn on it, as dials do. */
export function secondCalls(o: SecondCallsOptions): TakeLine {
  return async (attempt, called) => {
    const line = await takeSecondLine(o, o.lines(), attempt, called);
    if (typeof line === 'string') return line;
    const { callerNumber, free } = line;
    const trunk = o.trunks.find(line.trunk);
    if (trunk !== undefined) return { trunk, callerNumber, free };
    free();
    return 'no-trunk';
  };
}
