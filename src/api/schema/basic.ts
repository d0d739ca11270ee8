import { Type } from 'typebox';
import type { TSchema } from 'typebox';
import { LANGUAGES } from '#domain/text.ts';
import type { Role } from '#domain/api.ts';

/** Ids as the database writes them: it takes no other form, such as `urn:uuid:`. */
export const uuid = Type.String({
  format: 'uuid',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});
export const text = Type.String();
export const number = Type.Number();
export const flag = Type.Boolean();
export const time = Type.String({ format: 'date-time' });
export const textByKey = recordOf(Type.String());
/** Page size of lists. */
export const limit = Type.Integer({ minimum: 1, maximum: 500 });

/** A record with any keys; unlike `Type.Record`, keys with line breaks are no exception. */
export function recordOf(value: TSchema, options: { readonly maxProperties?: number } = {}) {
  return Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: value, ...options });
}

/** One of a list of codes. */
export function oneOf<const Values extends readonly string[]>(values: Values) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] });
}

/** The value or null. */
export function orNull<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** A page of a list, as `Page` in domain/api.ts. */
export function pageOf<Schema extends TSchema>(item: Schema) {
  return Type.Object({ items: Type.Array(item), next: Type.Optional(Type.String()), total: Type.Integer() });
}

/** Counts by code; codes that did not occur are absent. */
export function countsOf<const Keys extends readonly string[]>(keys: Keys) {
  return Type.Unsafe<Partial<Record<Keys[number], number>>>({
    type: 'object',
    properties: Object.fromEntries(keys.map((key) => [key, { type: 'integer' }])),
  });
}

/** Counts by code, each one there. */
export function allCountsOf<const Keys extends readonly string[]>(keys: Keys) {
  return Type.Unsafe<Record<Keys[number], number>>({
    type: 'object',
    required: [...keys],
    properties: Object.fromEntries(keys.map((key) => [key, { type: 'integer' }])),
  });
}

export const language = oneOf(LANGUAGES);
export const role = oneOf(['admin', 'operator', 'viewer'] as const satisfies readonly Role[]);
export const localText = Type.Object({ zh: text, en: text });

/** Every failure. */
export const apiError = Type.Object({
  error: Type.Object({
    code: text,
    text: localText,
    problems: Type.Array(Type.Object({ path: text, message: localText })),
  }),
});

/** A path with the id of a record. */
export const idParams = Type.Object({ id: uuid });
export const nothing = Type.Null({ description: 'No content.' });

/** What a route answers: its own statuses, and `ApiError` for every failure. */
export function answers<Answers extends Readonly<Record<number, TSchema>>>(own: Answers) {
  return { ...own, '4xx': apiError, '5xx': apiError };
}
