import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Fingerprint } from '#telephony/progress/fingerprint.ts';
import type { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import { cutLesson, lessonPrint, likenesses, sameAnnouncement } from '#telephony/progress/teach.ts';
import { readSoundFile } from './sound-file.ts';

/** Early media of one call that was kept. */
export interface KeptEarlyMedia {
  readonly callId: string;
  readonly durationMs: number;
  readonly path: string;
}

/** Calls that seem to have heard the same announcement, the newest first. */
export type UnknownGroup = readonly KeptEarlyMedia[];

interface Examined extends KeptEarlyMedia {
  readonly print: Fingerprint;
}

/** Newest files that are looked at: about 40 ms of this thread each, the first time. */
const LOOKED_AT = 150;
/** A taught announcement that shares so much of the sound explains it. */
const EXPLAINED_RATIO = 0.5;

/** Looks through kept early media; remembers what it has examined. */
export class UnknownAnnouncements {
  readonly #directory: string;
  #examined = new Map<string, Examined | undefined>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The file of a call's early media, or undefined. */
  async file(callId: string): Promise<string | undefined> {
    if (!/^[0-9a-f-]{36}$/.test(callId)) return undefined;
    return (await this.#files()).find((path) => path.endsWith(`${callId}.wav`));
  }

  /** What no taught announcement explains, the most frequent first. */
  async groups(library: FingerprintLibrary): Promise<UnknownGroup[]> {
    const paths = (await this.#files()).slice(0, LOOKED_AT);
    const examined = new Map<string, Examined | undefined>();
    for (const path of paths) {
      if (this.#examined.has(path)) examined.set(path, this.#examined.get(path));
      else {
        examined.set(path, await this.#examine(path));
        // Calls are signalled on this thread as well.
        await breathe();
      }
    }
    this.#examined = examined;
    const groups: Examined[][] = [];
    for (const one of examined.values()) {
      if (one === undefined || (likenesses(one.print, library)[0]?.sharedRatio ?? 0) >= EXPLAINED_RATIO) continue;
      const group = groups.find(([first]) => sameAnnouncement(first!.print, one.print));
      if (group === undefined) groups.push([one]);
      else group.push(one);
      await breathe();
    }
    return groups.toSorted((a, b) => b.length - a.length);
  }

  async #examine(path: string): Promise<Examined | undefined> {
    try {
      const pcm = readSoundFile(await readFile(path)).channels[0]!;
      const lesson = cutLesson(pcm);
      const print = lesson.faults.includes('music-only') ? undefined : lessonPrint(lesson);
      const callId = path
        .split(/[\\/]/)
        .at(-1)!
        .replace(/\.wav$/, '');
      return print === undefined ? undefined : { callId, path, durationMs: Math.round(pcm.length / 8), print };
    } catch {
      // Deleted meanwhile, or unreadable: there is nothing to teach from.
      return undefined;
    }
  }

  /** Newest day first; ids rise with time. */
  async #files(): Promise<string[]> {
    const days: string[] = await readdir(this.#directory).catch(() => []);
    days.sort((a, b) => b.localeCompare(a));
    const files: string[] = [];
    for (const day of days) {
      const folder = join(this.#directory, day);
      if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true) continue;
      const names = (await readdir(folder))
        .filter((name) => name.endsWith('.wav'))
        .toSorted()
        .toReversed();
      files.push(...names.map((name) => join(folder, name)));
    }
    return files;
  }
}
