import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { AppError } from '#platform/error.ts';
import type { LocalText } from '#domain/text.ts';
import { LISTENER_ROLES } from '#domain/transfer.ts';
import { languageOf } from '#platform/text.ts';
import { localizeHelp } from './cli/help.ts';
import { Terminal } from './cli/terminal.ts';
import type { GlobalFlags } from './cli/settings.ts';

/** The `waihu` command: wiring only. Commands load what they need when they run, so that `--help` is quick. */
const terminal = new Terminal(languageOf(process.env));
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const t = (zh: string, en: string): string => terminal.text({ zh, en });

// Who reads our words may go before us: Ctrl-C on `npm start | tee log` ends tee first. The way down goes on without them.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const program = new Command('waihu');
localizeHelp(program, terminal.language);
program
  .description(t('外呼：AI 外呼平台', 'Waihu: AI outbound calling'))
  .version(version, '-v, --version', t('显示版本', 'print the version'))
  .helpOption('-h, --help', t('显示帮助', 'show help'))
  .helpCommand('help [command]', t('显示某个命令的帮助', 'show help of a command'))
  .option(
    '--config <file>',
    t(
      '配置文件（TOML）；当前目录的 waihu.toml 会自动读取',
      'configuration file (TOML); waihu.toml here is read by itself',
    ),
  )
  .option('--data-directory <directory>', t('数据目录', 'data directory'))
  .option('--http-host <host>', t('控制台监听地址', 'address the console listens on'))
  .option('--http-port <port>', t('控制台端口', 'port of the console'))
  .option('--sip-host <host>', t('SIP 监听地址', 'address SIP listens on'))
  .option('--sip-port <port>', t('SIP 端口', 'port of SIP'))
  .option(
    '--set <name=value>',
    t('其他设置，可重复（docs/config.md）', 'any other setting, may be repeated (docs/config.md)'),
    collect,
    [],
  )
  .addOption(
    new Option('--log-level <level>', t('日志级别', 'least level that is logged')).choices([
      'debug',
      'info',
      'warn',
      'error',
      'silent',
    ]),
  )
  .option('--json', t('以 JSON 输出结果', 'print results as JSON'))
  .showHelpAfterError(t('（--help 显示用法）', '(--help shows the usage)'))
  .exitOverride();

/** Examples below the help of a command; the commands themselves are the same in every language. */
const examples = (...lines: readonly string[]): string =>
  `\n${t('例如：', 'Examples:')}\n${lines.map((line) => `  waihu ${line}`).join('\n')}\n`;

const flags = (): GlobalFlags => program.opts<GlobalFlags>();
const base = () => ({ terminal, flags: flags(), version });

program
  .command('start')
  .description(
    t('启动全部功能；首次启动会先跑一遍示例任务', 'start everything; the first start runs the sample campaign'),
  )
  .option('--no-sample', t('首次启动不跑示例', 'do not run the sample on the first start'))
  .addHelpText('after', examples('start', 'start --http-port 9000', 'start --no-sample --data-directory /srv/waihu'))
  .action(async (o: { sample: boolean }) =>
    (await import('./commands/serve.ts')).serve({ terminal, flags: flags(), version, sample: o.sample }),
  );
program
  .command('serve')
  .description(t('启动全部功能，不跑示例', 'start everything without the sample'))
  .action(async () =>
    (await import('./commands/serve.ts')).serve({ terminal, flags: flags(), version, sample: false }),
  );
program
  .command('drain')
  .description(
    t(
      '让正在运行的服务器不再接新呼叫，通话结束后停止',
      'let the running server finish its calls, take no new ones, and stop',
    ),
  )
  .action(async () => (await import('./commands/drain.ts')).drain({ terminal, flags: flags(), version }));
program
  .command('sample')
  .description(
    t('在临时目录里跑一遍示例任务并自行核对结果', 'run the sample campaign in a temporary directory and judge it'),
  )
  .option(
    '--contacts <n>',
    t('联系人数量（默认用自带的 200 行文件）', 'number of contacts (default: the shipped file of 200 rows)'),
    integer(1, 100_000),
  )
  .option('--concurrency <n>', t('最大并发通话', 'most calls at once'), integer(1, 400))
  .option('--seed <n>', t('模拟人群的种子', 'seed of the simulated people'), integer(0, 2 ** 31))
  .option('--keep <directory>', t('结果保留在此目录', 'keep everything in this directory'))
  .action(async (o) => (await import('./commands/sample.ts')).sample({ terminal, flags: flags(), version }, o));
