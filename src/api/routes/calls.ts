import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import type { FastifyInstance } from 'fastify';
import type { CampaignId } from '#domain/ids.ts';
import { GRADES, OUTCOME_CODES } from '#domain/outcome.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { audit } from '#compliance/audit.ts';
import { parsePhone } from '#leads/phone.ts';
import { getCall, listCalls, recordingPath } from '#outcomes/calls.ts';
import type { CallFilter } from '#outcomes/calls.ts';
import { callsCsv } from '#outcomes/csv.ts';
import { AppError } from '#platform/error.ts';
import { requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import type { LiveCalls } from '../live-calls.ts';
import { parseRange } from './range.ts';

const query = Type.Object({
  campaignId: Type.Optional(Type.String({ format: 'uuid' })),
  outcome: Type.Optional(Type.Union(OUTCOME_CODES.map((code) => Type.Literal(code)))),
  grade: Type.Optional(Type.Union(GRADES.map((code) => Type.Literal(code)))),
  phone: Type.Optional(Type.String({ maxLength: 32 })),
  from: Type.Optional(Type.String({ format: 'date-time' })),
  to: Type.Optional(Type.String({ format: 'date-time' })),
  minTalkSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  cursor: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  language: Type.Optional(Type.Union([Type.Literal('zh'), Type.Literal('en')])),
  timeZone: Type.Optional(Type.String({ maxLength: 64 })),
});

interface CallQuery {
  campaignId?: string;
  outcome?: OutcomeCode;
  grade?: GradeCode;
  phone?: string;
  from?: string;
  to?: string;
  minTalkSeconds?: number;
  cursor?: string;
  limit?: number;
  language?: 'zh' | 'en';
  timeZone?: string;
}

const singleCall = Type.Object({
  number: Type.String({ minLength: 1, maxLength: 40 }),
  scriptId: Type.String({ format: 'uuid' }),
  variables: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 500 }))),
  trunk: Type.Optional(Type.String()),
  callerNumber: Type.Optional(Type.String()),
});

interface SingleCallBody {
  number: string;
  scriptId: string;
  variables?: Record<string, string>;
  trunk?: string;
  callerNumber?: string;
}

/** Calls: list, export, one call with its recording, and a single dial by hand. */
export function callRoutes(app: FastifyInstance, context: ApiContext, live: LiveCalls): void {
  const { db } = context;

  app.get<{ Querystring: CallQuery }>(
    '/api/calls',
    { schema: { tags: ['calls'], querystring: query } },
    async (request) => {
      const { cursor, limit } = request.query;
      return listCalls(db, {
        ...filterOf(request.query),
        ...(cursor === undefined ? {} : { cursor }),
        ...(limit === undefined ? {} : { limit }),
      });
    },
  );

  app.get<{ Querystring: CallQuery }>(
    '/api/calls.csv',
    { schema: { tags: ['calls'], querystring: query } },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const timeZone = request.query.timeZone ?? 'Asia/Shanghai';
      if (!isTimeZone(timeZone))
        throw new AppError('invalid-input', {
          zh: `没有这个时区：${timeZone}`,
          en: `There is no such time zone: ${timeZone}`,
        });
      await audit(db, { actor: `user:${user.id}`, action: 'calls.export', subject: request.query.campaignId ?? 'all' });
      const lines = callsCsv(db, filterOf(request.query), {
        language: request.query.language ?? user.language,
        timeZone,
      });
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="calls.csv"')
        .send(Readable.from(lines));
    },
  );

  app.get<{ Params: { id: string } }>('/api/calls/:id', { schema: { tags: ['calls'] } }, async (request, reply) => {
    const going = live.get(request.params.id);
    if (going !== undefined) return reply.status(202).send(going);
    return getCall(db, request.params.id);
  });

  app.get<{ Params: { id: string } }>(
    '/api/calls/:id/recording.wav',
    { schema: { tags: ['calls'] } },
    async (request, reply) => {
      const user = requireRole(request, 'viewer');
      const path = await recordingPath(db, request.params.id);
      const file = path === undefined ? undefined : join(context.recordingsDirectory, path);
      const size =
        file === undefined
          ? undefined
          : await stat(file).then(
              (s) => s.size,
              () => undefined,
            );
      if (file === undefined || size === undefined) {
        throw new AppError('not-found', {
          zh: '这通电话没有录音，或录音已过保存期。',
          en: 'This call has no recording, or it was kept its time and deleted.',
        });
      }
      const range = parseRange(request.headers.range, size);
      if (range === 'unsatisfiable') return reply.status(416).header('content-range', `bytes */${size}`).send();
      void reply
        .header('content-type', 'audio/wav')
        .header('accept-ranges', 'bytes')
        .header('cache-control', 'private, max-age=3600');
      if (range === undefined) {
        await audit(db, { actor: `user:${user.id}`, action: 'recording.play', subject: request.params.id });
        return reply.header('content-length', size).send(createReadStream(file));
      }
      return reply
        .status(206)
        .header('content-range', `bytes ${range.start}-${range.end}/${size}`)
        .header('content-length', range.end - range.start + 1)
        .send(createReadStream(file, range));
    },
  );

  app.post<{ Body: SingleCallBody }>(
    '/api/calls',
    { schema: { tags: ['calls'], body: singleCall } },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const { number, scriptId, variables = {} } = request.body;
      const phone = parsePhone(number);
      if (!phone.ok)
        throw new AppError('invalid-input', phone.reason, { problems: [{ path: 'number', message: phone.reason }] });
      const trunk = context.trunks.find(({ name }) => name === (request.body.trunk ?? context.trunks[0]?.name));
      if (trunk === undefined) {
        throw new AppError('invalid-input', {
          zh: '没有这条线路，请在配置的 trunks 中添加。',
          en: 'There is no such trunk; add it under trunks in the configuration.',
        });
      }
      const callerNumber = request.body.callerNumber ?? trunk.callerNumbers[0] ?? '';
      if (!trunk.callerNumbers.includes(callerNumber)) {
        throw new AppError('invalid-input', {
          zh: '这条线路不拥有该主叫号码。',
          en: 'The trunk does not own this caller number.',
        });
      }
      const id = await context.placeSingleCall({
        phone: phone.phone,
        scriptId,
        variables,
        trunk: trunk.name,
        callerNumber,
      });
      await audit(db, { actor: `user:${user.id}`, action: 'call.place', subject: id });
      return reply.status(201).send({ id });
    },
  );
}

function filterOf(q: CallQuery): CallFilter {
  return {
    ...(q.campaignId === undefined ? {} : { campaignId: q.campaignId as CampaignId }),
    ...(q.outcome === undefined ? {} : { outcome: q.outcome }),
    ...(q.grade === undefined ? {} : { grade: q.grade }),
    ...(q.phone === undefined ? {} : { phone: q.phone }),
    ...(q.from === undefined ? {} : { from: new Date(q.from) }),
    ...(q.to === undefined ? {} : { to: new Date(q.to) }),
    ...(q.minTalkSeconds === undefined ? {} : { minTalkSeconds: q.minTalkSeconds }),
  };
}

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
