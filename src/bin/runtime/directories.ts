import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '#platform/config/config.ts';

/** Where everything of one installation lies; absolute paths. */
export interface Directories {
  readonly data: string;
  readonly recordings: string;
  readonly voice: string;
  /** Files of rejected rows. */
  readonly imports: string;
  /** Early media that nobody recognised, a folder a day. */
  readonly earlyMedia: string;
  /** Taught announcements: fingerprints (`NAME.json`), and WAV recordings named `<outcome-code>.<anything>.wav`. */
  readonly announcements: string;
  /** Recorded prompts that scripts name in `audio`. */
  readonly prompts: string;
  readonly simulator: string;
}

/** Makes what is missing; the data directory itself has been checked by the database launcher or is made here. */
export function makeDirectories(config: Config): Directories {
  const data = resolve(config.dataDirectory);
  const directories: Directories = {
    data,
    recordings: join(data, 'recordings'),
    voice: config.voice.cacheDirectory === undefined ? join(data, 'voice') : resolve(config.voice.cacheDirectory),
    imports: join(data, 'imports'),
    announcements: join(data, 'announcements'),
    earlyMedia: join(data, 'early-media'),
    prompts: join(data, 'prompts'),
    simulator: join(data, 'simulator'),
  };
  for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true, mode: 0o750 });
  return directories;
}
