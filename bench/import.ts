import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { importContacts } from '#leads/import.ts';
import { systemClock } from '#platform/clock.ts';
import { openDatabase } from '#platform/db/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#platform/db/embedded.ts';
import { migrate } from '#platform/db/migrate.ts';
import { silentLog } from '#platform/log.ts';
import { printFigure } from './figure.ts';
import { familyCpuSeconds } from './process-cpu.ts';

const TARGET_CONTACTS = 1_000_000;
const TARGET_SECONDS = 30;
const TARGET_MIB = 400;

/**
 * Imports a CSV of N made-up contacts (`--contacts`) into a fresh embedded PostgreSQL, then the same file again, which
 * only merges. Prints one JSON line a figure; targets are those of a million contacts, scaled down with fewer.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { contacts: { type: 'string', default: '200000' } } });
  const contacts = Number(values.contacts);
  if (!Number.isSafeInteger(contacts) || contacts < 1) throw new RangeError('--contacts takes a whole number');
  const directory = await mkdtemp(path.join(tmpdir(), 'waihu-bench-'));
  const file = path.join(directory, 'contacts.csv');
  try {
    await pipeline(csv(contacts), createWriteStream(file));
    const server = await startEmbeddedPostgres({ dataDirectory: path.join(directory, 'data'), log: silentLog });
    try {
      await measure(server, file, contacts, path.join(directory, 'rejected.csv'));
    } finally {
      await server.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(server: EmbeddedPostgres, file: string, contacts: number, rejectedFile: string): Promise<void> {
  const database = await openDatabase(server.url);
  const postmaster = Number(
    (await readFile(path.join(server.clusterDirectory, 'postmaster.pid'), 'utf8')).split('\n')[0],
  );
  let peakBytes = 0;
  const sample = (): void => void (peakBytes = Math.max(peakBytes, process.memoryUsage.rss()));
  const sampler = setInterval(sample, 20);
  try {
    await migrate(database.pool, silentLog);
    const targetSeconds = Math.max(1, (TARGET_SECONDS * contacts) / TARGET_CONTACTS);
    const { size } = await stat(file);
    for (const pass of ['new', 'known']) {
      const cpuStart = process.cpuUsage();
      const serverCpuStart = familyCpuSeconds(postmaster);
      const report = await importContacts({
        db: database.db,
        pool: database.pool,
        source: createReadStream(file, { highWaterMark: 256 * 1024 }),
        fileName: 'contacts.csv',
        mapping: undefined,
        rejectedFile,
        clock: systemClock,
        onProgress: sample,
      });
      const seconds = report.durationMs / 1000;
      if (report.rows !== contacts || report.rejected !== 0)
        throw new Error(`the import took over ${report.rows} rows`);
      figure(`${pass} contacts, time`, seconds, 's', pass === 'new' ? targetSeconds : undefined);
      figure(`${pass} contacts, rate`, contacts / seconds, 'rows/s');
      const cpu = process.cpuUsage(cpuStart);
      figure(`${pass} contacts, CPU of ours`, (cpu.user + cpu.system) / 1e6, 's');
      const serverCpu = familyCpuSeconds(postmaster);
      if (serverCpu !== undefined && serverCpuStart !== undefined)
        figure(`${pass} contacts, CPU of PostgreSQL`, serverCpu - serverCpuStart, 's');
    }
    figure('file', size / 2 ** 20, 'MiB');
    figure('resident memory, peak', peakBytes / 2 ** 20, 'MiB', TARGET_MIB);
  } finally {
    clearInterval(sampler);
    await database.close();
  }
}

function figure(name: string, value: number, unit: string, target?: number): void {
  printFigure({ bench: 'import', figure: name, value, unit, ...(target === undefined ? {} : { target }) });
}

/** Numbers in no order and without repetition: a step that shares no factor with the count of numbers. */
function* csv(contacts: number): Generator<string> {
  const surnames = '王李张刘陈杨黄赵吴周徐孙马朱胡';
  const names = '伟芳娜敏静丽强磊军洋勇艳杰娟涛';
  yield '\ufeff手机号,姓名,账单金额,还款日,备注\r\n';
  let lines = '';
  for (let index = 0; index < contacts; index++) {
    const number = 13_000_000_000 + ((index * 7_368_787 + 12_345) % 6_999_999_989);
    const name = surnames[index % 15]! + names[(index * 7) % 15]! + names[(index * 11) % 15]!;
    lines += `${number},${name},${(index % 90_000) / 10 + 100},2026-0${(index % 9) + 1}-15,"分期, ${index % 12} 期"\r\n`;
    if (index % 1000 === 999) {
      yield lines;
      lines = '';
    }
  }
  yield lines;
}
