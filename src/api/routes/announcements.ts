import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Type } from 'typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AnnouncementLesson, AnnouncementTrial, AnnouncementView, UnknownAnnouncementView } from '#domain/api.ts';
import { audit } from '#compliance/audit.ts';
import { AppError } from '#platform/error.ts';
import { actorOf, requireRole } from '../auth.ts';
import type { AnnouncementDesk, ApiContext } from '../context.ts';
import { answers, idParams, localText, number, orNull, text, uuid } from '../schema/basic.ts';
import { uploaded } from '../upload.ts';

/** Ten minutes of stereo PCM at 48 kHz would be more; nobody needs that to teach ten seconds. */
const RECORDING_LIMIT_BYTES = 32 * 1024 * 1024;
const tags = ['announcements'];
const consumes = ['multipart/form-data'];

const view = Type.Object({ name: text, label: text, durationMs: number, taughtAt: orNull(text) });
const likeness = Type.Object({ name: text, label: text, bitErrorRatio: number, sharedRatio: number });
const channel = Type.Unsafe<'mono' | 'left' | 'right'>({ type: 'string', enum: ['mono', 'left', 'right'] });
const lesson = Type.Object({
  announcement: view,
  channel,
  fromMs: number,
  toMs: number,
  warnings: Type.Array(localText),
  nearest: orNull(likeness),
});
const trial = Type.Object({
  channel,
  heard: Type.Array(Type.Object({ kind: text, label: text, name: orNull(text), confidence: number, atMs: number })),
  recognised: orNull(text),
  nearest: orNull(likeness),
  warnings: Type.Array(localText),
});
const unknownAnnouncement = Type.Object({
  callId: uuid,
  calls: Type.Integer(),
  durationMs: number,
  phone: text,
  outcome: text,
  sipStatus: orNull(Type.Integer()),
  url: text,
});
const learnQuery = Type.Object({
  label: Type.String({ minLength: 1, maxLength: 64 }),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
});
const nameParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) });

/** Carriers' announcements: taught, listed, tried, forgotten; and the early media that nobody has taught yet. */
export function announcementRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/api/announcements',
    { schema: { tags, summary: 'Announcements that are recognised', response: answers({ 200: Type.Array(view) }) } },
    (request): readonly AnnouncementView[] => {
      requireRole(request, 'viewer');
      return deskOf(context).list();
    },
  );

  app.post<{ Querystring: { label: string; name?: string } }>(
    '/api/announcements',
    {
      schema: {
        tags,
        summary: 'Teach the announcement of a recording (WAV); only its fingerprint is kept',
        querystring: learnQuery,
        consumes,
        response: answers({ 200: lesson }),
      },
    },
    async (request): Promise<AnnouncementLesson> => {
      const user = requireRole(request, 'operator');
      const { label, name } = request.query;
      const bytes = await recordingOf(request);
      const learnt = await deskOf(context).learn({ bytes, label, ...(name === undefined ? {} : { name }) });
      await audit(context.db, {
        actor: actorOf(user),
        action: 'announcement.learn',
        subject: learnt.announcement.name,
        detail: { label: learnt.announcement.label },
      });
      return learnt;
    },
  );

  app.post(
    '/api/announcements/try',
    {
      schema: {
        tags,
        summary: 'What would be recognised in a recording (WAV), and the nearest wrong announcement',
        consumes,
        response: answers({ 200: trial }),
      },
    },
    async (request): Promise<AnnouncementTrial> => {
      requireRole(request, 'operator');
      return deskOf(context).tryOut({ bytes: await recordingOf(request) });
    },
  );

  app.delete<{ Params: { name: string } }>(
    '/api/announcements/:name',
    { schema: { tags, summary: 'Forget an announcement', params: nameParams } },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const { name } = request.params;
      await deskOf(context).forget(name);
      await audit(context.db, { actor: actorOf(user), action: 'announcement.forget', subject: name });
      return reply.code(204).send();
    },
  );

  app.get(
    '/api/early-media',
    {
      schema: {
        tags,
        summary: 'Early media of unanswered calls that no taught announcement explains, alike ones together',
        response: answers({ 200: Type.Array(unknownAnnouncement) }),
      },
    },
    async (request): Promise<readonly UnknownAnnouncementView[]> => {
      requireRole(request, 'operator');
      return deskOf(context).unknown();
    },
  );

  app.get<{ Params: { id: string } }>(
    '/api/early-media/:id.wav',
    {
      schema: {
        tags,
        summary: 'What the network played on an unanswered call',
        params: idParams,
        produces: ['audio/wav'],
      },
    },
    async (request, reply) => {
      requireRole(request, 'operator');
      const path = await deskOf(context).earlyMedia(request.params.id);
      const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
      if (path === undefined || found === undefined)
        throw new AppError('not-found', {
          zh: '没有保存这通电话的早期媒体，或已过保存期。',
          en: 'No early media of this call was kept, or it was kept its time and deleted.',
        });
      return reply
        .header('content-type', 'audio/wav')
        .header('content-length', found.size)
        .send(createReadStream(path));
    },
  );
}

function deskOf({ announcements }: ApiContext): AnnouncementDesk {
  if (announcements !== undefined) return announcements;
  throw new AppError('unavailable', {
    zh: '这个进程不处理通话，请在处理通话的节点上操作。',
    en: 'This process runs no calls; ask the node that does.',
  });
}

async function recordingOf(request: FastifyRequest): Promise<Uint8Array> {
  const { file } = await uploaded(request, RECORDING_LIMIT_BYTES);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of file) {
    size += chunk.byteLength;
    if (size > RECORDING_LIMIT_BYTES)
      throw new AppError('too-large', {
        zh: '录音文件太大，上限 32 MiB；请剪到提示音所在的部分。',
        en: 'The recording is too large; the limit is 32 MiB. Cut it to the announcement.',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
