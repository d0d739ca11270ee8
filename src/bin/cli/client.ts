import { resolve } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import { AppError, ERROR_CODES } from '#platform/error.ts';
import type { ErrorCode } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import type { ApiError } from '#domain/api.ts';
import { openPlatform } from '../runtime/platform.ts';
import { publishSampleScripts } from '../runtime/first-start.ts';
import { readServerFile } from '../runtime/server-file.ts';
import type { ServerFile } from '../runtime/server-file.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import { settingsOf } from './settings.ts';
import type { CommandContext } from './settings.ts';

const TIMEOUT_MS = 15_000;

/** The API as the command line uses it. The command closes it. */
export interface ApiClient {
  /** True when the server is one that was running already. */
  readonly remote: boolean;
  get<Body>(path: string): Promise<Body>;
  post<Body>(path: string, body: unknown): Promise<Body>;
  /** Without a time-out, for uploads. */
  upload<Body>(path: string, form: FormData): Promise<Body>;
  text(path: string): Promise<string>;
  close(): Promise<void>;
}

/** Talks to the server of the data directory, or starts one for this command alone. */
export async function openClient(o: CommandContext): Promise<ApiClient> {
  const config = settingsOf(o.flags);
  const data = resolve(config.dataDirectory);
  const running = readServerFile(data);
  if (running !== undefined && (await answers(running))) return clientOf(running, true, async () => undefined);
  checkDataDirectory(data);
  const platform = await openPlatform({
    config: { ...config, http: { host: '127.0.0.1', port: 0 }, sip: { ...config.sip, port: 0 } },
    clock: systemClock,
    log: createLog({ level: o.flags.logLevel === undefined ? 'error' : config.log.level }),
    trunks: config.trunks,
    consoleDirectory: undefined,
    version: o.version,
  });
  await publishSampleScripts(platform.database.db, systemClock);
  const server = { url: platform.url, token: platform.operatorToken, pid: process.pid };
  return clientOf(server, false, () => platform.close('command ended'));
}

async function answers(server: ServerFile): Promise<boolean> {
  try {
    const response = await fetch(`${server.url}/api/health`, { signal: AbortSignal.timeout(2000) });
    return response.ok;
  } catch {
    return false;
  }
}

function clientOf(server: ServerFile, remote: boolean, close: () => Promise<void>): ApiClient {
  const call = async (path: string, init: RequestInit, timeoutMs?: number): Promise<Response> => {
    const response = await fetch(`${server.url}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${server.token}` },
      ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
    });
    if (!response.ok) throw await faultOf(response);
    return response;
  };
  return {
    remote,
    async get<Body>(path: string) {
      return (await (await call(path, {}, TIMEOUT_MS)).json()) as Body;
    },
    async post<Body>(path: string, body: unknown) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return (await (await call(path, init, TIMEOUT_MS)).json()) as Body;
    },
    async upload<Body>(path: string, form: FormData) {
      return (await (await call(path, { method: 'POST', body: form })).json()) as Body;
    },
    async text(path) {
      return (await call(path, {}, TIMEOUT_MS)).text();
    },
    close,
  };
}

async function faultOf(response: Response): Promise<AppError> {
  const body = (await response.json().catch(() => undefined)) as ApiError | undefined;
  if (body?.error === undefined) {
    return new AppError('unavailable', {
      zh: `服务器返回 ${response.status}。`,
      en: `The server answered ${response.status}.`,
    });
  }
  const { code, text, problems } = body.error;
  const known = (ERROR_CODES as readonly string[]).includes(code) ? (code as ErrorCode) : 'internal';
  return new AppError(known, text, { problems });
}
