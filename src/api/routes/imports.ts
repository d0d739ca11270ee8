import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ColumnMapping, ImportPreview, ImportView } from '#domain/api.ts';
import type { ImportReport } from '#domain/contact.ts';
import type { ImportId } from '#domain/ids.ts';
import { audit } from '#compliance/audit.ts';
import { importContacts } from '#leads/import.ts';
import { previewImport } from '#leads/preview.ts';
import { getImport, listImports } from '#leads/store.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { requireRole } from '../auth.ts';
import type { ApiContext } from '../context.ts';
import { parseMapping } from './mapping.ts';

/** A preview needs no more than this of a file. */
const PREVIEW_BYTES = 64 * 1024;

/** Contacts from CSV: preview with guesses, import, reports, rejected rows. */
export function importRoutes(app: FastifyInstance, context: ApiContext): void {
  app.post(
    '/api/imports/preview',
    { schema: { tags: ['imports'], consumes: ['multipart/form-data'] } },
    async (request): Promise<ImportPreview> => {
      requireRole(request, 'operator');
      const { file } = await uploaded(request);
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of file) {
        if (bytes >= PREVIEW_BYTES) continue;
        chunks.push(chunk as Uint8Array);
        bytes += (chunk as Uint8Array).byteLength;
      }
      return previewImport(Buffer.concat(chunks).subarray(0, PREVIEW_BYTES));
    },
  );

  app.post(
    '/api/imports',
    { schema: { tags: ['imports'], consumes: ['multipart/form-data'] } },
    async (request): Promise<ImportView> => {
      const user = requireRole(request, 'operator');
      const { file, fileName, mapping } = await uploaded(request);
      const leaving = new AbortController();
      request.raw.once('aborted', () => leaving.abort());
      const report = await importContacts({
        db: context.db,
        pool: context.pool,
        source: file,
        fileName,
        mapping,
        rejectedFile: join(context.importsDirectory, `${newId(context.clock.now())}-rejected.csv`),
        signal: leaving.signal,
        clock: context.clock,
      });
      await audit(context.db, {
        actor: `user:${user.id}`,
        action: 'contacts.import',
        subject: report.id,
        detail: { imported: report.imported, merged: report.merged, rejected: report.rejected },
      });
      return viewOf(report);
    },
  );

  app.get<{ Querystring: { cursor?: string } }>('/api/imports', { schema: { tags: ['imports'] } }, async (request) => {
    const page = await listImports(
      context.db,
      request.query.cursor === undefined ? {} : { cursor: request.query.cursor },
    );
    return { ...page, items: page.items.map(viewOf) };
  });

  app.get<{ Params: { id: string } }>(
    '/api/imports/:id/rejected.csv',
    { schema: { tags: ['imports'] } },
    async (request, reply) => {
      requireRole(request, 'operator');
      const found = await getImport(context.db, requireId(request.params.id));
      if (found?.rejectedFile === undefined) {
        throw new AppError('not-found', { zh: '这次导入没有被拒绝的行。', en: 'This import rejected no row.' });
      }
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="rejected-${found.id}.csv"`)
        .send(createReadStream(found.rejectedFile));
    },
  );
}

/** The file and, where a field came before it, the mapping. */
async function uploaded(request: FastifyRequest): Promise<{
  readonly file: AsyncIterable<Uint8Array>;
  readonly fileName: string;
  readonly mapping: ColumnMapping | undefined;
}> {
  const part = request.isMultipart() ? await request.file() : undefined;
  if (part === undefined) {
    throw new AppError('invalid-input', { zh: '请选择要上传的 CSV 文件。', en: 'Choose a CSV file to upload.' });
  }
  const field = part.fields['mapping'];
  const value = field !== undefined && 'value' in field ? field.value : undefined;
  return { file: part.file, fileName: part.filename, mapping: value === undefined ? undefined : parseMapping(value) };
}

function viewOf(report: ImportReport): ImportView {
  const { id, fileName, rows, imported, merged, rejected, encoding, durationMs } = report;
  const rejectedUrl = rejected > 0 ? `/api/imports/${id}/rejected.csv` : null;
  return { id, fileName, rows, imported, merged, rejected, encoding, durationMs, rejectedUrl };
}

function requireId(text: string): ImportId {
  if (!/^[0-9a-f-]{36}$/.test(text))
    throw new AppError('not-found', { zh: '没有这次导入。', en: 'There is no such import.' });
  return text as ImportId;
}