program
  .command('import <file>')
  .description(t('导入联系人（CSV）', 'import contacts (CSV)'))
  .option('--phone <column>', t('号码所在列', 'column of the number'))
  .option('--name <column>', t('姓名所在列', 'column of the name'))
  .option('--ignore <column>', t('忽略的列，可重复', 'column to leave out, may be repeated'), collect, [])
  .option(
    '--rename <column=variable>',
    t('列改名为话术变量，可重复', 'give a column the name of a variable, may be repeated'),
    collect,
    [],
  )
  .option('--rejected <file>', t('被拒绝的行写到此文件', 'write rejected rows to this file'))
  .addHelpText(
    'after',
    examples(
      'import contacts.csv --rejected rejected.csv',
      'import contacts.csv --phone 手机号 --name 姓名 --rename 最低还款=最低还款额',
    ),
  )
  .action(async (file: string, o) =>
    (await import('./commands/import.ts')).importFile({ terminal, flags: flags(), version }, file, o),
  );
program
  .command('call <number>')
  .description(t('拨打一个号码', 'dial one number'))
  .requiredOption(
    '--script <key>',
    t('话术编号，例如 credit-card-reminder', 'key of a script, for example credit-card-reminder'),
  )
  .option('--trunk <name>', t('线路名', 'name of the trunk'))
  .option('--var <name=value>', t('话术变量，可重复', 'variable of the script, may be repeated'), collect, [])
  .addHelpText(
    'after',
    examples(
      'call 16400000001 --script trial-lesson --trunk simulator --var name=王女士 --var org=云山学堂',
      'call 13800000000 --script credit-card-reminder --trunk carrier --var name=王小明 --var amount=100.00 --var dueDate=本月20日 --json',
    ) +
      t(
        '\n退出码：0 已接通，3 未接通，2 用法有误，1 其他问题。\n',
        '\nExit codes: 0 answered, 3 not answered, 2 wrong use, 1 anything else.\n',
      ),
  )
  .action(async (number: string, o) =>
    (await import('./commands/call.ts')).call({ terminal, flags: flags(), version }, number, o),
  );
program
  .command('transfer <call> <target>')
  .description(t('把进行中的通话转给号码或 SIP 地址', 'hand a call under way to a number or SIP URI'))
  .option('--blind', t('盲转：请被叫的线路自行转接', "blind: the callee's line is asked to call there"))
  .option('--release', t('接通后请双方绕过平台直接通话', 'once answered, both ends are asked to talk without us'))
  .addHelpText('after', examples('transfer 0199c1d2-7a10-7000-8000-000000000001 sip:8001@pbx.example'))
  .action(async (call: string, target: string, o) =>
    (await import('./commands/hand-over.ts')).transfer({ terminal, flags: flags(), version }, call, target, o),
  );
program
  .command('listen <call> <target>')
  .description(t('呼叫某人旁听进行中的通话', 'call somebody who listens in on a call under way'))
  .addOption(
    new Option('--as <role>', t('监听、耳语或强插', 'unheard, heard by the agent alone, or heard by all'))
      .choices(LISTENER_ROLES)
      .default('monitor'),
  )
  .addHelpText('after', examples('listen 0199c1d2-7a10-7000-8000-000000000001 +8613900000002 --as whisper'))
  .action(async (call: string, target: string, o) =>
    (await import('./commands/hand-over.ts')).listen({ terminal, flags: flags(), version }, call, target, o),
  );
program
  .command('hang-up <call>')
  .description(
    t('挂断进行中的通话，包括转接对象和监听者', 'end a call under way, for transfer target and listeners too'),
  )
  .addHelpText('after', examples('hang-up 0199c1d2-7a10-7000-8000-000000000001'))
  .action(async (call: string) =>
    (await import('./commands/hand-over.ts')).hangUp({ terminal, flags: flags(), version }, call),
  );
