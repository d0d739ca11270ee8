import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { CallSummary, Page } from '#domain/api.ts';
import type { CallDirection } from '#domain/call.ts';
import type { CampaignId } from '#domain/ids.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { maskPhone } from '#domain/phone.ts';
import type { Language } from '#domain/text.ts';
import { audit } from '#compliance/audit.ts';
import { parsePhone } from '#leads/phone.ts';
import { getCall, listCalls } from '#outcomes/calls.ts';
import type { CallFilter } from '#outcomes/calls.ts';
import { callsCsv } from '#outcomes/csv.ts';
import { AppError } from '#platform/error.ts';
import { Type } from 'typebox';
import { withActorNames } from '../actor-names.ts';
import { actorOf, requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import type { LiveCalls } from '../live-calls.ts';
import { answers, idParams, pageOf, uuid } from '../schema/basic.ts';
import { callCsvQuery, callQuery, callSummary, callView, liveCall, singleCall } from '../schema/call.ts';

interface CallQuery {
  direction?: CallDirection;
  campaignId?: string;
  outcome?: OutcomeCode;
  grade?: GradeCode;
  phone?: string;
  from?: string;
  to?: string;
  minTalkSeconds?: number;
  cursor?: string;
  limit?: number;
  language?: Language;
  timeZone?: string;
}

interface SingleCallBody {
  number: string;
  scriptId: string;
  variables?: Record<string, string>;
  trunk?: string;
  callerNumber?: string;
}

const tags = ['calls'];

/** Calls: list, export, one call, and a single dial by hand. */
export function callRoutes(app: FastifyInstance, context: ApiContext, live: LiveCalls): void {
  const { db } = context;

  app.get<{ Querystring: CallQuery }>(
    '/api/calls',
    {
      schema: {
        tags,
        summary: 'Calls, newest first; `total` stops at 10,000',
        querystring: callQuery,
        response: answers({ 200: pageOf(callSummary) }),
      },
    },
    async (request): Promise<Page<CallSummary>> => {
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
    {
      schema: {
        tags,
        summary: 'The same calls for a spreadsheet, numbers masked',
        querystring: callCsvQuery,
        produces: ['text/csv'],
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const timeZone = request.query.timeZone ?? 'Asia/Shanghai';
      if (!isTimeZone(timeZone)) {
        throw invalid('timeZone', `没有这个时区：${timeZone}`, `There is no such time zone: ${timeZone}`);
      }
      const filter = filterOf(request.query);
      await audit(db, {
        actor: actorOf(user),
        action: 'calls.export',
        subject: request.query.campaignId ?? 'all',
      });
      const lines = callsCsv(db, filter, { language: request.query.language ?? user.language, timeZone });
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="calls.csv"')
        .send(Readable.from(lines));
    },
  );

  app.get<{ Params: { id: string } }>(
    '/api/calls/:id',
    {
      schema: {
        tags,
        summary: 'One call; 202 with its state while it goes on',
        params: idParams,
        response: answers({ 200: callView, 202: liveCall }),
      },
    },
    async (request, reply) => {
      const going = live.get(request.params.id);
      if (going !== undefined) return reply.status(202).send(going);
      const call = await getCall(db, request.params.id);
      return { ...call, timeline: await withActorNames(db, call.timeline) };
    },
  );

  app.post<{ Body: SingleCallBody }>(
    '/api/calls',
    {
      schema: {
        tags,
        summary: 'Dial one number by hand',
        body: singleCall,
        response: answers({ 201: Type.Object({ id: uuid }) }),
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const { number, scriptId, variables = {} } = request.body;
      const phone = parsePhone(number);
      if (!phone.ok)
        throw new AppError('invalid-input', phone.reason, { problems: [{ path: 'number', message: phone.reason }] });
      const trunk = context.trunks.find(({ name }) => name === (request.body.trunk ?? context.trunks[0]?.name));
      if (trunk === undefined) {
        const zh = '没有这条线路，请在配置的 trunks 中添加。';
        throw invalid('trunk', zh, 'There is no such trunk; add it under trunks in the configuration.');
      }
      const callerNumber = request.body.callerNumber ?? trunk.callerNumbers[0] ?? '';
      if (!trunk.callerNumbers.includes(callerNumber)) {
        throw invalid('callerNumber', '这条线路不拥有该主叫号码。', 'The trunk does not own this caller number.');
      }
      const id = await context.placeSingleCall({
        phone: phone.phone,
        timeZone: phone.timeZone,
        scriptId,
        variables,
        trunk: trunk.name,
        callerNumber,
      });
      await audit(db, {
        actor: actorOf(user),
        action: 'call.place',
        subject: id,
        detail: { phone: maskPhone(phone.phone) },
      });
      return reply.status(201).send({ id });
    },
  );
}

function filterOf(q: CallQuery): CallFilter {
  return {
    ...(q.direction === undefined ? {} : { direction: q.direction }),
    ...(q.campaignId === undefined ? {} : { campaignId: q.campaignId as CampaignId }),
    ...(q.outcome === undefined ? {} : { outcome: q.outcome }),
    ...(q.grade === undefined ? {} : { grade: q.grade }),
    ...(q.phone === undefined ? {} : { phone: q.phone }),
    ...(q.from === undefined ? {} : { from: momentOf(q.from, 'from') }),
    ...(q.to === undefined ? {} : { to: momentOf(q.to, 'to') }),
    ...(q.minTalkSeconds === undefined ? {} : { minTalkSeconds: q.minTalkSeconds }),
  };
}

/** The format allows a leap second, which no `Date` has, and years before any call, which no id has. */
function momentOf(text: string, path: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw invalid(path, '没有这个时间。', 'There is no such time.');
  return at.getTime() < 0 ? new Date(0) : at;
}

function invalid(path: string, zh: string, en: string): AppError {
  return new AppError('invalid-input', { zh, en }, { problems: [{ path, message: { zh, en } }] });
}

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
