import { setPriority } from 'node:os';
import type { Log } from './log.ts';

/** Well before ordinary work, behind what the kernel needs. */
const MEDIA_NICE = -10;

/**
 * Asks the system to run the calling thread before others, because media leaves every 20 ms whatever else wants the
 * processor. On Linux niceness belongs to a thread. Without the right to ask (root or CAP_SYS_NICE) nothing changes.
 */
export function raiseThreadPriority(log: Log): boolean {
  try {
    setPriority(0, MEDIA_NICE);
    return true;
  } catch (error) {
    log.debug({ err: error }, 'media runs at ordinary priority');
    return false;
  }
}
