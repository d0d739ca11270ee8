import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NETWORK_OUTCOMES } from '#domain/outcome.ts';
import type { Log } from '#platform/log.ts';
import { FingerprintLibrary } from '#telephony/progress/fingerprint.ts';
import { decodeAlaw } from '#telephony/codec/g711.ts';
import { recordedPrompt } from '#voice/tts/recorded-prompts.ts';

/**
 * Teaches the announcements found in a directory: WAV files of any common rate, named by the outcome they stand for
 * (`invalid-number.wav`, `powered-off.mobile-east.wav`). A file that cannot be used is logged and left out.
 */
export async function loadAnnouncements(directory: string, log: Log): Promise<FingerprintLibrary> {
  const library = new FingerprintLibrary();
  const files = (await readdir(directory)).filter((name) => name.toLowerCase().endsWith('.wav')).toSorted();
  for (const file of files) {
    const label = file.split('.')[0] ?? '';
    if (!(NETWORK_OUTCOMES as readonly string[]).includes(label)) {
      log.warn({ file }, 'announcement is not named after an outcome code and is not used');
      continue;
    }
    try {
      const alaw = recordedPrompt(await readFile(join(directory, file)), 'PCMA');
      const pcm = new Int16Array(alaw.length);
      decodeAlaw(alaw, pcm);
      if (!library.add(label, pcm)) log.warn({ file }, 'announcement is shorter than two seconds and is not used');
    } catch (error) {
      log.warn({ file, err: error }, 'announcement could not be read and is not used');
    }
  }
  return library;
}
