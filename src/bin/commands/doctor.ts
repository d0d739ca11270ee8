import { existsSync } from 'node:fs';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalText } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';
import { createLog } from '#platform/log.ts';
import { EspeakSynthesizer } from '#voice/tts/espeak.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { consoleDirectory } from '../runtime/console-files.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import { portFault } from '../runtime/ports.ts';
import type { PortUse } from '../runtime/ports.ts';
import { runningServer } from '../runtime/server-file.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'missing' | 'failed';
  readonly text: LocalText;
}

/** Debian's packages of the tools. */
const PACKAGES: Readonly<Record<string, string>> = {
  chromium: 'chromium',
  sipp: 'sip-tester',
  baresip: 'baresip-core',
  tshark: 'tshark',
  kamailio: 'kamailio kamailio-tls-modules',
  linphonec: 'linphone-cli',
  'linux.uml': 'user-mode-linux',
};

/** Says what this machine has and lacks; the exit code is 1 where Waihu could not run. */
export async function doctor(o: CommandContext): Promise<void> {
  const config = settingsOf(o.flags);
  const running = (await runningServer(resolve(config.dataDirectory))) !== undefined;
  const findings: Finding[] = [
    { check: 'node', state: 'ok', text: both(`Node ${process.version}`) },
    {
      check: 'machine',
      state: totalmem() < 2e9 ? 'failed' : 'ok',
      text: both(`${platform()} ${arch()}, ${availableParallelism()} CPU, ${Math.round(totalmem() / 2 ** 30)} GiB`),
    },
    dataDirectory(resolve(config.dataDirectory)),
    running
      ? { check: 'ports', state: 'ok', text: { zh: '服务器正在运行', en: 'a server is running' } }
      : await port('http', { kind: 'tcp', ...config.http }),
    ...(running ? [] : [await port('sip', { kind: 'udp', ...config.sip })]),
    await speech(),
    consoleDirectory() === undefined
      ? {
          check: 'console',
          state: 'missing',
          text: { zh: '控制台还没有构建；npm start 会自动构建', en: 'the console is not built; npm start builds it' },
        }
      : { check: 'console', state: 'ok', text: { zh: '控制台已构建', en: 'the console is built' } },
    ...Object.keys(PACKAGES).map(tool),
    speechData(),
  ];
  if (o.flags.json === true) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else
    for (const { check, state, text } of findings)
      process.stdout.write(
        `${{ ok: '✓', missing: '–', failed: '✗' }[state]} ${check.padEnd(11)} ${o.terminal.text(text)}\n`,
      );
  if (o.flags.json !== true) {
    const missing = findings.flatMap(({ check, state }) =>
      PACKAGES[check] !== undefined && state === 'missing' ? [PACKAGES[check]] : [],
    );
    if (missing.length > 0)
      o.terminal.say({
        zh: `只为运行测试才需要：apt-get install ${missing.join(' ')}`,
        en: `Only to run the tests: apt-get install ${missing.join(' ')}`,
      });
  }
  if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1;
}

function both(text: string): LocalText {
  return { zh: text, en: text };
}

function dataDirectory(directory: string): Finding {
  try {
    checkDataDirectory(directory, { make: false });
    return { check: 'data', state: 'ok', text: both(directory) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { check: 'data', state: 'failed', text: error.text };
  }
}

async function port(check: 'http' | 'sip', use: Omit<PortUse, 'option'>): Promise<Finding> {
  const fault = await portFault({ ...use, option: '' });
  if (fault === undefined)
    return { check, state: 'ok', text: { zh: `端口 ${use.port} 可用`, en: `port ${use.port} is free` } };
  return {
    check,
    state: 'failed',
    text: {
      zh: `端口 ${use.port} 不能用（${fault}）：用 --${check}-port 换一个，例如 npm start -- --${check}-port ${use.port + 1}`,
      en: `port ${use.port} cannot be used (${fault}): choose another with --${check}-port, for example npm start -- --${check}-port ${use.port + 1}`,
    },
  };
}

/** Says one sentence with the always-there voice, which shows that its data is there and its process runs. */
async function speech(): Promise<Finding> {
  const synthesizer = new EspeakSynthesizer({ log: createLog({ level: 'silent' }) });
  try {
    const pcm = await synthesizer.synthesize('您好', { voice: 'zh-female', language: 'zh' });
    if (pcm.length === 0) throw new AppError('unavailable', both('no samples'));
    return { check: 'speech', state: 'ok', text: { zh: '内置语音合成可用', en: 'the built-in voice speaks' } };
  } catch {
    return {
      check: 'speech',
      state: 'failed',
      text: {
        zh: '内置语音合成不可用：删除 node_modules 后运行 npm start 重新安装',
        en: 'the built-in voice does not work: remove node_modules and run npm start to install again',
      },
    };
  } finally {
    synthesizer.close();
  }
}

/** Recorded speech that only the recognition tests use. */
function speechData(): Finding {
  const there = existsSync(fileURLToPath(new URL('../../../../shared/speech', import.meta.url)));
  return there
    ? {
        check: 'recordings',
        state: 'ok',
        text: { zh: '有语音数据（只有测试用到）', en: 'speech data is there (only tests use it)' },
      }
    : {
        check: 'recordings',
        state: 'missing',
        text: {
          zh: '没有语音数据 ../shared/speech；用到它的测试会跳过',
          en: 'no speech data in ../shared/speech; tests that use it are skipped',
        },
      };
}

/** Tools that only tests use. */
function tool(name: string): Finding {
  // Servers are in a directory that not everybody searches.
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  const found = directories.some((directory) => existsSync(`${directory}/${name}`));
  return found
    ? { check: name, state: 'ok', text: { zh: '有（只有测试用到）', en: 'there (only tests use it)' } }
    : {
        check: name,
        state: 'missing',
        text: { zh: '没有；用到它的测试会跳过', en: 'not there; tests that use it are skipped' },
      };
}
