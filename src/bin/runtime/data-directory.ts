import { accessSync, constants, existsSync, mkdirSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { storageFault } from '#platform/db/data-directory.ts';
import { AppError } from '#platform/error.ts';

/** A database and an hour of recordings need at least this much. */
const MIN_FREE_BYTES = 200 * 1024 * 1024;

/**
 * Makes the directory, unless told not to, and checks that it can be used; throws `data-directory-unusable` with what to
 * do.
 */
export function checkDataDirectory(directory: string, options: { readonly make?: boolean } = {}): void {
  const at = options.make === false ? nearest(directory) : directory;
  try {
    if (options.make !== false) mkdirSync(directory, { recursive: true });
    accessSync(at, constants.R_OK | constants.W_OK | constants.X_OK);
    if (!statSync(at).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
  } catch (cause) {
    throw (
      storageFault(cause, directory) ??
      new AppError(
        'data-directory-unusable',
        {
          zh: `数据目录 ${directory} 不能使用（${String(cause)}）：请用 --data-directory 指定另一个目录。`,
          en: `The data directory ${directory} cannot be used (${String(cause)}): choose another with --data-directory.`,
        },
        { cause },
      )
    );
  }
  const { bavail, bsize } = statfsSync(at);
  if (bavail * bsize < MIN_FREE_BYTES) {
    throw new AppError('data-directory-unusable', {
      zh: `数据目录 ${directory} 所在磁盘剩余不足 200 MB：请清理磁盘，或用 --data-directory 指定另一个目录。`,
      en: `The disk of the data directory ${directory} has less than 200 MB left: free some space, or choose another with --data-directory.`,
    });
  }
}

/** The directory itself or, where it is yet to be made, the one it would be made in. */
function nearest(directory: string): string {
  let at = directory;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}
