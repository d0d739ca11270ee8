import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkOutcome } from '#domain/outcome.ts';
import type { Log } from '#platform/log.ts';
import { FingerprintLibrary, printFromJson, printToJson } from '#telephony/progress/fingerprint-library.ts';
import { HOP_MS } from '#telephony/progress/fingerprint.ts';
import type { Fingerprint } from '#telephony/progress/fingerprint.ts';
import { cutLesson, lessonPrint } from '#telephony/progress/teach.ts';
import { announcementLabel } from './announcement-names.ts';
import { readSoundFile } from './sound-file.ts';

/** One announcement of the directory; `file` is its name in there. */
export interface StoredAnnouncement {
  readonly name: string;
  readonly label: NetworkOutcome;
  readonly durationMs: number;
  /** Undefined for a WAV file that was put there. */
  readonly taughtAt: Date | undefined;
  readonly print: Fingerprint;
  readonly file: string;
}

const VERSION = 1;

/**
 * Reads the announcements of a directory: fingerprints that were taught (`NAME.json`) and WAV files named by the outcome
 * they stand for (`invalid-number.wav`, `powered-off.mobile-east.wav`). A file that cannot be used is logged and left out.
 */
export async function readAnnouncements(directory: string, log: Log): Promise<StoredAnnouncement[]> {
  const found: StoredAnnouncement[] = [];
  for (const file of (await readdir(directory)).toSorted()) {
    try {
      if (/\.json$/i.test(file)) found.push(await readTaught(directory, file));
      else if (/\.wav$/i.test(file)) found.push(await readWav(directory, file));
    } catch (error) {
      log.warn({ file, err: error }, 'announcement cannot be used');
    }
  }
  return found;
}

async function readTaught(directory: string, file: string): Promise<StoredAnnouncement> {
  const json = JSON.parse(await readFile(join(directory, file), 'utf8')) as {
    readonly version: number;
    readonly label: string;
    readonly durationMs: number;
    readonly taughtAt: string;
    readonly bits: string;
    readonly active: string;
  };
  if (json.version !== VERSION) throw new Error(`version ${json.version} of a fingerprint is not known`);
  return {
    name: file.replace(/\.json$/i, ''),
    label: announcementLabel(json.label),
    durationMs: json.durationMs,
    taughtAt: new Date(json.taughtAt),
    print: printFromJson(json),
    file,
  };
}

async function readWav(directory: string, file: string): Promise<StoredAnnouncement> {
  const label = announcementLabel(file.split('.')[0] ?? '');
  const lesson = cutLesson(readSoundFile(await readFile(join(directory, file))).channels[0]!);
  const print = lessonPrint(lesson);
  if (print === undefined) throw new Error('the recording holds less than two seconds of an announcement');
  return {
    name: file.replace(/\.wav$/i, ''),
    label,
    durationMs: lesson.toMs - lesson.fromMs,
    taughtAt: undefined,
    print,
    file,
  };
}

/** Writes a taught fingerprint; hashes alone, no sound. */
export async function writeAnnouncement(
  directory: string,
  one: Omit<StoredAnnouncement, 'file' | 'durationMs' | 'taughtAt'> & { readonly taughtAt: Date },
): Promise<StoredAnnouncement> {
  const { name, label, taughtAt, print } = one;
  const file = `${name}.json`;
  const durationMs = print.bits.length * HOP_MS;
  const json = { version: VERSION, label, durationMs, taughtAt: taughtAt.toISOString(), ...printToJson(print) };
  await writeFile(join(directory, `${file}.part`), JSON.stringify(json), { mode: 0o640 });
  await rename(join(directory, `${file}.part`), join(directory, file));
  return { ...one, file, durationMs };
}

/** Takes an announcement away; a WAV file that somebody put there is set aside as `.forgotten` instead. */
export async function removeAnnouncement(directory: string, { file, taughtAt }: StoredAnnouncement): Promise<void> {
  if (taughtAt === undefined) await rename(join(directory, file), join(directory, `${file}.forgotten`));
  else await rm(join(directory, file), { force: true });
}

/** What the call workers listen for. */
export function libraryOf(stored: readonly StoredAnnouncement[]): FingerprintLibrary {
  const library = new FingerprintLibrary();
  for (const { label, print, name } of stored) library.addPrint(label, print, name);
  return library;
}
