import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ColumnMapping } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';

const schema = Type.Object({
  phone: Type.Union([Type.String(), Type.Null()]),
  name: Type.Union([Type.String(), Type.Null()]),
  ignore: Type.Array(Type.String()),
  rename: Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 64 })),
});

/** Reads the `mapping` field of an upload; throws `invalid-input`. */
export function parseMapping(text: unknown): ColumnMapping {
  let json: unknown;
  try {
    json = JSON.parse(String(text));
  } catch (cause) {
    throw invalid(cause);
  }
  if (!Value.Check(schema, json)) throw invalid(undefined);
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
