import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Phrases as ready-to-send G.711 files, named by content hash: `ab/abcdef….pcma`. Files appear whole or not at all. */
export class PhraseStore {
  readonly #directory: string;
  readonly #maxBytes: number;
  #sequence = 0;

  constructor(directory: string, maxBytes: number) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
  }

  /** The file's bytes, undefined where there is none. A read marks the phrase as used. */
  async read(name: string): Promise<Uint8Array | undefined> {
    const path = this.#path(name);
    try {
      const bytes = await readFile(path);
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return bytes;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw cause;
    }
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name);
    const unfinished = `${path}.${process.pid}-${this.#sequence++}.part`;
    await mkdir(join(this.#directory, name.slice(0, 2)), { recursive: true });
    try {
      await writeFile(unfinished, bytes);
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw cause;
    }
  }

  /** Removes what a crash left unfinished and, above the limit, the phrases unused for longest. */
  async prune(): Promise<{ readonly removed: number; readonly bytes: number }> {
    const names = await readdir(this.#directory, { recursive: true }).catch(() => []);
    const files: { path: string; bytes: number; usedMs: number }[] = [];
    let removed = 0;
    for (const name of names) {
      const path = join(this.#directory, name);
      const entry = await stat(path).catch(() => undefined);
      if (entry === undefined || !entry.isFile()) continue;
      if (name.endsWith('.part') && !name.includes(`.${process.pid}-`)) {
        await rm(path, { force: true });
        removed += 1;
      } else files.push({ path, bytes: entry.size, usedMs: entry.mtimeMs });
    }
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (bytes <= this.#maxBytes) break;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
      removed += 1;
    }
    return { removed, bytes };
  }

  #path(name: string): string {
    return join(this.#directory, name.slice(0, 2), name);
  }
}
