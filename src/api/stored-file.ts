import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

/** A regular file below a directory with its size; undefined where there is none or the path leads out of it. */
export async function storedFile(
  directory: string,
  path: string,
): Promise<{ readonly path: string; readonly bytes: number } | undefined> {
  const root = resolve(directory);
  const file = resolve(root, path);
  if (!file.startsWith(root + sep)) return undefined;
  try {
    const found = await stat(file);
    return found.isFile() ? { path: file, bytes: found.size } : undefined;
  } catch {
    return undefined;
  }
}
