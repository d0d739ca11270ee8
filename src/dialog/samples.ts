import { readdirSync, readFileSync } from 'node:fs';
import type { Script } from '#domain/script.ts';
import { parseScript } from './script-schema.ts';

const DIRECTORY = new URL('./samples/', import.meta.url);

/** The scripts that Waihu ships, ready to publish. */
export function sampleScripts(): readonly Script[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => parseScript(JSON.parse(readFileSync(new URL(name, DIRECTORY), 'utf8'))));
}
