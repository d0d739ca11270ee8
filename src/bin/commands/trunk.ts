import { resolve } from 'node:path';
import type { TrunkSummary } from '#domain/api.ts';
import type { LocalText } from '#domain/text.ts';
import { parsePhone } from '#leads/phone.ts';
import { systemClock } from '#platform/clock.ts';
import { AppError } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { table } from '../cli/terminal.ts';
import { print, withClient } from '../cli/with-client.ts';
import { askToCall } from '../trunk-test/ask-to-call.ts';
import type { Finding, Step } from '../trunk-test/finding.ts';
import { testTrunk } from '../trunk-test/run.ts';

/** Prints the trunks and their groups with how they fare. */
export async function listTrunks(o: CommandContext): Promise<void> {
  await withClient(o, async (client) => {
    const trunks = await client.get<readonly TrunkSummary[]>('/api/trunks');
    print(o, trunks, (all) =>
      table(
        o.terminal.language === 'zh'
          ? ['线路', '状态', '通话', '通道', '服务器']
          : ['trunk', 'state', 'calls', 'channels', 'servers'],
        all.map(({ name, members, hold, state, channels }) => [
          name,
          o.terminal.text(hold?.text ?? { zh: '可用', en: 'takes calls' }),
          state === undefined ? '' : String(state.callsInFlight),
          String(channels),
          members === undefined
            ? (state?.servers ?? [])
                .map(
                  ({ server, reachable, lastError }) =>
                    `${server} ${reachable}${lastError === null ? '' : ` (${lastError})`}`,
                )
                .join('; ')
            : members.join(', '),
        ]),
      ),
    );
  });
}

const STEPS: Readonly<Record<Step, LocalText>> = {
  configuration: { zh: '配置', en: 'configuration' },
  dns: { zh: '域名', en: 'DNS' },
  connection: { zh: '连接', en: 'connection' },
  tls: { zh: 'TLS', en: 'TLS' },
  options: { zh: '探测', en: 'OPTIONS' },
  registration: { zh: '注册', en: 'registration' },
  call: { zh: '试拨', en: 'call' },
  media: { zh: '媒体', en: 'media' },
};
const MARKS = { ok: '✓', warning: '!', failed: '✗', skipped: '-' } as const;

/** What `waihu trunk test` takes beside the name. */
export interface TrunkTestFlags {
  /** Whom to call. */
  readonly call?: string;
  /** Calls although nobody can say whether the number is on the suppression list. */
  readonly yes?: boolean;
}

/** Tests a trunk step by step and says what is wrong; exit code 1 where something is. */
export async function checkTrunk(o: CommandContext, name: string, flags: TrunkTestFlags): Promise<void> {
  const config = settingsOf(o.flags);
  const trunk = config.trunks.find((one) => one.name === name);
  if (trunk === undefined)
    throw unknownTrunk(
      name,
      config.trunks.map((one) => one.name),
    );
  const phone = flags.call === undefined ? undefined : phoneOf(flags.call);
  if (phone !== undefined) await askToCall(o, resolve(config.dataDirectory), phone, flags.yes === true);
  const json = o.flags.json === true;
  const findings = await testTrunk({
    config,
    trunk,
    clock: systemClock,
    log: createLog({ level: o.flags.logLevel === 'debug' ? 'debug' : 'silent' }),
    version: o.version,
    phone,
    onFinding: (finding) => {
      if (!json) process.stdout.write(`${present(finding, o)}\n`);
    },
  });
  const ok = findings.every(({ state }) => state !== 'failed');
  if (json) process.stdout.write(`${JSON.stringify({ trunk: name, ok, findings })}\n`);
  else
    o.terminal.say(
      ok
        ? { zh: `线路“${name}”没有发现问题。`, en: `Nothing is wrong with trunk "${name}".` }
        : { zh: `线路“${name}”有问题，见上面的 ✗。`, en: `Something is wrong with trunk "${name}": see ✗ above.` },
    );
  if (!ok) process.exitCode = 1;
}

function present({ step, state, server, seen, means, todo }: Finding, { terminal }: CommandContext): string {
  const head = `${MARKS[state]} ${terminal.text(STEPS[step])}${server === undefined ? '' : ` ${server}`}: ${terminal.text(seen)}`;
  const more = [means, todo].filter((text) => text !== undefined).map((text) => `    ${terminal.text(text)}`);
  return [head, ...more].join('\n');
}

function phoneOf(number: string): Extract<ReturnType<typeof parsePhone>, { readonly ok: true }>['phone'] {
  const parsed = parsePhone(number);
  if (parsed.ok) return parsed.phone;
  throw new AppError('invalid-input', parsed.reason, { problems: [{ path: '--call', message: parsed.reason }] });
}

function unknownTrunk(name: string, names: readonly string[]): AppError {
  const list = names.join(', ');
  return new AppError('invalid-input', {
    zh: `没有线路 ${name}；可用：${list === '' ? '（无，请在配置文件中添加 [[trunks]]）' : list}`,
    en: `There is no trunk ${name}; there are: ${list === '' ? '(none; add [[trunks]] to the configuration file)' : list}`,
  });
}
