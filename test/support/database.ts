import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Db } from '#platform/db/database.ts';
import { TEMPLATE } from './database-server.ts';

/** A database of its own for one test file: migrated, with partitions of the current months. */
export interface TestDatabase {
  readonly db: Db;
  readonly pool: pg.Pool;
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A fresh database on the server that all test files share; `close` drops it. */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = await text(connect(inject('databaseDoor'), '127.0.0.1'));
  if (serverUrl.startsWith('!')) throw new Error(`the test database did not start: ${serverUrl.slice(2)}`);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = serverUrl.replace(/\/waihu$/, `/${name}`);
  await administer(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  const opened = await openDatabase(url, { maxConnections: 10 });
  return {
    db: opened.db,
    pool: opened.pool,
    url,
    async close() {
      await opened.close();
      await administer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const admin = await openDatabase(url, { maxConnections: 1 });
  try {
    await admin.pool.query(statement);
  } finally {
    await admin.close();
  }
}
