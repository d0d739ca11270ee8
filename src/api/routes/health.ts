import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Health } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import { userIfAny } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import { answers } from '../schema/basic.ts';
import { health } from '../schema/records.ts';

/** Longer than any healthy answer; a load balancer asks again soon. */
const ANSWER_MS = 2000;

/**
 * Whether this node can work, for load balancers and the command line, and the description of the API itself. Strangers
 * learn whether it is up; how busy it is, and what it lacks, is for users and the local operator.
 */
export function healthRoute(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/api/health',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether this node is up; with a session also how busy it is and whether it takes new calls',
        response: answers({ 200: health }),
      },
      config: { open: true },
    },
    async (request): Promise<Health> => {
      const user = await answersInTime(context, async () => {
        await sql`SELECT 1`.execute(context.db);
        return userIfAny(request, context);
      }).catch((cause: unknown) => {
        throw request.user === undefined ? notAvailable(cause) : databaseUnavailable(cause);
      });
      if (user === undefined) return { status: 'ok' };
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

/** What `ask` gives; rejects where the database takes too long. */
async function answersInTime<Answer>(context: ApiContext, ask: () => Promise<Answer>): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = context.clock.setTimer(ANSWER_MS, () => reject(new Error('no answer in time')), { unref: true });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    timer.cancel();
  }
}

function databaseUnavailable(cause: unknown): AppError {
  const text = { zh: '数据库没有应答。', en: 'The database does not answer.' };
  return new AppError('database-unavailable', text, { cause, retryable: true });
}

/** Strangers need not know which part is missing; without the database nobody else is known but the local operator. */
function notAvailable(cause: unknown): AppError {
  const text = { zh: '服务现在不可用，请稍后再试。', en: 'The service is not available now; try again later.' };
  return new AppError('unavailable', text, { cause, retryable: true });
}
