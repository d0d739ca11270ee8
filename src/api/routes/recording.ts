import { createReadStream } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { audit } from '#compliance/audit.ts';
import { recordingPath } from '#outcomes/calls.ts';
import { AppError } from '#platform/error.ts';
import { actorOf, requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import { PlaybackAudit } from '../playback-audit.ts';
import { idParams } from '../schema/basic.ts';
import { storedFile } from '../stored-file.ts';
import { parseRange } from './range.ts';

/** The audio of a call, whole or in ranges; who listens is on record. */
export function recordingRoute(app: FastifyInstance, context: ApiContext): void {
  const playback = new PlaybackAudit(context.clock);
  app.get<{ Params: { id: string } }>(
    '/api/calls/:id/recording.wav',
    {
      schema: {
        tags: ['calls'],
        summary: 'Stereo WAV: callee left, platform right; takes byte ranges',
        params: idParams,
        produces: ['audio/wav'],
      },
    },
    async (request, reply) => {
      const actor = actorOf(requireRole(request, 'viewer'));
      const { id } = request.params;
      const path = await recordingPath(context.db, id);
      const file = path === undefined ? undefined : await storedFile(context.recordingsDirectory, path);
      if (file === undefined) {
        throw new AppError('not-found', {
          zh: '这通电话没有录音，或录音已过保存期。',
          en: 'This call has no recording, or it was kept its time and deleted.',
        });
      }
      const range = parseRange(request.headers.range, file.bytes);
      void reply
        .header('content-type', 'audio/wav')
        .header('accept-ranges', 'bytes')
        .header('cache-control', 'private, max-age=3600');
      if (range === 'unsatisfiable') return reply.status(416).header('content-range', `bytes */${file.bytes}`).send();
      if (playback.isNew(actor, id)) await audit(context.db, { actor, action: 'recording.play', subject: id });
      if (range === undefined) {
        return reply.header('content-length', file.bytes).send(createReadStream(file.path));
      }
      return reply
        .status(206)
        .header('content-range', `bytes ${range.start}-${range.end}/${file.bytes}`)
        .header('content-length', range.end - range.start + 1)
        .send(createReadStream(file.path, range));
    },
  );
}
