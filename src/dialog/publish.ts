import { readFile } from 'node:fs/promises';
import type { ScriptId } from '#domain/ids.ts';
import type { Script } from '#domain/script.ts';
import type { Db } from '#platform/db/database.ts';
import { parseScript } from './script-schema.ts';
import { findByKey, publish, saveDraft } from './store.ts';

/** Keys of the scripts that ship with the product, each a file of `samples/`. */
export const SAMPLE_SCRIPTS = ['credit-card-reminder', 'instalment-offer', 'trial-lesson'] as const;
export type SampleScript = (typeof SAMPLE_SCRIPTS)[number];

/** One of the scripts that ship with the product. */
export async function readSample(key: SampleScript): Promise<Script> {
  const text = await readFile(new URL(`./samples/${key}.json`, import.meta.url), 'utf8');
  return parseScript(JSON.parse(text));
}

/** Saves and publishes a sample unless a script with its key is already published; returns what is published. */
export async function installSample(
  db: Db,
  key: SampleScript,
  now: Date,
): Promise<{ id: ScriptId; version: number; script: Script }> {
  const script = await readSample(key);
  const known = await findByKey(db, key);
  if (known !== undefined && known.publishedVersion !== null)
    return { id: known.id, version: known.publishedVersion, script };
  const id = await saveDraft(db, script, now);
  const { version } = await publish(db, id, now);
  return { id, version, script };
}
