import { Value } from 'typebox/value';
import type { ColumnMapping } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import { columnMapping } from '../schema/records.ts';
import { requireStorable } from '../storable.ts';

/** Reads the `mapping` field of an upload; throws `invalid-input`. */
export function parseMapping(text: unknown): ColumnMapping {
  let json: unknown;
  try {
    json = typeof text === 'string' ? JSON.parse(text) : text;
  } catch (cause) {
    throw invalid(cause);
  }
  if (!Value.Check(columnMapping, json)) throw invalid(undefined);
  requireStorable(json, 'mapping');
  return json;
}

function invalid(cause: unknown): AppError {
  return new AppError(
    'invalid-input',
    {
      zh: '列对应关系（mapping）不是有效的 JSON：需要 phone、name、ignore、rename 四项。',
      en: 'The column mapping is not valid JSON: it needs phone, name, ignore and rename.',
    },
    { cause },
  );
}
