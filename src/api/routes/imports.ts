import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { ImportPreview, ImportView, Page } from '#domain/api.ts';
import type { ImportReport } from '#domain/contact.ts';
import type { ImportId } from '#domain/ids.ts';
import { audit } from '#compliance/audit.ts';
import { importContacts } from '#leads/import.ts';
import { previewImport } from '#leads/preview.ts';
import { getImport, listImports } from '#leads/store.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { actorOf, requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import { answers, idParams, pageOf } from '../schema/basic.ts';
import { importPreview, importQuery, importView } from '../schema/records.ts';
import { storedFile } from '../stored-file.ts';
import { uploaded } from '../upload.ts';

/** A preview needs no more than this of a file. */
const PREVIEW_BYTES = 64 * 1024;
const tags = ['imports'];
const consumes = ['multipart/form-data'];

/** Contacts from CSV: preview with guesses, import, reports, rejected rows. */
export function importRoutes(app: FastifyInstance, context: ApiContext, uploadLimitBytes: number): void {
  app.post(
    '/api/imports/preview',
    {
      schema: {
        tags,
        summary: 'Columns, guesses and first rows of `file`',
        consumes,
        response: answers({ 200: importPreview }),
      },
    },
    async (request): Promise<ImportPreview> => {
      requireRole(request, 'operator');
      const { file } = await uploaded(request, uploadLimitBytes);
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of file) {
        if (bytes >= PREVIEW_BYTES) continue;
        chunks.push(chunk);
        bytes += chunk.byteLength;
      }
      return previewImport(Buffer.concat(chunks).subarray(0, PREVIEW_BYTES));
    },
  );

  app.post(
    '/api/imports',
    {
      schema: {
        tags,
        summary: 'Import `file`; a JSON field `mapping` before it says what the columns are',
        consumes,
        response: answers({ 200: importView }),
      },
    },
    async (request): Promise<ImportView> => {
      const user = requireRole(request, 'operator');
      const { file, fileName, mapping, signal } = await uploaded(request, uploadLimitBytes);
      const report = await importContacts({
        db: context.db,
        pool: context.pool,
        source: file,
        fileName,
        mapping,
        rejectedFile: join(context.importsDirectory, `${newId(context.clock.now())}-rejected.csv`),
        signal,
        clock: context.clock,
      });
      await audit(context.db, {
        actor: actorOf(user),
        action: 'contacts.import',
        subject: report.id,
        detail: { imported: report.imported, merged: report.merged, rejected: report.rejected },
      });
      return viewOf(report);
    },
  );

  app.get<{ Querystring: { cursor?: string } }>(
    '/api/imports',
    {
      schema: {
        tags,
        summary: 'Imports, newest first',
        querystring: importQuery,
        response: answers({ 200: pageOf(importView) }),
      },
    },
    async (request): Promise<Page<ImportView>> => {
      const { cursor } = request.query;
      const page = await listImports(context.db, cursor === undefined ? {} : { cursor });
      return { ...page, items: page.items.map(viewOf) };
    },
  );

  app.get<{ Params: { id: ImportId } }>(
    '/api/imports/:id/rejected.csv',
    { schema: { tags, summary: 'The rejected rows with their reasons', params: idParams, produces: ['text/csv'] } },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const found = await getImport(context.db, request.params.id);
      const file =
        found?.rejectedFile === undefined ? undefined : await storedFile(context.importsDirectory, found.rejectedFile);
      if (file === undefined) {
        throw new AppError('not-found', {
          zh: '没有这次导入，或它没有被拒绝的行。',
          en: 'There is no such import, or it rejected no row.',
        });
      }
      await audit(context.db, { actor: actorOf(user), action: 'import.rejected-rows', subject: request.params.id });
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="rejected-${request.params.id}.csv"`)
        .send(createReadStream(file.path));
    },
  );
}

function viewOf(report: ImportReport): ImportView {
  const { id, fileName, rows, imported, merged, rejected, encoding, durationMs } = report;
  const rejectedUrl = rejected > 0 ? `/api/imports/${id}/rejected.csv` : null;
  return { id, fileName, rows, imported, merged, rejected, encoding, durationMs, rejectedUrl };
}
