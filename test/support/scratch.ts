import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty directory that goes when the running test has finished. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'waihu-scratch-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
