import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Log } from './log.ts';

/** Well before ordinary work, behind what the kernel needs. */
const MEDIA_NICE = -10;

/** Where Linux shares the processor between sessions first (sched_autogroup), the niceness of ours. */
const SESSION_NICE_FILE = '/proc/self/autogroup';

/**
 * Asks the system to run the calling thread before others, because media leaves every 20 ms whatever else wants the
 * processor. On Linux niceness belongs to a thread, and counts among those of its session only where the system groups by
 * session: then the session is put before others too. Without the right to ask (root or CAP_SYS_NICE) nothing changes.
 */
export function raiseThreadPriority(log: Log): boolean {
  try {
    setPriority(0, MEDIA_NICE);
    raiseSession();
    return true;
  } catch (error) {
    log.debug({ err: error }, 'media runs at ordinary priority');
    return false;
  }
}

function raiseSession(): void {
  try {
    writeFileSync(SESSION_NICE_FILE, String(MEDIA_NICE));
  } catch {
    // Another system, or one that does not group by session.
  }
}
