import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { AppError } from '../error.ts';

/** Held until `release`; the process's end releases it too. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** A process as a lock file names it: the start time tells it from a later process with the same id. */
interface Owner {
  readonly pid: number;
  readonly startedAt: string;
}

/**
 * Makes the data directory where it is missing and locks it for this process. Throws `data-directory-unusable` where
 * it cannot be written and `database-locked` while another process holds it; a dead process's lock is taken over.
 */
export async function lockDataDirectory(directory: string): Promise<DirectoryLock> {
  const file = path.join(directory, 'waihu.lock');
  const claim = path.join(directory, `waihu.lock.${randomUUID()}`);
  const owner: Owner = { pid: process.pid, startedAt: startOf(process.pid) ?? '' };
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await writeFile(claim, JSON.stringify(owner));
  } catch (cause) {
    await rm(claim, { force: true }).catch(() => undefined);
    throw storageFault(cause, directory) ?? cause;
  }
  try {
    for (;;) {
      // A hard link appears whole or not at all, so no one ever reads a lock that is half written.
      if (await linked(claim, file)) break;
      const held = await readOwner(file);
      if (held === undefined) continue;
      if (isAlive(held)) throw lockedFault(directory, held.pid);
      await discardStale(file, held);
    }
  } finally {
    await rm(claim, { force: true });
  }
  return { release: () => rm(file, { force: true }) };
}

/** Whether the process that locked the directory is gone, so that what it left may be cleaned up. */
export async function isAbandoned(directory: string): Promise<boolean> {
  const held = await readOwner(path.join(directory, 'waihu.lock'));
  return held !== undefined && !isAlive(held);
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await readFile(file, 'utf8')) as Partial<Owner>;
    return { pid: Number(owner.pid), startedAt: String(owner.startedAt) };
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    if (error instanceof SyntaxError) return { pid: 0, startedAt: '' };
    throw error;
  }
}

/** Two starters may find the same dead lock: each moves it aside, and puts back what turns out to be another's. */
async function discardStale(file: string, stale: Owner): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await readOwner(aside);
  if (moved !== undefined && (moved.pid !== stale.pid || moved.startedAt !== stale.startedAt))
    await linked(aside, file);
  await rm(aside, { force: true });
}

function isAlive(owner: Owner): boolean {
  if (!Number.isInteger(owner.pid) || owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
  }
  const startedAt = startOf(owner.pid);
  return startedAt === undefined || owner.startedAt === '' || startedAt === owner.startedAt;
}

/** Boot and clock ticks since boot (proc_pid_stat(5), field 22); undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether a Node error carries one of these errno codes. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function lockedFault(directory: string, pid: number): AppError {
  return new AppError('database-locked', {
    zh: `数据目录 ${directory} 正被另一个 waihu（进程 ${pid}）使用。请先停止它，或用 --data-directory 指定别的目录。`,
    en: `The data directory ${directory} is in use by another waihu (process ${pid}). Stop that one first, or name another directory with --data-directory.`,
  });
}

/** The one sentence for a directory that is full, read-only or not ours; `evidence` is an error or a tool's output. */
export function storageFault(evidence: unknown, directory: string): AppError | undefined {
  const said = String(evidence instanceof Error ? evidence.message : evidence);
  const code = isSystemError(evidence, 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST')
    ? evidence.code
    : undefined;
  const fault = (zh: string, en: string) => new AppError('data-directory-unusable', { zh, en }, { cause: evidence });
  if (code === 'ENOSPC' || code === 'EDQUOT' || /No space left on device|Disk quota exceeded/.test(said))
    return fault(
      `数据目录 ${directory} 所在的磁盘已满。请腾出至少 200 MB，或用 --data-directory 指定别的目录。`,
      `The disk of the data directory ${directory} is full. Free at least 200 MB, or name another directory with --data-directory.`,
    );
  if (code === 'EROFS' || /Read-only file system/.test(said))
    return fault(
      `数据目录 ${directory} 是只读的。请用 --data-directory 指定一个可写的目录。`,
      `The data directory ${directory} is read-only. Name a writable directory with --data-directory.`,
    );
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return fault(
      `${directory} 不是目录。请用 --data-directory 指定一个目录。`,
      `${directory} is not a directory. Name a directory with --data-directory.`,
    );
  if (code !== undefined || /Permission denied/.test(said))
    return fault(
      `没有权限写数据目录 ${directory}。请更改它的权限，或用 --data-directory 指定别的目录。`,
      `The data directory ${directory} may not be written. Change its permissions, or name another directory with --data-directory.`,
    );
  return undefined;
}

/** Whether every directory on the way to `target`, and `target` itself, may be passed by any user. */
export async function isOpenToAll(target: string): Promise<boolean> {
  const absolute = path.resolve(target);
  for (let at = absolute; ; at = path.dirname(at)) {
    const entry = await stat(at).catch(() => undefined);
    if (entry !== undefined && (entry.mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
