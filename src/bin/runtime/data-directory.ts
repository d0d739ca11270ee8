import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import { AppError } from '#platform/error.ts';

/** A database and an hour of recordings need at least this much. */
const MIN_FREE_BYTES = 200 * 1024 * 1024;

/** Makes the directory and checks that it can be used; throws `data-directory-unusable` with what to do. */
export function checkDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new AppError(
      'data-directory-unusable',
      {
        zh: `数据目录 ${directory} 不可写：请修改它的权限，或用 --data-directory 指定另一个目录。`,
        en: `The data directory ${directory} cannot be written: change its permissions, or choose another with --data-directory.`,
      },
      { cause },
    );
  }
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < MIN_FREE_BYTES) {
    throw new AppError('data-directory-unusable', {
      zh: `数据目录 ${directory} 所在磁盘剩余不足 200 MB：请清理磁盘，或用 --data-directory 指定另一个目录。`,
      en: `The disk of the data directory ${directory} has less than 200 MB left: free some space, or choose another with --data-directory.`,
    });
  }
}
