import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Papa from 'papaparse';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ColumnMapping } from '#domain/api.ts';
import type { ImportReport } from '#domain/contact.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { ManualClock } from '#platform/clock.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { importContacts } from './import.ts';
import type { ImportOptions } from './import.ts';
import { contactsOfImport, findContact, getContact, getImport, listImports } from './store.ts';

let database: TestDatabase;
let directory: string;
const clock = new ManualClock();

beforeAll(async () => {
  database = await testDatabase();
  directory = await mkdtemp(path.join(tmpdir(), 'waihu-import-'));
});

afterAll(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  await database.pool.query('TRUNCATE contacts, imports, import_contacts CASCADE');
  for (const file of await readdir(directory)) await rm(path.join(directory, file));
});

async function* inPieces(bytes: Uint8Array, pieceBytes = 7): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += pieceBytes) yield bytes.subarray(from, from + pieceBytes);
}

function rejectedFile(): string {
  return path.join(directory, 'rejected.csv');
}

async function load(file: string | Buffer, more: Partial<ImportOptions> = {}): Promise<ImportReport> {
  const bytes = Buffer.from(file);
  const { db, pool } = database;
  const source = inPieces(bytes, Math.max(7, Math.floor(bytes.length / 100)));
  const fixed = { db, pool, source, fileName: 'list.csv', mapping: undefined, rejectedFile: rejectedFile(), clock };
  return importContacts({ ...fixed, ...more });
}

async function rejectedRows(): Promise<string[][]> {
  const text = await readFile(rejectedFile(), 'utf8');
  expect(text.startsWith('\ufeff')).toBe(true);
  return Papa.parse<string[]>(text.slice(1), { skipEmptyLines: true }).data.slice(1);
}

async function contacts(): Promise<{ phone: string; name: string; attributes: Record<string, string> }[]> {
  const result = await database.pool.query('SELECT phone, name, attributes FROM contacts ORDER BY phone');
  return result.rows as { phone: string; name: string; attributes: Record<string, string> }[];
}

async function nothingIsLeft(): Promise<void> {
  expect(await contacts()).toEqual([]);
  expect((await listImports(database.db)).total).toBe(0);
  expect(await readdir(directory)).toEqual([]);
  // A temporary table goes with its connection, which the server ends when it comes to it.
  const temporary = async (): Promise<unknown[]> =>
    (await database.pool.query(`SELECT relname FROM pg_class WHERE relname = 'import_staging'`)).rows;
  await expect.poll(temporary, { timeout: 10_000 }).toEqual([]);
}

