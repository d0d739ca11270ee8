import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type pg from 'pg';
import type { ColumnMapping } from '#domain/api.ts';
import type { ImportReport } from '#domain/contact.ts';
import type { ImportId } from '#domain/ids.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { stagedBatches } from './import-rows.ts';
import type { RowTally } from './import-rows.ts';
import { openRejectedFile } from './rejected.ts';
import type { RejectedFile } from './rejected.ts';
import type { StagedRow } from './staged-row.ts';

/** One import; `rejectedFile` is the path that the rejected rows are written to when there are any. */
export interface ImportOptions {
  readonly db: Db;
  readonly pool: pg.Pool;
  readonly source: AsyncIterable<Uint8Array>;
  readonly fileName: string;
  /** Undefined guesses by the header. */
  readonly mapping: ColumnMapping | undefined;
  readonly rejectedFile: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly bytes: number; readonly rows: number }) => void;
  readonly clock: Clock;
}

const STAGING = `CREATE TEMP TABLE import_staging (
  row integer, id uuid, phone text COLLATE "C", name text, attributes jsonb, time_zone text)`;

// In the order of the number, so that two imports at once lock the contacts they share in the same order. A contact
// that the file says nothing new about is left alone: writing it again would cost three times as much.
const MERGE = `WITH merged AS (
  INSERT INTO contacts AS known (id, phone, name, attributes, time_zone, created_at, updated_at)
  SELECT id, phone, name, attributes, time_zone, $1, $1 FROM import_staging ORDER BY phone
  ON CONFLICT (phone) DO UPDATE SET
    name = CASE WHEN excluded.name = '' THEN known.name ELSE excluded.name END,
    attributes = known.attributes || excluded.attributes,
    time_zone = excluded.time_zone,
    updated_at = excluded.updated_at
  WHERE NOT known.attributes @> excluded.attributes OR known.time_zone IS DISTINCT FROM excluded.time_zone
    OR excluded.name NOT IN ('', known.name)
  RETURNING xmax = 0 AS inserted
) SELECT count(*) FILTER (WHERE inserted) AS imported FROM merged`;

const LINK = `INSERT INTO import_contacts (import_id, contact_id, row)
  SELECT $1, contacts.id, import_staging.row FROM import_staging JOIN contacts USING (phone)`;

const REPORT = `INSERT INTO imports
  (id, file_name, rows, imported, merged, rejected, encoding, duration_ms, rejected_file, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

/**
 * Imports a CSV file as it streams in: contacts that are new are inserted, known ones updated (a filled cell wins, an
 * empty one changes nothing), all in one transaction after the last byte. Reads no faster than the database takes.
 * Throws `invalid-input` (no usable CSV, no header, wrong mapping), `too-large`, `aborted`; then nothing is left.
 */
export async function importContacts(options: ImportOptions): Promise<ImportReport> {
  const { signal, clock } = options;
  const startMs = clock.monotonicMs();
  signal?.throwIfAborted();
  const rejected = openRejectedFile(options.rejectedFile);
  const client = await options.pool.connect();
  // An abort while the server works on a long statement has to reach the server.
  const cancel = (): void => void cancelStatement(options.pool, client);
  // A connection that breaks between two statements must not end the process; the next statement reports it.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let clean = false;
  try {
    await client.query(STAGING);
    const tally: RowTally = { bytes: 0, rows: 0, encoding: 'utf-8' };
    await copyIn(client, options, rejected, tally);
    signal?.addEventListener('abort', cancel, { once: true });
    signal?.throwIfAborted();
    const report = await merge(client, options, rejected, tally, startMs);
    await client.query('DROP TABLE import_staging');
    clean = true;
    return report;
  } catch (cause) {
    await rejected.discard();
    if (signal?.aborted === true) throw aborted(cause);
    throw cause;
  } finally {
    signal?.removeEventListener('abort', cancel);
    client.off('error', ignore);
    // A broken connection takes the staging table and an open transaction with it.
    client.release(!clean);
  }
}

async function copyIn(
  client: pg.PoolClient,
  options: ImportOptions,
  rejected: RejectedFile,
  tally: RowTally,
): Promise<void> {
  const { source, mapping, signal, onProgress, clock } = options;
  async function* lines(): AsyncGenerator<Buffer> {
    for await (const batch of stagedBatches({ source, mapping, rejected, tally })) {
      const now = clock.now();
      yield Buffer.from(batch.map((row) => copyLine(row, now)).join(''));
      onProgress?.({ bytes: tally.bytes, rows: tally.rows });
    }
    onProgress?.({ bytes: tally.bytes, rows: tally.rows });
  }
  const copy = client.query(copyFrom('COPY import_staging FROM STDIN'));
  await pipeline(
    Readable.from(lines(), { objectMode: true, highWaterMark: 1 }),
    copy,
    signal === undefined ? {} : { signal },
  );
}

function copyLine(row: StagedRow, now: Date): string {
  const zone = row.timeZone ?? '\\N';
  return `${row.row}\t${newId(now)}\t${row.phone}\t${copyText(row.name)}\t${copyText(row.attributes)}\t${zone}\n`;
}

const COPY_SPECIAL = /[\\\t\n\r]/g;
const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function copyText(text: string): string {
  return text.replace(COPY_SPECIAL, (character) => COPY_ESCAPES[character]!);
}

async function merge(
  client: pg.PoolClient,
  options: ImportOptions,
  rejected: RejectedFile,
  tally: RowTally,
  startMs: number,
): Promise<ImportReport> {
  const { clock, signal, fileName } = options;
  const now = clock.now();
  const id: ImportId = newId<'import'>(now);
  await client.query('ANALYZE import_staging');
  await client.query('BEGIN');
  // A million rows are sorted by number here, more than the default keeps in memory.
  await client.query(`SET LOCAL work_mem = '64MB'`);
  const merged = await client.query<{ imported: number }>(MERGE, [now]);
  const { imported } = merged.rows[0]!;
  await client.query(LINK, [id]);
  const report: ImportReport = {
    id,
    fileName,
    rows: tally.rows,
    imported,
    merged: tally.rows - rejected.count - imported,
    rejected: rejected.count,
    encoding: tally.encoding,
    durationMs: Math.round(clock.monotonicMs() - startMs),
  };
  const path = (await rejected.keep()) ? options.rejectedFile : null;
  const counts = [report.rows, report.imported, report.merged, report.rejected];
  await client.query(REPORT, [id, fileName, ...counts, report.encoding, report.durationMs, path, now]);
  signal?.throwIfAborted();
  await client.query('COMMIT');
  return report;
}

async function cancelStatement(pool: pg.Pool, client: pg.PoolClient): Promise<void> {
  const pid = (client as pg.PoolClient & { readonly processID: number | null }).processID;
  if (pid !== null) await pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => undefined);
}

function aborted(cause: unknown): AppError {
  return new AppError(
    'aborted',
    { zh: '导入已取消，没有改动任何数据。', en: 'The import was cancelled; nothing was changed.' },
    { cause },
  );
}
