import { resolve } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import { AppError, ERROR_CODES } from '#platform/error.ts';
import type { ErrorCode } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import type { ApiError } from '#domain/api.ts';
import { openPlatform } from '../runtime/platform.ts';
import { publishSampleScripts } from '../runtime/first-start.ts';
import { runningServer } from '../runtime/server-file.ts';
import type { ServerFile } from '../runtime/server-file.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import type { Config } from '#platform/config/config.ts';
import { SAMPLE_TRUNK } from '../sample/campaign.ts';
import { SAMPLE_SEED } from '../sample/run.ts';
import { startSimulatorBeside, withSimulatorTrunk } from '../simulator/beside.ts';
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
  bytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** What a command needs of a server that it has to start itself. */
export interface ClientNeeds {
  /** The command dials, so that there must be lines; with `trunk` this one, otherwise any. */
  readonly lines?: { readonly trunk: string | undefined };
  /** Campaigns that run are dialled meanwhile. */
  readonly dials?: boolean;
}

/** Talks to the server of the data directory, or starts one for this command alone. */
export async function openClient(o: CommandContext, stop: AbortSignal, needs: ClientNeeds = {}): Promise<ApiClient> {
  const config = settingsOf(o.flags);
  const data = resolve(config.dataDirectory);
  const running = await runningServer(data);
  if (running !== undefined) return clientOf(running, true, async () => undefined);
  checkDataDirectory(data);
  await using stack = new AsyncDisposableStack();
  const simulator = needsSimulator(config, needs)
    ? startSimulatorBeside({
        data,
        port: 0,
        seed: SAMPLE_SEED,
        logLevel: 'warn',
        terminal: o.terminal,
        signal: stop,
      })
    : undefined;
  if (simulator !== undefined) stack.defer(() => simulator.close());
  const platform = await openPlatform({
    config: { ...config, http: { host: '127.0.0.1', port: 0 }, sip: { ...config.sip, port: 0 } },
    clock: systemClock,
    log: createLog({ level: o.flags.logLevel === undefined ? 'error' : config.log.level }),
    trunks: () => withSimulatorTrunk(config.trunks, simulator),
    consoleDirectory: undefined,
    version: o.version,
    dials: needs.dials === true,
    signal: stop,
  });
  stack.defer(() => platform.close('command ended'));
  await publishSampleScripts(platform.database.db, systemClock);
  const server = { url: platform.url, token: platform.operatorToken, pid: process.pid };
  const owned = stack.move();
  return clientOf(server, false, () => owned.disposeAsync());
}

/** As in a server, the simulator is there unless the configuration says otherwise; it takes seconds, so only if used. */
function needsSimulator({ simulator, trunks }: Config, { lines }: ClientNeeds): boolean {
  if (!simulator.enabled || lines === undefined) return false;
  return lines.trunk === undefined ? trunks.length === 0 : lines.trunk === SAMPLE_TRUNK;
}

function clientOf(server: ServerFile, remote: boolean, close: () => Promise<void>): ApiClient {
  const call = async (path: string, init: RequestInit, timeoutMs?: number): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${server.token}`);
    const response = await fetch(`${server.url}${path}`, {
      ...init,
      headers,
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
    async bytes(path) {
      return new Uint8Array(await (await call(path, {}, TIMEOUT_MS)).arrayBuffer());
    },
    async remove(path) {
      await call(path, { method: 'DELETE' }, TIMEOUT_MS);
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
