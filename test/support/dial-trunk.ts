import type { OfferedLines } from '../../src/dialer/dial-store.ts';
import type { DialTrunk } from '../../src/dialer/lines.ts';

/** A trunk as the dialer sees it, with nothing special about it unless said. */
export function dialTrunk(
  trunk: Pick<DialTrunk, 'name' | 'channels' | 'callsPerSecond'> & Partial<DialTrunk>,
): DialTrunk {
  return {
    group: undefined,
    priority: 0,
    weight: 1,
    takes: undefined,
    freeChannels: () => trunk.channels,
    hold: () => undefined,
    callerNumber: (_, wanted) => wanted,
    ...trunk,
  };
}

/** Lines of one trunk for one round. */
export function offeredLines(channels: number, trunk = 'main', more: Partial<OfferedLines> = {}): OfferedLines {
  return {
    trunk,
    free: channels,
    channels,
    takes: undefined,
    group: undefined,
    callerNumber: (_, wanted) => wanted,
    ...more,
  };
}
