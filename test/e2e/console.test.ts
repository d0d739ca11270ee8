import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { noBrowser, openBrowser } from './browser.ts';
import type { Browser } from './browser.ts';
import { playedSeconds, seenTexts, watchScreen } from './screen-log.ts';
import { ADMINISTRATOR, openWorkplace, ROOT } from './workplace.ts';
import type { Workplace } from './workplace.ts';

const keepPictures = process.env['WAIHU_SCREENSHOTS'] === '1';
const WEEKDAYS = ['周一', '周二', '周三', '周四', '周五', '周六', '周日'];

/** Nine people of the sample, one of them twice, and two numbers that cannot be called. */
async function contactsFile(): Promise<string> {
  const sample = await readFile(path.join(ROOT, 'examples/sample/contacts.csv'), 'utf8');
  const [header, ...rows] = sample.split(/\r?\n/).filter((line) => line !== '');
  const people = rows.filter((row) => /^[^,]+,1[3-9]\d{9},/.test(row)).slice(0, 9);
  const wrong = ['没号码,,甲银行,1234,10.00,1.00,本月20日', '错号码,12345,甲银行,1234,10.00,1.00,本月20日'];
  return [header, ...people, people[0], ...wrong, ''].join('\r\n');
}

describe.skipIf(noBrowser !== undefined)(
  `console in Chromium${noBrowser === undefined ? '' : ` (${noBrowser})`}`,
  () => {
    let workplace: Workplace;
    let browser: Browser;
    let page: Page;
    let pictures: string;
    const at = (to: string): string => workplace.platform.url + to;
    const picture = (name: string): Promise<unknown> =>
      page.screenshot({ path: path.join(pictures, `${name}.png`), animations: 'disabled' });

    beforeAll(async () => {
      pictures = keepPictures
        ? path.join(ROOT, 'docs/images')
        : await mkdtemp(path.join(os.tmpdir(), 'waihu-pictures-'));
      await mkdir(pictures, { recursive: true });
      workplace = await openWorkplace();
      browser = await openBrowser();
      page = browser.page;
    }, 240_000);

    afterEach(async ({ task }) => {
      if (task.result?.state !== 'fail') return;
      await page.screenshot({ path: path.join(os.tmpdir(), 'waihu-e2e-failed.png') });
      console.error(page.url(), await page.locator('body').innerText(), browser.complaints);
    });

    afterAll(async () => {
      await browser?.close();
      await workplace?.close();
      if (!keepPictures) await rm(pictures, { recursive: true, force: true });
    }, 60_000);

    it('asks who is there, says when the password is wrong and leads back to the page that was wanted', async () => {
      await page.goto(at('/suppressions'));
      await page.getByLabel('用户名').fill(ADMINISTRATOR.name);
      await page.getByLabel('密码').fill('wrong');
      await page.getByRole('button', { name: '登录' }).click();
      await page.getByText('用户名或密码不对').waitFor();
      await page.getByLabel('密码').fill(ADMINISTRATOR.password);
      await page.getByRole('button', { name: '登录' }).click();
      await page.getByRole('heading', { name: '禁呼名单' }).waitFor();
      expect(new URL(page.url()).pathname).toBe('/suppressions');
      // The browser itself reports the two refusals that this test provoked.
      expect(browser.complaints.filter((text) => !/status of 401/.test(text))).toEqual([]);
      (browser.complaints as string[]).length = 0;
    });

    it('takes a list through the wizard to a running campaign and shows it live until it ends', async () => {
      await page.getByRole('link', { name: '任务', exact: true }).click();
      await page.getByRole('button', { name: '新建任务' }).first().click();
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: '十一月客户.csv', mimeType: 'text/csv', buffer: Buffer.from(await contactsFile()) });
      await page.getByText('请确认每一列的用途').waitFor();
      await page.getByText('话术变量：本期账单金额').first().waitFor();
      await picture('console-wizard');
      await page.getByRole('button', { name: '导入名单' }).click();
      await page.getByText('导入完成').waitFor();
      expect(await page.locator('[data-import]').allTextContents()).toEqual(['12', '9', '0', '3']);
      const [rejected] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: '下载被拒绝的行' }).click(),
      ]);
      expect(await readFile(await rejected.path(), 'utf8')).toContain('12345');
      await page.getByRole('button', { name: '下一步' }).click();

      await page.getByRole('button', { name: '下一步' }).click();
      await page.getByText('请填写任务名称').waitFor();
      await page.getByLabel('任务名称').fill('十一月还款提醒');
      await page.getByText('信用卡还款提醒', { exact: true }).click();
      await page.getByText('有对应列').first().waitFor();
      expect(await page.getByText('缺少对应列').count()).toBe(0);
      await page.getByRole('button', { name: '下一步' }).click();

      for (const day of WEEKDAYS) {
        await page.getByLabel(`${day}开始时间`).fill('00:00');
        await page.getByLabel(`${day}结束时间`).fill('24:00');
      }
      await page.getByLabel('周一结束时间').fill('25:00');
      await page.getByRole('button', { name: '下一步' }).click();
      await page.getByText('最晚 24:00').waitFor();
      await page.getByLabel('周一结束时间').fill('24:00');
      await page.getByLabel('每位客户最多拨打次数').fill('1');
      // More than the trunk has: only the server knows, and its answer stands at the field.
      await page.getByLabel('最大并发通话').fill('5000');
      await page.getByRole('button', { name: '下一步' }).click();
      await page.getByRole('button', { name: '创建并启动' }).click();
      await page.getByText('超过该中继的 400 个通道').waitFor();
      await page.getByLabel('最大并发通话').fill('20');
      await page.getByRole('button', { name: '下一步' }).click();
      expect(browser.complaints.filter((text) => !/status of 400/.test(text))).toEqual([]);
      (browser.complaints as string[]).length = 0;

      const recorded = new Map<string, number>();
      const stop = workplace.platform.bus.subscribe('call-recorded', ({ attemptId }) => {
        recorded.set(attemptId, Date.now());
      });
      await page.getByRole('button', { name: '创建并启动' }).click();
      await page.getByText('正在进行的通话').waitFor();
      const screen = await watchScreen(page);
      await page.locator('.in-flight-list li').first().waitFor();
      await page.getByText('通话中').first().waitFor();
      await page.locator('[data-ended]').nth(5).waitFor({ timeout: 90_000 });
      await picture('console-campaign');
      await page.locator('h1 ~ .ant-tag', { hasText: '已完成' }).waitFor({ timeout: 150_000 });
      await page.locator('[data-figure=done]', { hasText: '9' }).waitFor();
      stop();

      const log = await screen();
      const delaysMs = [...recorded]
        .flatMap(([id, sentMs]) => (log[`ended:${id}`] === undefined ? [] : [log[`ended:${id}`]! - sentMs]))
        .sort((a, b) => a - b);
      expect(delaysMs.length).toBeGreaterThanOrEqual(5);
      expect(delaysMs[Math.floor(delaysMs.length / 2)]).toBeLessThanOrEqual(500);
      // Figures count up on screen while the campaign runs, not only at its end.
      expect(Object.keys(log).filter((key) => key.startsWith('figure:done=')).length).toBeGreaterThanOrEqual(4);
    }, 240_000);

    it('says of every lead why it is not dialled', async () => {
      await page.getByRole('tab', { name: '客户列表' }).click();
      await page.locator('tbody .ant-table-row').nth(8).waitFor();
      const reasons = await page.locator('tbody .ant-table-row td:nth-child(4)').allTextContents();
      const over = new Set(['已完成', '重拨次数用完', '该结果不再重拨', '客户要求不再来电', '在禁呼名单中']);
      expect(reasons.filter((reason) => !over.has(reason))).toEqual([]);
    });

    it('plays a recording with its transcript', async () => {
      await page.goto(at('/calls?outcome=answered&minTalkSeconds=5'));
      await page.locator('tbody .ant-table-row a').first().click();
      await page.getByRole('button', { name: '播放', exact: true }).click();
      await expect.poll(() => playedSeconds(page), { timeout: 15_000 }).toBeGreaterThan(1);
      await page.locator('.turn.current').waitFor();
      // The transcript follows by itself from turn to turn; a click goes to one that it is not at.
      const current = () => page.locator('.turn.current').getAttribute('data-turn');
      const target = page.locator('.turn').nth((await current()) === '2' ? 1 : 2);
      const wanted = await target.getAttribute('data-turn');
      await target.locator('.turn-body').click();
      await expect.poll(current).toBe(wanted);
      await picture('console-call');
      await page.getByRole('button', { name: '暂停', exact: true }).click();
      const before = await playedSeconds(page);
      await page.getByRole('slider').click({ position: { x: 20, y: 60 } });
      expect(await playedSeconds(page)).not.toBe(before);
      await page.getByText('时间线').waitFor();
      await page.getByText('抖动').waitFor();
    });

    it('shows how whoever took part beside the callee was heard, and what became of a transfer, in both languages', async () => {
      const { db } = workplace.platform.database;
      const { rows } = await sql<{ id: string }>`SELECT id FROM calls WHERE recording IS NOT NULL LIMIT 1`.execute(db);
      const { id } = rows[0]!;
      const media = {
        codec: 'G722',
        packetsSent: 50,
        packetsReceived: 45,
        packetsLost: 5,
        packetsLate: 0,
        jitterMs: 2,
      };
      const legs = [
        { role: 'agent', target: '+86139****0002', joinedMs: 61_000, leftMs: 75_000, media: { ...media, mos: 3.87 } },
        { role: 'monitor', target: 'sip:8001@pbx', joinedMs: 62_000, leftMs: 70_000 },
      ];
      await sql`UPDATE calls SET legs = ${JSON.stringify(legs)}::jsonb WHERE id = ${id}::uuid`.execute(db);
      const transfer = { action: 'handed-over', kind: 'blind', target: '8001' };
      await sql`INSERT INTO call_events (call_id, index, at_ms, type, detail)
        VALUES (${id}::uuid, 900, 80000, 'transfer', ${JSON.stringify(transfer)}::jsonb)`.execute(db);
      await page.goto(at(`/calls/${id}`));
      const card = (title: string) => page.locator('.ant-card').filter({ hasText: title });
      const agent = card('媒体质量：转接对象 +86139****0002');
      for (const text of ['G722', '3.87', '5 (10%)', '1:01.0 加入，1:15.0 离开']) await agent.getByText(text).waitFor();
      await card('媒体质量：监听 sip:8001@pbx').getByText('没有媒体数据').waitFor();
      await page.getByText('之后是否接通未知').waitFor();
      expect(await page.locator('.ant-card').filter({ hasText: '媒体质量' }).count()).toBe(3);
      await page.evaluate(() => localStorage.setItem('waihu-language', 'en'));
      await page.reload();
      await card('Media quality: transfer target +86139****0002').getByText('Quality as we heard it (MOS)').waitFor();
      await page.getByText('whether anybody answered is unknown').waitFor();
      await page.evaluate(() => localStorage.setItem('waihu-language', 'zh'));
      await page.reload();
    });

    it('exports the calls of the filter', async () => {
      await page.goto(at('/calls?outcome=answered'));
      await page.locator('tbody .ant-table-row').first().waitFor();
      const shown = await page.locator('tbody .ant-table-row').count();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: '导出 CSV' }).click(),
      ]);
      const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
      expect(lines[0]).toContain('意向等级');
      expect(lines.length - 1).toBe(shown);
    });

    it('puts a number on the suppression list, finds it and takes it off', async () => {
      await page.getByRole('link', { name: '禁呼名单' }).click();
      await page.getByRole('button', { name: '添加号码' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('号码', { exact: true }).fill('123');
      await dialog.getByRole('button', { name: '添加号码' }).click();
      await dialog.locator('.ant-form-item-explain-error').waitFor();
      await dialog.getByLabel('号码', { exact: true }).fill('138 1234 5678');
      await dialog.getByLabel('备注').fill('客户来电要求');
      await dialog.getByRole('button', { name: '添加号码' }).click();
      // A dialog that goes gives the focus back to what opened it, and would take a key that is pressed meanwhile.
      await dialog.waitFor({ state: 'hidden' });
      await page.getByText('客户来电要求').waitFor();
      await page.getByPlaceholder('按完整号码查找').fill('13812345678');
      const found = page.waitForResponse((response) => response.url().includes('/api/suppressions?phone='));
      await page.getByPlaceholder('按完整号码查找').press('Enter');
      await found;
      await expect.poll(() => page.locator('tbody .ant-table-row').count()).toBe(1);
      await page.getByRole('button', { name: '移出' }).click();
      await page.getByRole('dialog').getByRole('button', { name: '移出' }).click();
      await page.getByText('这个号码不在名单中').waitFor();
      expect(browser.complaints.filter((text) => !/status of 400/.test(text))).toEqual([]);
      (browser.complaints as string[]).length = 0;
    });

    it('shows everything in English and remembers it', async () => {
      await page.getByText('EN', { exact: true }).click();
      await page.getByRole('heading', { name: 'Suppression list' }).waitFor();
      await page.reload();
      for (const [to, heading] of [
        ['/campaigns', 'Campaigns'],
        ['/campaigns/new', 'New campaign'],
        ['/calls', 'Calls'],
        ['/suppressions', 'Suppression list'],
      ] as const) {
        await page.goto(at(to));
        await page.getByRole('heading', { name: heading, exact: true }).waitFor();
        // The language switch names each language in itself.
        const texts = await seenTexts(page, 'nav, h1, th, button, label, .hint, .page-header-extra');
        expect(texts.filter((text) => text !== '中' && /\p{Script=Han}/u.test(text))).toEqual([]);
      }
      await page.getByRole('button', { name: ADMINISTRATOR.name }).click();
      await page.getByText('Sign out').click();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      expect(browser.complaints).toEqual([]);
    });
  },
);