program
  .command('simulate')
  .description(
    t('单独运行模拟运营商，任何 SIP 客户端都可以呼叫它', 'run the simulated carrier alone, for any SIP client to call'),
  )
  .option('--host <address>', t('监听地址', 'address to listen on'), '127.0.0.1')
  .option('--port <port>', t('SIP 端口', 'SIP port'), integer(0, 65_535), 5080)
  .option('--seed <n>', t('人群的种子', 'seed of the people'), integer(0, 2 ** 31), 1)
  .option('--pace <factor>', t('振铃与等待时长的倍率，1 为真实', 'factor on ringing and waiting; 1 is real'), factor, 1)
  .option('--log <file>', t('每通电话写一行 JSON', 'write JSON lines of every call'))
  .option(
    '--script <key>',
    t('被叫按哪个话术的示例说话', 'script whose examples the people follow'),
    'credit-card-reminder',
  )
  .option(
    '--announcements <directory>',
    t('把运营商提示音录音写到此目录', 'write recordings of the announcements here'),
  )
  .option(
    '--call-back <seconds>',
    t('没接电话的人多少秒后回拨', 'whoever does not pick up calls back after this'),
    integer(0, 86_400),
  )
  .addHelpText('after', examples('simulate', 'simulate --port 5090 --seed 7 --log calls.jsonl'))
  .action(async (o) => (await import('./commands/simulate.ts')).simulate({ terminal, flags: flags(), version }, o));
program
  .command('doctor')
  .description(t('检查这台机器是否具备运行条件', 'check what this machine has and lacks'))
  .addHelpText('after', examples('doctor', 'doctor --json'))
  .action(async () => (await import('./commands/doctor.ts')).doctor({ terminal, flags: flags(), version }));
program
  .command('bench [name] [options...]')
  .description(t('性能测试；不给名字则列出全部', 'benchmarks; without a name lists them'))
  .allowUnknownOption()
  .action(async (name: string | undefined, options: string[]) =>
    (await import('./commands/bench.ts')).bench(name, options),
  );

const progress = program
  .command('progress')
  .description(t('呼叫进展：教平台识别运营商提示音', 'call progress: teach the announcements of carriers'));
const announcements = async () => import('./commands/progress.ts');
progress
  .command('learn <file>')
  .description(
    t('从录音（WAV）或某通电话的早期媒体学习一段提示音', 'learn an announcement from a recording (WAV) or a call'),
  )
  .requiredOption(
    '--as <outcome>',
    t('它代表什么，例如 empty-number、关机', 'what it stands for, such as empty-number'),
  )
  .option('--name <name>', t('名称；同名的会被替换', 'its name; replaces the one of that name'))
  .addHelpText(
    'after',
    examples(
      'progress unknown',
      'progress learn empty.wav --as empty-number',
      'progress learn 019a… --as 关机 --name powered-off.mobile',
      'progress try empty.wav',
    ),
  )
  .action(async (file: string, o) => (await announcements()).learn(base(), file, o));
progress
  .command('list')
  .description(t('列出学过的提示音', 'list what is taught'))
  .action(async () => (await announcements()).list(base()));
progress
  .command('forget <name>')
  .description(t('忘记一段提示音', 'forget an announcement'))
  .action(async (name: string) => (await announcements()).forget(base(), name));
progress
  .command('try <file>')
  .description(t('这段录音会被识别成什么', 'what a recording would be recognised as'))
  .action(async (file: string) => (await announcements()).tryOut(base(), file));
progress
  .command('unknown')
  .description(t('未接通且未识别的早期媒体', 'early media of unanswered calls that nobody recognised'))
  .action(async () => (await announcements()).unknown(base()));
progress
  .command('save <call> <file>')
  .description(t('把一通电话的早期媒体写成文件', 'write the early media of a call to a file'))
  .action(async (call: string, file: string) => (await announcements()).save(base(), call, file));

const campaign = program
  .command('campaign')
  .description(t('任务：列表、新建、启动、暂停……', 'campaigns: list, create, start, pause …'));
const campaigns = async () => import('./commands/campaign.ts');
campaign
  .command('list')
  .description(t('列出任务', 'list campaigns'))
  .action(async () => (await campaigns()).listCampaigns(base()));
