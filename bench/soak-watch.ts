import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What a process holds of the system, all its threads together; undefined fields where there is no /proc. */
export interface Held {
  readonly sockets: number | undefined;
  readonly udpPorts: number | undefined;
  readonly openFiles: number | undefined;
  /** Pipes, event and poll descriptors. */
  readonly otherFds: number | undefined;
  readonly timers: number;
  /** What else keeps this thread alive. */
  readonly otherResources: number;
}

/** Takes stock of the calling process and thread. */
export function takeStock(): Held {
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((kind) => kind === 'Timeout' || kind === 'Immediate').length;
  const fds = openFds();
  const sockets = fds?.filter((target) => target.startsWith('socket:'));
  const files = fds?.filter((target) => target.startsWith('/') && !target.startsWith('/dev/'));
  const inodes = new Set(sockets?.map((target) => target.slice('socket:['.length, -1)));
  return {
    sockets: sockets?.length,
    udpPorts: sockets === undefined ? undefined : udpInodes().filter((inode) => inodes.has(inode)).length,
    openFiles: files?.length,
    otherFds: fds === undefined ? undefined : fds.length - (sockets?.length ?? 0) - (files?.length ?? 0),
    timers,
    otherResources: resources.length - timers,
  };
}

/** What every descriptor leads to. */
function openFds(): readonly string[] | undefined {
  try {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        // The one that reads the directory, or one that another thread has just closed.
        return [];
      }
    });
  } catch {
    return undefined;
  }
}

/** Inodes of every UDP socket of the network namespace. */
function udpInodes(): readonly string[] {
  return ['udp', 'udp6'].flatMap((table) => {
    try {
      const lines = readFileSync(`/proc/self/net/${table}`, 'latin1').trim().split('\n').slice(1);
      return lines.map((line) => line.trim().split(/\s+/)[9] ?? '');
    } catch {
      return [];
    }
  });
}

/** Files below a folder, and how many of them are recordings that are still growing. */
export function countRecordings(directory: string): { readonly files: number; readonly parts: number } {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return { files: names.length, parts: names.filter((name) => name.endsWith('.part')).length };
}

/** A straight line through points: what it gains an hour, and the standard error of that. */
export function slopePerHour(
  points: readonly { readonly atMs: number; readonly value: number }[],
): { readonly slope: number; readonly error: number } | undefined {
  const count = points.length;
  if (count < 3) return undefined;
  const hours = points.map(({ atMs }) => atMs / 3_600_000);
  const meanX = hours.reduce((sum, x) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { value }) => sum + value, 0) / count;
  const spread = hours.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { value }, index) => sum + (hours[index]! - meanX) * (value - meanY), 0) / spread;
  const rest = points.reduce(
    (sum, { value }, index) => sum + (value - meanY - slope * (hours[index]! - meanX)) ** 2,
    0,
  );
  return { slope, error: Math.sqrt(rest / (count - 2) / spread) };
}
