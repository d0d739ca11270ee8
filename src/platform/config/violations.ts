import type { TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Value } from 'typebox/value';
import type { LocalText } from '#domain/text.ts';
import type { Problem } from '../error.ts';
import type { SettingSchema } from './settings.ts';

/** Every problem of a value, where the validator alone would stop at an object's first kind of problem. */
export function* violations(schema: SettingSchema, value: unknown, path: string): Generator<Problem> {
  if (schema.properties !== undefined && isTable(value)) {
    const known = schema.properties;
    for (const key of Object.keys(value))
      if (!(key in known))
        yield { path: join(path, key), message: { zh: '没有这个设置。', en: 'There is no such setting.' } };
    for (const [key, property] of Object.entries(known)) {
      if (value[key] !== undefined) yield* violations(property, value[key], join(path, key));
      else if (schema.required?.includes(key) === true)
        yield { path: join(path, key), message: { zh: '缺少这个必填设置。', en: 'This setting is required.' } };
    }
    return;
  }
  if (schema.items?.properties !== undefined && Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* violations(schema.items, item, `${path}[${index}]`);
    return;
  }
  for (const error of Value.Errors(schema as TSchema, value)) {
    const keys = error.instancePath.split('/').slice(1);
    const wrong = keys.reduce<unknown>((node, key) => (isTable(node) ? node[key] : undefined), value);
    yield { path: keys.reduce(join, path), message: explain(error, path, wrong) };
  }
}

/** A table or an array: something with keys. */
function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function join(path: string, key: string): string {
  if (/^\d+$/.test(key) && !path.endsWith('.progress')) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function explain(error: TLocalizedValidationError, path: string, value: unknown): LocalText {
  const given = /password|databaseUrl/.test(path) ? '***' : JSON.stringify(value);
  if (error.keyword === 'type') {
    const type = String(error.params.type);
    return { zh: `应为 ${type} 类型，现为 ${given}。`, en: `It must be of type ${type} but is ${given}.` };
  }
  if (error.keyword === 'enum') {
    const allowed = error.params.allowedValues.map(String).join(', ');
    return { zh: `应为其中之一：${allowed}；现为 ${given}。`, en: `It must be one of ${allowed} but is ${given}.` };
  }
  if (
    error.keyword === 'minimum' ||
    error.keyword === 'maximum' ||
    error.keyword === 'exclusiveMinimum' ||
    error.keyword === 'exclusiveMaximum'
  ) {
    const bound = `${error.params.comparison} ${error.params.limit}`;
    return { zh: `应 ${bound}，现为 ${given}。`, en: `It must be ${bound} but is ${given}.` };
  }
  if (error.keyword === 'minLength' || error.keyword === 'minItems')
    return { zh: '不能为空。', en: 'It must not be empty.' };
  if (error.keyword === 'pattern') {
    const pattern = String(error.params.pattern);
    return {
      zh: `写法不对（应匹配 ${pattern}）：${given}。`,
      en: `It is not well formed (it must match ${pattern}): ${given}.`,
    };
  }
  return { zh: `不符合要求：${error.message}。`, en: `It is not valid: ${error.message}.` };
}
