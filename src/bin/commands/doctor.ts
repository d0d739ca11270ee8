import { existsSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { LocalText } from '#domain/text.ts';
import { AppError } from '#platform/error.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { consoleDirectory } from '../runtime/console-files.ts';
import { checkDataDirectory } from '../runtime/data-directory.ts';
import { readServerFile } from '../runtime/server-file.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'missing' | 'failed';
  readonly text: LocalText;
}

/** Says what this machine has and lacks; the exit code is 1 where Waihu could not run. */
export async function doctor(o: CommandContext): Promise<void> {
  const config = settingsOf(o.flags);
  const running = readServerFile(resolve(config.dataDirectory)) !== undefined;
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
      : await tcpPort(config.http.host, config.http.port),
    ...(running ? [] : [await udpPort(config.sip.host, config.sip.port)]),
    consoleDirectory() === undefined
      ? {
          check: 'console',
          state: 'missing',
          text: { zh: '控制台还没有构建；npm start 会自动构建', en: 'the console is not built; npm start builds it' },
        }
      : { check: 'console', state: 'ok', text: { zh: '控制台已构建', en: 'the console is built' } },
    ...['chromium', 'sipp', 'baresip', 'tshark'].map(tool),
  ];
  if (o.flags.json === true) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else
    for (const { check, state, text } of findings)
      process.stdout.write(
        `${{ ok: '✓', missing: '–', failed: '✗' }[state]} ${check.padEnd(10)} ${o.terminal.text(text)}\n`,
      );
  if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1;
}

function both(text: string): LocalText {
  return { zh: text, en: text };
}

function dataDirectory(directory: string): Finding {
  try {
    checkDataDirectory(directory);
    return { check: 'data', state: 'ok', text: both(directory) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { check: 'data', state: 'failed', text: error.text };
  }
}

async function tcpPort(host: string, port: number): Promise<Finding> {
  const free = await new Promise<boolean>((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, host, () => server.close(() => done(true)));
  });
  return portFinding('http', port, free);
}

async function udpPort(host: string, port: number): Promise<Finding> {
  const free = await new Promise<boolean>((done) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => done(false));
    socket.bind(port, host, () => socket.close(() => done(true)));
  });
  return portFinding('sip', port, free);
}

function portFinding(check: string, port: number, free: boolean): Finding {
  return free
    ? { check, state: 'ok', text: { zh: `端口 ${port} 可用`, en: `port ${port} is free` } }
    : {
        check,
        state: 'failed',
        text: {
          zh: `端口 ${port} 被占用：用 --${check}-port 换一个`,
          en: `port ${port} is in use: choose another with --${check}-port`,
        },
      };
}

/** Tools that only tests use. */
function tool(name: string): Finding {
  const found = (process.env['PATH'] ?? '').split(':').some((directory) => existsSync(`${directory}/${name}`));
  return found
    ? { check: name, state: 'ok', text: { zh: '有（只有测试用到）', en: 'there (only tests use it)' } }
    : {
        check: name,
        state: 'missing',
        text: { zh: '没有；用到它的测试会跳过', en: 'not there; tests that use it are skipped' },
      };
}
