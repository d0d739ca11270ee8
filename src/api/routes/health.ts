import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Health } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import type { ApiContext } from '../context.ts';
import { answers } from '../schema/basic.ts';
import { health } from '../schema/records.ts';

/** Longer than any healthy answer; a load balancer asks again soon. */
const ANSWER_MS = 2000;

/** Whether this node can work, for load balancers and the command line, and the description of the API itself. */
export function healthRoute(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/api/health',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether the database answers and new calls are taken',
        response: answers({ 200: health }),
      },
      config: { open: true },
    },
    async (): Promise<Health> => {
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = context.clock.setTimer(ANSWER_MS, () => reject(new Error('no answer in time')), { unref: true });
      try {
        await Promise.race([sql`SELECT 1`.execute(context.db), late]);
      } catch (cause) {
        throw new AppError(
          'database-unavailable',
          { zh: '数据库没有应答。', en: 'The database does not answer.' },
          { cause, retryable: true },
        );
      } finally {
        timer.cancel();
      }
      const { admission, load } = context.node();
      const reason = admission.accepts ? null : admission.reason;
      return {
        status: reason === null ? 'ok' : reason === 'draining' ? 'draining' : 'busy',
        refuses: reason,
        calls: load.calls,
        frameLatenessMs: Math.round(load.frameLatenessMs * 10) / 10,
        loopDelayMs: Math.round(load.loopDelayMs * 10) / 10,
      };
    },
  );
  app.get('/api/openapi.json', { schema: { hide: true }, config: { open: true } }, () => app.swagger());
}
