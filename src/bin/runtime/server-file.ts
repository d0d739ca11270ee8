import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the command line finds a running server of the same data directory. */
export interface ServerFile {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const NAME = 'server.json';

/** Written whole or not at all; readable by the owner only, for it carries the operator's token. */
export function writeServerFile(directory: string, file: ServerFile): void {
  const path = join(directory, NAME);
  writeFileSync(`${path}.part`, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  renameSync(`${path}.part`, path);
}

export function removeServerFile(directory: string): void {
  rmSync(join(directory, NAME), { force: true });
}

/** The server that says it runs here; it may have been killed since. */
export function readServerFile(directory: string): ServerFile | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, NAME), 'utf8')) as ServerFile;
  } catch {
    return undefined;
  }
}

/** The server of a data directory, where it answers. */
export async function runningServer(directory: string): Promise<ServerFile | undefined> {
  const server = readServerFile(directory);
  if (server === undefined) return undefined;
  try {
    const response = await fetch(`${server.url}/api/health`, { signal: AbortSignal.timeout(2000) });
    return response.ok ? server : undefined;
  } catch {
    return undefined;
  }
}
