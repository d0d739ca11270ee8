import { readFileSync } from 'node:fs';

/** Of /proc/PID/stat (USER_HZ): the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time that a process has taken; undefined where there is no /proc. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name in brackets, which may hold blanks, utime and stime are the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** The same of a process and its living children together. */
export function familyCpuSeconds(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return [pid, ...children.map(Number)].reduce((sum, member) => sum + (cpuSecondsOf(member) ?? 0), 0);
  } catch {
    return undefined;
  }
}
