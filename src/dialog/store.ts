import type { ScriptId } from '#domain/ids.ts';
import type { Script } from '#domain/script.ts';
import type { Language } from '#domain/text.ts';
import type { ScriptSummary } from '#domain/api.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { newId } from '#platform/id.ts';
import { parseScript } from './script-schema.ts';
import { lintScript, type LintReport } from './lint.ts';

type ScriptTables = {
  scripts: {
    id: string;
    key: string;
    name: string;
    language: string;
    draft: Script;
    published_version: number | null;
    updated_at: Date;
  };
  script_versions: { script_id: string; version: number; document: Script; published_at: Date };
};

const tables = (db: Db) => db.withTables<ScriptTables>();

/**
 * Saves the draft of the script with this key (its `id`), new or not. Throws AppError 'invalid-input' with every
 * problem of the document.
 */
export async function saveDraft(db: Db, document: unknown, now: Date): Promise<ScriptId> {
  const script = parseScript(document);
  const row = await tables(db)
    .insertInto('scripts')
    .values({
      id: newId<'script'>(now),
      key: script.id,
      name: script.name,
      language: script.language,
      draft: JSON.stringify(script) as unknown as Script,
      published_version: null,
      updated_at: now,
    })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((values) => ({
        name: values.ref('excluded.name'),
        language: values.ref('excluded.language'),
        draft: values.ref('excluded.draft'),
        updated_at: now,
      })),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id as ScriptId;
}

/**
 * Publishes the draft as the next version. Throws AppError 'invalid-input' with the lint's errors as problems,
 * 'not-found' for an unknown script. Versions never change once published.
 */
export async function publish(db: Db, id: ScriptId, now: Date): Promise<{ version: number; report: LintReport }> {
  return await tables(db)
    .transaction()
    .execute(async (transaction) => {
      const row = await transaction
        .selectFrom('scripts')
        .select(['draft', 'published_version'])
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) throw missing();
      const report = lintScript(row.draft);
      if (report.errors.length > 0)
        throw new AppError(
          'invalid-input',
          {
            zh: `话术有 ${report.errors.length} 处错误，不能发布`,
            en: `The script has ${report.errors.length} errors and cannot be published`,
          },
          { problems: report.errors },
        );
      const version = (row.published_version ?? 0) + 1;
      const document = JSON.stringify({ ...row.draft, version }) as unknown as Script;
      await transaction
        .insertInto('script_versions')
        .values({ script_id: id, version, document, published_at: now })
        .execute();
      await transaction
        .updateTable('scripts')
        .set({ published_version: version, updated_at: now })
        .where('id', '=', id)
        .execute();
      return { version, report };
    });
}

/** A published version. Throws AppError 'not-found'. */
export async function load(db: Db, id: ScriptId, version: number): Promise<Script> {
  const row = await tables(db)
    .selectFrom('script_versions')
    .select('document')
    .where('script_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  if (row === undefined) throw missing();
  return row.document;
}

/** The draft of a script. Throws AppError 'not-found'. */
export async function loadDraft(db: Db, id: ScriptId): Promise<Script> {
  const row = await tables(db).selectFrom('scripts').select('draft').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw missing();
  return row.draft;
}

/** The script with a key, for the command line; undefined where there is none. */
export async function findByKey(
  db: Db,
  key: string,
): Promise<{ id: ScriptId; publishedVersion: number | null } | undefined> {
  const row = await tables(db)
    .selectFrom('scripts')
    .select(['id', 'published_version'])
    .where('key', '=', key)
    .executeTakeFirst();
  return row === undefined ? undefined : { id: row.id as ScriptId, publishedVersion: row.published_version };
}

/** Every script by name, with the variables that its draft wants. */
export async function list(db: Db): Promise<ScriptSummary[]> {
  const rows = await tables(db).selectFrom('scripts').selectAll().orderBy('name').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    name: row.name,
    language: row.language as Language,
    publishedVersion: row.published_version,
    variables: row.draft.variables.map(({ name, label, required }) => ({ name, label, required })),
  }));
}

function missing(): AppError {
  return new AppError('not-found', { zh: '没有这个话术或版本', en: 'There is no such script or version' });
}
