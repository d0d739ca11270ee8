import { randomUUID } from 'node:crypto';
import { PgBoss } from 'pg-boss';
import { AppError } from './error.ts';
import type { Log } from './log.ts';

/** How jobs of one name run and are tried again. */
export interface JobOptions {
  /** Jobs of this name at once on this node. */
  readonly concurrency?: number;
  /** Tries after the first one failed; each waits twice as long as the one before. */
  readonly retries?: number;
  readonly retryDelaySeconds?: number;
  /** A job that runs longer counts as failed. */
  readonly timeoutSeconds?: number;
}

/** Durable work in the background: a job survives a crash and is done at least once, so handlers are idempotent. */
export interface Jobs {
  /** Makes the queue where it is missing and starts to work on it; `signal` aborts when the time is over. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the payload where a job is defined
  define<Data extends object>(
    name: string,
    handler: (data: Data, signal: AbortSignal) => Promise<void>,
    options?: JobOptions,
  ): Promise<void>;
  /** Returns the job's id; with `key`, undefined while a job of that key waits already. */
  send(
    name: string,
    data: object,
    options?: { readonly key?: string; readonly startAfter?: Date; readonly priority?: number },
  ): Promise<string | undefined>;
  /** Runs a defined job by a cron expression, evaluated in UTC. */
  schedule(name: string, cron: string, data?: object): Promise<void>;
  /** Waits for jobs that run, at most 20 s. */
  close(): Promise<void>;
}

/** Jobs in the database's `pgboss` schema. */
export async function openJobs(url: string, log: Log): Promise<Jobs> {
  const boss = new PgBoss({ connectionString: url, max: 4, application_name: 'waihu-jobs', useListenNotify: true });
  boss.on('error', (error) => log.error({ err: error }, 'the job queue reported a fault'));
  boss.on('warning', (warning) => log.warn({ warning: warning.message }, 'the job queue reported a warning'));
  try {
    await boss.start();
  } catch (cause) {
    throw new AppError(
      'database-unavailable',
      {
        zh: '任务队列无法启动：数据库连不上，或数据库用户无权建立 pgboss 模式。',
        en: 'The job queue cannot start: the database cannot be reached, or its user may not create the schema pgboss.',
      },
      { cause, retryable: true },
    );
  }
  let closing: Promise<void> | undefined;
  return {
    async define(name, handler, options = {}) {
      const { concurrency = 1, retries = 3, retryDelaySeconds = 5, timeoutSeconds = 900 } = options;
      const queue = {
        notify: true,
        retryLimit: retries,
        retryDelay: retryDelaySeconds,
        retryBackoff: true,
        expireInSeconds: timeoutSeconds,
      };
      await boss.createQueue(name, { ...queue, policy: 'short' });
      await boss.updateQueue(name, queue);
      // Without a burst a backlog waits for the backstop poll after each fetch, and pg-boss bursts only in batches.
      const batchSize = Math.max(2, concurrency);
      await boss.work(
        name,
        {
          batchSize,
          burstWhenBatchFull: true,
          perJobResults: true,
          pollingIntervalSeconds: 2,
          notifyPollingIntervalSeconds: 2,
        },
        async (jobs) => {
          const lane = createLane(concurrency);
          return Promise.all(
            jobs.map((job) =>
              lane(async () => {
                try {
                  await handler(job.data as never, job.signal);
                  return { id: job.id, status: 'completed' as const };
                } catch (error) {
                  log.error({ err: error, job: name, id: job.id }, 'a job failed');
                  return { id: job.id, status: 'failed' as const, output: { message: String(error) } };
                }
              }),
            ),
          );
        },
      );
    },
    async send(name, data, options = {}) {
      const { key, startAfter, priority } = options;
      const id = await boss.send(name, data, {
        // The queue's policy lets one job of a key wait, so a job without one gets one of its own.
        singletonKey: key ?? randomUUID(),
        ...(startAfter === undefined ? {} : { startAfter }),
        ...(priority === undefined ? {} : { priority }),
      });
      return id ?? undefined;
    },
    schedule: (name, cron, data = {}) => boss.schedule(name, cron, data, { tz: 'UTC' }),
    close: () => (closing ??= boss.stop({ graceful: true, timeout: 20_000 })),
  };
}

/** Runs at most `width` of the given functions at once. */
function createLane(width: number): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let free = width;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
