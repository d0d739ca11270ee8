// Writes the documents that are made from code; a test compares them with what is committed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { renderConfigDocument } from '#platform/config/document.ts';

mkdirSync(new URL('../docs/', import.meta.url), { recursive: true });
writeFileSync(new URL('../docs/config.md', import.meta.url), renderConfigDocument());