describe('importContacts', () => {
  it('takes good rows over with their other columns as attributes', async () => {
    const report = await load(
      '手机号,姓名,金额,备注\n138 0013 8000,张伟,"1,280.50","第一行\n第二行\t\\ ""引号"""\n+8613900139000,王芳,,\n',
    );
    expect(report).toMatchObject({ rows: 2, imported: 2, merged: 0, rejected: 0, encoding: 'utf-8' });
    expect(await contacts()).toEqual([
      { phone: '+8613800138000', name: '张伟', attributes: { 金额: '1,280.50', 备注: '第一行\n第二行\t\\ "引号"' } },
      { phone: '+8613900139000', name: '王芳', attributes: {} },
    ]);
    expect(existsSync(rejectedFile())).toBe(false);
    expect(await getImport(database.db, report.id)).toMatchObject({ ...report, rejectedFile: undefined });
  });

  it('gives back every rejected row with its number, value and reason in both languages', async () => {
    const long = 'x'.repeat(1_000_000);
    const report = await load(
      [
        'phone,name,note',
        '13800138000,a,',
        '13800138000,b,',
        '=1+1,c,',
        ',d,',
        '',
        '13900139000,e,f,g',
        '+86 138-0013-8000,h,',
        `13700137000,i,${long}`,
        '13600136000,nul\0,',
        '13500135000,fine,',
        '1.38E+10,j,',
        '13400134000,"open,',
        '13300133000,k,',
      ].join('\r\n'),
    );
    expect(report).toMatchObject({ rows: 12, imported: 3, rejected: 9 });
    const rows = await rejectedRows();
    expect(rows.map(([row, value]) => [row, value!.slice(0, 20)])).toEqual([
      ['3', '13800138000'],
      ['4', "'=1+1"],
      ['5', ',d,'],
      ['7', '13900139000,e,f,g'],
      ['8', "'+86 138-0013-8000"],
      ['9', '13700137000'],
      ['10', '13600136000,nul,'],
      ['12', '1.38E+10'],
      ['13', '13400134000,"open,'],
    ]);
    for (const [, , zh, en] of rows) {
      expect(zh).toMatch(/\p{Script=Han}/u);
      expect(en).toMatch(/^[A-Z].*\.$/);
    }
    expect(rows[0]![2]).toBe('与第 2 行号码相同。');
    expect((await contacts()).map((contact) => contact.name)).toEqual(['k', 'fine', 'a']);
    expect((await getImport(database.db, report.id))?.rejectedFile).toBe(rejectedFile());
  });

  it('counts known contacts as merged; a filled cell wins and an empty one changes nothing', async () => {
    await load('phone,name,city,plan\n13800138000,旧名,上海,A\n13900139000,王芳,北京,\n');
    const before = await findContact(database.db, '+8613800138000' as PhoneNumber);
    const report = await load('phone,name,city,plan\n13800138000,新名,,B\n13900139000,,深圳,\n13700137000,李娜,,\n');
    expect(report).toMatchObject({ rows: 3, imported: 1, merged: 2, rejected: 0 });
    expect(await contacts()).toEqual([
      { phone: '+8613700137000', name: '李娜', attributes: {} },
      { phone: '+8613800138000', name: '新名', attributes: { city: '上海', plan: 'B' } },
      { phone: '+8613900139000', name: '王芳', attributes: { city: '深圳' } },
    ]);
    expect(await getContact(database.db, before!.id)).toMatchObject({ name: '新名', timeZone: 'Asia/Shanghai' });
  });

  it('writes a known contact again only where the file says something new', async () => {
    const versions = async (): Promise<string[]> => {
      const result = await database.pool.query<{ version: string }>(
        'SELECT ctid::text AS version FROM contacts ORDER BY phone',
      );
      return result.rows.map((row) => row.version);
    };
    const file = (name: string, city: string): string =>
      `phone,name,city\n13800138000,张伟,上海\n13900139000,${name},${city}\n`;
    await load(file('王芳', '北京'));
    let before = await versions();
    expect(await load(file('王芳', '北京'))).toMatchObject({ imported: 0, merged: 2 });
    expect(await load(file('', ''))).toMatchObject({ imported: 0, merged: 2 });
    expect(await versions()).toEqual(before);
    for (const [name, city] of [
      ['王芳芳', '北京'],
      ['王芳芳', '深圳'],
    ] as const) {
      expect(await load(file(name, city))).toMatchObject({ imported: 0, merged: 2 });
      const after = await versions();
      expect([after[0] === before[0], after[1] === before[1]]).toEqual([true, false]);
      before = after;
    }
    await database.pool.query(`UPDATE contacts SET time_zone = NULL`);
    await load(file('', ''));
    expect(await findContact(database.db, '+8613900139000' as PhoneNumber)).toMatchObject({
      name: '王芳芳',
      attributes: { city: '深圳' },
      timeZone: 'Asia/Shanghai',
    });
  });

  it('links the contacts in the order of the file, page after page', async () => {
    const numbers = Array.from({ length: 2500 }, (_, index) => String(13_900_000_000 - index * 7));
    const report = await load(`phone\n${numbers.join('\n')}\n`);
    const listed: string[] = [];
    for await (const contact of contactsOfImport(database.db, report.id)) listed.push(contact.phone.slice(3));
    expect(listed).toEqual(numbers);
  });

  it('follows a mapping: other columns, new names, columns left out', async () => {
    const mapping: ColumnMapping = { phone: 'b', name: 'c', ignore: ['d'], rename: { e: 'amount' } };
    await load('a,b,c,d,e,__proto__\n13000000000,13800138000,张伟,secret,12,odd\n', { mapping });
    const [contact] = await contacts();
    expect(contact).toMatchObject({ phone: '+8613800138000', name: '张伟' });
    expect(Object.keys(contact!.attributes)).toHaveLength(3);
    expect(new Map(Object.entries(contact!.attributes))).toEqual(
      new Map([
        ['__proto__', 'odd'],
        ['a', '13000000000'],
        ['amount', '12'],
      ]),
    );
  });

  it('reads GB18030, lone CR and semicolons', async () => {
    // 手机;姓名\r13800138000;张伟\r
    const bytes = Buffer.from('cad6bbfa3bd0d5c3fb0d31333830303133383030303bd5c5ceb00d', 'hex');
    expect(await load(bytes)).toMatchObject({ imported: 1, encoding: 'gb18030' });
    expect((await contacts())[0]).toEqual({ phone: '+8613800138000', name: '张伟', attributes: {} });
  });

  it('accepts a file with only a header', async () => {
    expect(await load('手机号,姓名\n')).toMatchObject({ rows: 0, imported: 0, rejected: 0 });
  });

  it.each([
    ['an empty file', '', 'empty'],
    ['a file without a header', '13800138000,张伟\n', 'first row'],
    ['a file without a phone column', 'a,b\nx,y\n', 'phone number'],
    ['a workbook', 'PK\u0003\u0004....', 'workbook'],
  ])('refuses %s and leaves nothing', async (_, text, why) => {
    await expect(load(text)).rejects.toMatchObject({ code: 'invalid-input', message: expect.stringContaining(why) });
    await nothingIsLeft();
  });

  it('leaves nothing when it is cancelled while the file is read', async () => {
    const abort = new AbortController();
    const rows = Array.from({ length: 20_000 }, (_, index) => `${13_800_000_000 + index},n\nbad,b\n`);
    const onProgress = ({ rows: read }: { readonly rows: number }): void => {
      if (read > 5000) abort.abort();
    };
    await expect(load(`phone,name\n${rows.join('')}`, { signal: abort.signal, onProgress })).rejects.toMatchObject({
      code: 'aborted',
    });
    await nothingIsLeft();
  });

  it('leaves nothing when it is cancelled while the database merges', async () => {
    const blocker = await database.pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query(`INSERT INTO contacts (id, phone) VALUES (gen_random_uuid(), '+8613800138000')`);
      const abort = new AbortController();
      const running = load('phone,name\nbad,x\n13800138000,张伟\n13900139000,y\n', { signal: abort.signal });
      const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'WITH merged%'
        AND datname = current_database()`;
      // On another connection: a transaction sees one and the same activity throughout.
      while ((await database.pool.query(waits)).rows.length === 0) await database.pool.query('SELECT pg_sleep(0.005)');
      abort.abort();
      await expect(running).rejects.toMatchObject({ code: 'aborted' });
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    await nothingIsLeft();
  });

  it('leaves nothing when the source breaks off', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('phone\n13800138000\nbad\n');
      throw new Error('the upload ended early');
    }
    await expect(load('', { source: broken() })).rejects.toThrow('the upload ended early');
    await nothingIsLeft();
  });

  it('lets two imports of the same numbers run at once', async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => `${13_800_000_000 + index},n${index}`);
    const reports = await Promise.all([
      load(`phone,name\n${rows.join('\n')}`),
      load(`phone,name\n${rows.toReversed().join('\n')}`, { rejectedFile: path.join(directory, 'second.csv') }),
    ]);
    expect(reports.reduce((sum, report) => sum + report.imported, 0)).toBe(3000);
    expect(reports.reduce((sum, report) => sum + report.merged, 0)).toBe(3000);
  });
});
