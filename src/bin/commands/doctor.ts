import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, constants, access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '#platform/db/embedded.ts';
import { openDatabase } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { silentLog } from '#platform/log.ts';
import type { LocalText } from '#domain/text.ts';
import { settingsOf } from '../cli/settings.ts';
import type { CommandContext } from '../cli/settings.ts';
import { table } from '../cli/terminal.ts';

/** One thing that was looked at; `optional` ones only some tests need. */
interface Finding {
  readonly what: LocalText;
  readonly state: 'ok' | 'missing' | 'failed';
  readonly optional: boolean;
  readonly detail: LocalText;
}

const same = (text: string): LocalText => ({ zh: text, en: text });

/** Says what this machine has and lacks, with advice; exit code 1 where something that a start needs is not right. */
export async function doctor(context: CommandContext): Promise<void> {
  const { terminal, flags } = context;
  const config = settingsOf(flags);
  const findings: Finding[] = [
    { what: same('Node'), state: 'ok', optional: false, detail: same(process.version) },
    await check({ zh: '数据库', en: 'database' }, () => probeDatabase(config.databaseUrl)),
    await check({ zh: '控制台端口', en: 'console port' }, () => probeTcp(config.http.host, config.http.port)),
    await check({ zh: 'SIP 端口', en: 'SIP port' }, () => probeUdp(config.sip.host, config.sip.port)),
    await check({ zh: '媒体端口', en: 'media ports' }, () => probeUdp(config.rtp.host, config.rtp.firstPort)),
    ...(await Promise.all(TOOLS.map(findTool))),
  ];
  const fatal = findings.some((finding) => finding.state !== 'ok' && !finding.optional);
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ ok: !fatal, findings })}\n`);
  else {
    const marks = { ok: '✓', missing: '–', failed: '✗' } as const;
    const rows = findings.map(({ what, state, detail }) => [marks[state], terminal.text(what), terminal.text(detail)]);
    process.stdout.write(
      `${table(['', terminal.text({ zh: '项目', en: 'item' }), terminal.text({ zh: '结果', en: 'result' })], rows)}\n`,
    );
  }
  process.exitCode = fatal ? 1 : 0;
}

async function check(what: LocalText, probe: () => Promise<LocalText>): Promise<Finding> {
  try {
    return { what, state: 'ok', optional: false, detail: await probe() };
  } catch (error) {
    const detail = error instanceof AppError ? error.text : same(String(error));
    return { what, state: 'failed', optional: false, detail };
  }
}

async function probeDatabase(url: string | undefined): Promise<LocalText> {
  if (url !== undefined) {
    await (await openDatabase(url, { maxConnections: 1 })).close();
    return { zh: 'DATABASE_URL 可连接', en: 'DATABASE_URL can be reached' };
  }
  const directory = await mkdtemp(path.join(os.tmpdir(), 'waihu-doctor-'));
  try {
    await chmod(directory, 0o755);
    const startMs = performance.now();
    const server = await startEmbeddedPostgres({ dataDirectory: directory, log: silentLog });
    const tookMs = Math.round(performance.now() - startMs);
    await server.discard();
    return { zh: `内置数据库可用（新建并启动 ${tookMs} ms）`, en: `embedded (made and started in ${tookMs} ms)` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function probeTcp(host: string, port: number): Promise<LocalText> {
  const server = createServer();
  await bound(once(server.listen(port, host), 'listening'), host, port);
  server.close();
  return same(`${host}:${port}`);
}

async function probeUdp(host: string, port: number): Promise<LocalText> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(port, host);
  await bound(once(socket, 'listening'), host, port);
  socket.close();
  return same(`${host}:${port}`);
}

async function bound(listening: Promise<unknown>, host: string, port: number): Promise<void> {
  try {
    await listening;
  } catch (cause) {
    throw new AppError(
      'port-in-use',
      {
        zh: `${host}:${port} 不可用：可能已有程序在用，或本机没有这个地址；可用配置改端口或地址`,
        en: `${host}:${port} cannot be used: a program has it, or the machine lacks this address; the configuration can name another`,
      },
      { cause },
    );
  }
}

/** Programs that only tests use, with Debian's package for each. */
const TOOLS: readonly (readonly [program: string, debianPackage: string])[] = [
  ['chromium', 'chromium'],
  ['sipp', 'sip-tester'],
  ['baresip', 'baresip-core'],
  ['tshark', 'tshark'],
];

async function findTool([program, debianPackage]: readonly [string, string]): Promise<Finding> {
  for (const directory of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(directory, program);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return { what: same(program), state: 'ok', optional: true, detail: same(file) };
  }
  return {
    what: same(program),
    state: 'missing',
    optional: true,
    detail: {
      zh: `只有测试需要；安装：apt-get install ${debianPackage}`,
      en: `only tests need it: apt-get install ${debianPackage}`,
    },
  };
}
