import { configSchema } from './schema.ts';

/** One leaf of the schema: a value that a person sets. */
export interface Setting {
  /** `http.port`; inside trunks `trunks[].port`. */
  readonly path: string;
  /** Environment variable; undefined for what only the file can hold. */
  readonly variable: string | undefined;
  readonly schema: SettingSchema;
  readonly required: boolean;
}

/** The parts of a JSON Schema node that this folder reads. */
export interface SettingSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly zh?: string;
  readonly items?: SettingSchema;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
}

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = [...walk(configSchema, '')];

function* walk(node: SettingSchema, prefix: string): Generator<Setting> {
  for (const [key, schema] of Object.entries(node.properties ?? {})) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (schema.properties !== undefined) yield* walk(schema, path);
    else if (schema.items?.properties !== undefined) yield* walk(schema.items, `${path}[]`);
    else {
      const required = node.required?.includes(key) === true && schema.default === undefined;
      yield { path, variable: variableOf(path), schema, required };
    }
  }
}

/** `http.port` → WAIHU_HTTP_PORT. The database's address has the name that hosting platforms give it. */
function variableOf(path: string): string | undefined {
  if (path.includes('[]')) return undefined;
  if (path === 'databaseUrl') return 'DATABASE_URL';
  return `WAIHU_${path
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}
