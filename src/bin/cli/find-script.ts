import type { ScriptSummary } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import type { ApiClient } from './client.ts';

/** The script of a key; throws `invalid-input` with the keys that there are. */
export async function findScript(client: ApiClient, key: string): Promise<ScriptSummary> {
  const scripts = await client.get<readonly ScriptSummary[]>('/api/scripts');
  const script = scripts.find((known) => known.key === key);
  if (script !== undefined) return script;
  const keys = scripts.map((known) => known.key).join(', ');
  throw new AppError('invalid-input', {
    zh: `没有话术 ${key}；可用：${keys}`,
    en: `There is no script ${key}; there are: ${keys}`,
  });
}
