import { openAsBlob } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ColumnMapping, ImportPreview, ImportView } from '#domain/api.ts';
import { AppError } from '#platform/error.ts';
import { pairs } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { print, withClient } from '../cli/with-client.ts';

/** Flags of `import`. */
export interface ImportFlags {
  readonly phone?: string;
  readonly name?: string;
  readonly ignore: readonly string[];
  readonly rename: readonly string[];
  readonly rejected?: string;
}

/** Imports a CSV file; columns that no flag names are guessed by their header. */
export async function importFile(o: CommandContext, file: string, flags: ImportFlags): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new AppError('invalid-input', { zh: `找不到文件：${file}`, en: `There is no such file: ${file}` });
  const rename = pairs(flags.rename, '--rename');
  await withClient(o, async (client) => {
    const blob = await openAsBlob(file);
    const head = new FormData();
    head.append('file', blob.slice(0, 64 * 1024), basename(file));
    const preview = await client.upload<ImportPreview>('/api/imports/preview', head);
    const mapping: ColumnMapping = {
      phone: flags.phone ?? preview.guess.phone,
      name: flags.name ?? preview.guess.name,
      ignore: [...preview.guess.ignore, ...flags.ignore],
      rename: { ...preview.guess.rename, ...rename },
    };
    o.terminal.say({
      zh: `号码列：${mapping.phone ?? '（无）'}，姓名列：${mapping.name ?? '（无）'}；正在导入……`,
      en: `Number column: ${mapping.phone ?? '(none)'}, name column: ${mapping.name ?? '(none)'}; importing …`,
    });
    const form = new FormData();
    form.append('mapping', JSON.stringify(mapping));
    form.append('file', blob, basename(file));
    const view = await client.upload<ImportView>('/api/imports', form);
    if (flags.rejected !== undefined && view.rejectedUrl !== null)
      await writeFile(flags.rejected, await client.text(view.rejectedUrl));
    print(o, view, (result) => o.terminal.text(summaryOf(result, flags.rejected)));
  });
}

function summaryOf(view: ImportView, rejected: string | undefined) {
  const where = view.rejected > 0 && rejected !== undefined;
  return {
    zh: `导入编号 ${view.id}\n共 ${view.rows} 行：新增 ${view.imported}，更新 ${view.merged}，拒绝 ${view.rejected}（${view.encoding}，${view.durationMs} ms）${where ? `\n被拒绝的行：${rejected}` : ''}`,
    en: `Import ${view.id}\n${view.rows} rows: ${view.imported} new, ${view.merged} updated, ${view.rejected} rejected (${view.encoding}, ${view.durationMs} ms)${where ? `\nRejected rows: ${rejected}` : ''}`,
  };
}
