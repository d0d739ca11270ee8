import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { openBus } from '#platform/bus.ts';
import { ManualClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { silentLog } from '#platform/log.ts';
import type { ApiContext } from './context.ts';
import { buildApi } from './server.ts';

/** docs/api.json, made from the routes: an OpenAPI 3.1 document. */
export async function renderApiDocument(): Promise<string> {
  // The pool connects on its first query, and a description asks none.
  const pool = new Pool();
  const context: ApiContext = {
    db: new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    bus: openBus(silentLog),
    clock: new ManualClock(),
    log: silentLog,
    language: 'en',
    trunks: [],
    recordingsDirectory: '.',
    importsDirectory: '.',
    consoleDirectory: undefined,
    operatorToken: 'none',
    node: () => {
      throw new AppError('unavailable', { zh: '只用于生成文档。', en: 'Only describes the API.' });
    },
    callControl: () => undefined,
    operatorHangUp: () => undefined,
    placeSingleCall: () => {
      throw new AppError('unavailable', { zh: '只用于生成文档。', en: 'Only describes the API.' });
    },
  };
  const app = await buildApi(context);
  try {
    await app.ready();
    return `${JSON.stringify(app.swagger(), null, 2)}\n`;
  } finally {
    await app.close();
    await pool.end();
  }
}
