import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Page, SuppressionView } from '#domain/api.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { AppError } from '#platform/error.ts';
import type { CommandContext } from '../cli/settings.ts';
import { withClient } from '../cli/with-client.ts';
import { runningServer } from '../runtime/server-file.ts';

/**
 * Whether a test may call the number: the suppression list of the server that runs says so. Where none runs, a person
 * does, at the terminal or by `--yes`; without a data directory there is no list yet. Throws `conflict` or `invalid-input`.
 */
export async function askToCall(o: CommandContext, data: string, phone: PhoneNumber, yes: boolean): Promise<void> {
  if ((await runningServer(data)) !== undefined) {
    const { items } = await withClient(o, (client) =>
      client.get<Page<SuppressionView>>(`/api/suppressions?phone=${encodeURIComponent(phone)}`),
    );
    if (items.length === 0) return;
    throw new AppError('conflict', {
      zh: '这个号码在禁呼名单中，不能试拨；请换一个自己的号码。',
      en: 'This number is on the suppression list and must not be called; take another one of your own.',
    });
  }
  if (yes || !existsSync(data)) return;
  const unknown = {
    zh: '没有运行中的服务器，查不了禁呼名单。',
    en: 'No server runs that could be asked for the suppression list.',
  };
  if (!process.stdin.isTTY)
    throw new AppError('invalid-input', {
      zh: `${unknown.zh}请先启动服务器；确认号码是自己的，也可加 --yes。`,
      en: `${unknown.en} Start the server, or add --yes if the number is your own.`,
    });
  o.terminal.say(unknown);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const said = await prompt.question(o.terminal.text({ zh: '仍然试拨？[y/N] ', en: 'Call all the same? [y/N] ' }));
  prompt.close();
  if (!/^y(?:es)?$/i.test(said.trim()))
    throw new AppError('invalid-input', { zh: '没有试拨。', en: 'Nobody was called.' });
}