campaign
  .command('create <name>')
  .description(t('新建任务', 'make a campaign'))
  .requiredOption('--script <key>', t('话术编号', 'key of the script'))
  .requiredOption('--import <id>', t('导入编号，可重复', 'id of an import, may be repeated'), collect, [])
  .option('--trunk <name>', t('线路名', 'name of the trunk'))
  .option('--settings <file>', t('JSON 文件，覆盖默认设置', 'JSON file with settings that replace the defaults'))
  .option('--start', t('立即启动', 'start at once'))
  .addHelpText(
    'after',
    examples('campaign create 九月还款提醒 --script credit-card-reminder --import 0199… --trunk carrier --start'),
  )
  .action(async (name: string, o) => (await campaigns()).createCampaign(base(), name, o));
for (const [action, zh, en] of [
  ['start', '启动任务', 'start a campaign'],
  ['pause', '暂停任务', 'pause a campaign'],
  ['resume', '继续任务', 'resume a campaign'],
  ['cancel', '取消任务', 'cancel a campaign'],
] as const) {
  campaign
    .command(`${action} <id>`)
    .description(t(zh, en))
    .action(async (id: string) => (await campaigns()).changeCampaign(base(), id, action));
}
campaign
  .command('show <id>')
  .description(t('查看任务', 'show a campaign'))
  .action(async (id: string) => (await campaigns()).showCampaign(base(), id));
campaign
  .command('watch <id>')
  .description(t('显示任务进度直到结束', 'follow a campaign to its end'))
  .action(async (id: string) => (await campaigns()).watchCampaign(base(), id));

const trunk = program.command('trunk').description(t('线路：列表、检查', 'trunks: list, test'));
trunk
  .command('list')
  .description(t('列出线路及其状态', 'list the trunks and how they fare'))
  .action(async () => (await import('./commands/trunk.ts')).listTrunks(base()));
trunk
  .command('test <name>')
  .description(
    t(
      '逐步检查线路：域名、连接、TLS、探测、注册；--call 真实试拨',
      'test a trunk step by step: DNS, connection, TLS, OPTIONS, registration; --call places a real call',
    ),
  )
  .option('--call <number>', t('试拨的号码（请用自己的电话接听）', 'number to call (answer it on a phone of your own)'))
  .option('--yes', t('没有服务器可查禁呼名单时也拨', 'call even where no server runs that knows the suppression list'))
  .addHelpText(
    'after',
    examples('trunk test carrier', 'trunk test carrier --call 13800000000', 'trunk test carrier --json') +
      t(
        '\n退出码：0 没有问题，1 有问题，2 用法有误。\n',
        '\nExit codes: 0 nothing is wrong, 1 something is, 2 wrong use.\n',
      ),
  )
  .action(async (name: string, o) => (await import('./commands/trunk.ts')).checkTrunk(base(), name, o));

try {
  // Everything behind `bench NAME` belongs to the benchmark.
  if (process.argv[2] === 'bench' && !process.argv.includes('--help')) {
    const { bench } = await import('./commands/bench.ts');
    await bench(process.argv[3], process.argv.slice(4));
  } else await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong in one sentence; returns the exit code: 2 wrong use, 1 anything else. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof AppError) {
    terminal.say(error.text);
    for (const { path, message } of error.problems) {
      // Some sentences list their problems already.
      if (!terminal.text(error.text).includes(terminal.text(message))) terminal.say(prefixed(path, message));
    }
    return error.code === 'invalid-input' || error.code === 'config-invalid' ? 2 : 1;
  }
  terminal.say({
    zh: '出现意外错误，请把以下内容报告给我们：',
    en: 'An unexpected fault; please report the following:',
  });
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

function prefixed(path: string, message: LocalText): LocalText {
  return { zh: `  ${path}：${message.zh}`, en: `  ${path}: ${message.en}` };
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function factor(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100))
    throw new AppError('invalid-input', {
      zh: `“${text}”不是大于 0、不超过 100 的数。`,
      en: `"${text}" is not a number above 0 and up to 100.`,
    });
  return value;
}

function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new AppError('invalid-input', {
        zh: `“${text}”不是 ${low} 到 ${high} 之间的整数。`,
        en: `"${text}" is not a whole number from ${low} to ${high}.`,
      });
    }
    return value;
  };
}
