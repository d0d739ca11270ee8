import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { buildApi } from '#api/server.ts';
import { openAnnouncementDesk } from '#bin/runtime/announcement-desk.ts';
import type { AnnouncementDesk, NodeStatus, SingleCall } from '#api/context.ts';
import { createUser } from '#api/users.ts';
import type { CallControl } from '#calls/bridge/call-bridge.ts';
import type { OperatorHangUp } from '#calls/call-side.ts';
import type { Role, TrunkSummary } from '#domain/api.ts';
import type { AttemptId, ScriptId, UserId } from '#domain/ids.ts';
import { isSuppressed } from '#compliance/suppression.ts';
import { sampleScripts } from '#dialog/samples.ts';
import { publish, saveDraft } from '#dialog/store.ts';
import { openBus, type Bus } from '#platform/bus.ts';
import { ManualClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { createLog, type Log } from '#platform/log.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { scratchDirectory } from './scratch.ts';

export const TRUNK: TrunkSummary = {
  name: 'main',
  callerNumbers: ['+862100000000'],
  channels: 50,
  callsPerSecond: 10,
};
export const PASSWORD = 'correct horse battery';
export const OPERATOR_TOKEN = 'token-of-the-local-operator';

/** What the node of a test says about its load. */
export const NODE: NodeStatus = {
  admission: { accepts: true },
  load: {
    calls: 3,
    capacity: 100,
    frameLatenessMs: 1.25,
    framesDropped: 0,
    reportAgeMs: 500,
    loopDelayMs: 2,
    draining: false,
  },
  refused: { calls: 2 },
  strangers: 7,
  notOurs: 1,
};

/** The API of a test on a database of its own, with a user of every role. */
export interface TestApi {
  readonly app: FastifyInstance;
  readonly database: TestDatabase;
  readonly bus: Bus;
  readonly clock: ManualClock;
  readonly recordingsDirectory: string;
  readonly importsDirectory: string;
  readonly scriptId: ScriptId;
  /** Single calls that the API asked for. */
  readonly placed: SingleCall[];
  /** Calls under way that may be transferred and listened to, by id. */
  readonly controls: Map<string, CallControl>;
  /** What ends a call, by its id. */
  readonly hangUps: Map<string, OperatorHangUp>;
  readonly users: Readonly<Record<Role, UserId>>;
  /** Everything that was logged, as text. */
  readonly logged: () => string;
  /** Cookie header of a fresh session. */
  signIn(role: Role): Promise<string>;
  close(): Promise<void>;
}

/** Builds the API without listening; `close` drops the database. Call it within a test, or give `directory`. */
export async function testApi(
  o: {
    readonly directory?: string;
    readonly uploadLimitBytes?: number;
    readonly consoleDirectory?: string;
    readonly announcements?: AnnouncementDesk;
    readonly node?: NodeStatus;
  } = {},
): Promise<TestApi> {
  const directory = o.directory ?? scratchDirectory();
  const recordingsDirectory = path.join(directory, 'recordings');
  const importsDirectory = path.join(directory, 'imports');
  const announcementsDirectory = path.join(directory, 'announcements');
  const earlyMediaDirectory = path.join(directory, 'early-media');
  for (const made of [recordingsDirectory, importsDirectory, announcementsDirectory, earlyMediaDirectory])
    mkdirSync(made, { recursive: true });
  const database = await testDatabase();
  const clock = new ManualClock(new Date());
  const { log, logged } = memoryLog();
  const bus = openBus(log);
  const placed: SingleCall[] = [];
  const controls = new Map<string, CallControl>();
  const hangUps = new Map<string, OperatorHangUp>();
  const scriptId = await saveDraft(database.db, sampleScripts()[0], clock.now());
  await publish(database.db, scriptId, clock.now());
  const announcements = await openAnnouncementDesk({
    directory: announcementsDirectory,
    earlyMediaDirectory,
    clock,
    log,
    teach: () => undefined,
    findCalls: async () => new Map(),
  });
  const app = await buildApi(
    {
      db: database.db,
      pool: database.pool,
      bus,
      clock,
      log,
      language: 'zh',
      trunks: [TRUNK],
      recordingsDirectory,
      importsDirectory,
      consoleDirectory: o.consoleDirectory,
      operatorToken: OPERATOR_TOKEN,
      node: () => o.node ?? NODE,
      callControl: (id) => controls.get(id),
      operatorHangUp: (id) => hangUps.get(id),
      announcements: o.announcements ?? announcements,
      async placeSingleCall(call): Promise<AttemptId> {
        if (await isSuppressed(database.db, call.phone))
          throw new AppError('conflict', { zh: '禁呼', en: 'suppressed' });
        placed.push(call);
        return newId<'attempt'>(clock.now());
      },
    },
    o.uploadLimitBytes === undefined ? {} : { uploadLimitBytes: o.uploadLimitBytes },
  );
  await app.ready();
  const user = (role: Role) =>
    createUser(database.db, { name: role, password: PASSWORD, role, language: 'zh', now: clock.now() });
  const users = { admin: await user('admin'), operator: await user('operator'), viewer: await user('viewer') };
  let caller = 0;
  return {
    app,
    database,
    bus,
    clock,
    recordingsDirectory,
    importsDirectory,
    scriptId,
    placed,
    controls,
    hangUps,
    users,
    logged,
    async signIn(role) {
      // Each from an address of its own, so that no test runs into the limit on tries.
      const reply = await app.inject({
        method: 'POST',
        url: '/api/session',
        payload: { name: role, password: PASSWORD },
        remoteAddress: `10.0.0.${++caller}`,
      });
      return `${reply.cookies[0]?.name}=${reply.cookies[0]?.value}`;
    },
    async close() {
      await app.close();
      await database.close();
    },
  };
}

function memoryLog(): { readonly log: Log; readonly logged: () => string } {
  let text = '';
  const destination = { write: (chunk: string) => (text += chunk) } as unknown as NodeJS.WritableStream;
  return { log: createLog({ level: 'debug', destination }), logged: () => text };
}

/** A multipart body of fields and one file, in the order given. */
export function multipart(
  parts: readonly { readonly name: string; readonly content: string | Uint8Array; readonly fileName?: string }[],
): { readonly payload: Buffer; readonly headers: { readonly 'content-type': string } } {
  const boundary = 'test-boundary-4f1c';
  const chunks = parts.flatMap(({ name, content, fileName }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: text/csv`;
    return [
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ];
  });
  return {
    payload: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}
