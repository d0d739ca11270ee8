import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import type { CampaignId } from '#domain/ids.ts';
import { createUser } from '#api/users.ts';
import { SAMPLE_SCRIPT, sampleSettings, startSampleCampaign } from '#bin/sample/campaign.ts';
import { publish, saveDraft } from '#dialog/store.ts';
import { systemClock } from '#platform/clock.ts';
import { sampleScript } from '../support/call-center.ts';
import { openCallee } from '../support/callee.ts';
import type { CalleeCall, TestCallee } from '../support/callee.ts';
import { seedCall } from '../support/calls.ts';
import { noBrowser, openBrowser } from './browser.ts';
import type { Browser } from './browser.ts';
import { overflowing } from './screen-log.ts';
import { openWorkplace, ROOT } from './workplace.ts';
import type { Workplace } from './workplace.ts';

const SUPERVISOR = { name: 'supervisor', password: 'correct horse battery', role: 'operator' } as const;
const VIEWER = { name: 'viewer', password: 'correct horse battery', role: 'viewer' } as const;

/** The page asks for the state of a call once a second. */
const PATIENT = { timeout: 10_000 };

describe.skipIf(noBrowser !== undefined)(
  `a supervisor in Chromium${noBrowser === undefined ? '' : ` (${noBrowser})`}`,
  () => {
    let customers: TestCallee;
    /** Whom calls are transferred to, and who listens. */
    let desk: TestCallee;
    let workplace: Workplace;
    let browser: Browser;
    let page: Page;
    let campaignId: CampaignId;
    let directory: string;
    const talking: CalleeCall[] = [];
    const at = (to: string): string => workplace.platform.url + to;
    const deskPhone = (): string => `sip:8001@127.0.0.1:${desk.port}`;
    const dialog = () => page.locator('.call-dialog');
    const confirm = () => page.locator('.ant-modal-confirm');
    const row = () => page.locator('.in-flight-list li', { hasText: '通话中' }).first();

    /** A call that nothing has been done to. */
    const quietRow = () => page.locator('.in-flight-list li', { hasText: '通话中' }).last();

    /** The next call that reaches the desk phone. */
    function rings(): Promise<CalleeCall> {
      const { promise, resolve } = Promise.withResolvers<CalleeCall>();
      desk.onCall = (call) => resolve(call);
      return promise;
    }

    async function signIn(user: { readonly name: string; readonly password: string }): Promise<void> {
      await page.context().clearCookies();
      await page.goto(at(`/sign-in?back=${encodeURIComponent(`/campaigns/${campaignId}`)}`));
      await page.getByLabel('用户名').fill(user.name);
      await page.getByLabel('密码').fill(user.password);
      await page.getByRole('button', { name: '登录' }).click();
      await page.getByText('正在进行的通话').waitFor();
    }

    beforeAll(async () => {
      directory = await mkdtemp(path.join(os.tmpdir(), 'waihu-supervisor-'));
      customers = await openCallee({ rtp: { first: 34_000, last: 34_199 } });
      customers.onCall = (call, answer) => {
        answer();
        talking.push(call);
      };
      desk = await openCallee({ rtp: { first: 34_200, last: 34_399 } });
      workplace = await openWorkplace({ trunkPort: customers.port, transferTargets: '@127.0.0.1' });
      const { db } = workplace.platform.database;
      for (const user of [SUPERVISOR, VIEWER])
        await createUser(db, { ...user, language: 'zh', now: systemClock.now() });
      // Customers who say nothing for minutes, so that there is time to act.
      const script = sampleScript(SAMPLE_SCRIPT);
      const noReply = { waitMs: 60_000, reprompts: 3, hangupMs: 60_000 };
      const id = await saveDraft(
        db,
        { ...script, settings: { ...script.settings, noReply, maxSeconds: 600 } },
        systemClock.now(),
      );
      await publish(db, id, systemClock.now());
      const sample = (await readFile(path.join(ROOT, 'examples/sample/contacts.csv'), 'utf8')).split(/\r?\n/);
      const contactsFile = path.join(directory, 'contacts.csv');
      const people = sample.filter((line) => /^[^,]+,1[3-9]\d{9},/.test(line)).slice(0, 3);
      await writeFile(contactsFile, [sample[0], ...people, ''].join('\r\n'));
      const suppressedFile = path.join(directory, 'suppressed.csv');
      await writeFile(suppressedFile, '');
      ({ campaignId } = await startSampleCampaign(workplace.platform, {
        clock: systemClock,
        name: '十一月还款提醒',
        contactsFile,
        suppressedFile,
        settings: sampleSettings(3),
      }));
      browser = await openBrowser();
      page = browser.page;
    }, 120_000);

    beforeEach(() => {
      desk.onCall = (call) => call.incoming.reject(486);
    });

    afterEach(async ({ task }) => {
      if (task.result?.state !== 'fail') return;
      await page.screenshot({ path: path.join(os.tmpdir(), 'waihu-supervisor-failed.png') });
      console.error(browser.complaints);
    });

    afterAll(async () => {
      await browser?.close();
      for (const call of talking) call.incoming.hangup();
      await workplace?.close();
      await desk?.close();
      await customers?.close();
      await rm(directory, { recursive: true, force: true });
    }, 60_000);

    it('shows a viewer the calls and nothing to do to them', async () => {
      await signIn(VIEWER);
      await row().waitFor();
      expect(await page.locator('.call-buttons').count()).toBe(0);
    });

    it('says at the field, in the language of the reader, that a number may not be called', async () => {
      await signIn(SUPERVISOR);
      await row().getByRole('button', { name: /^转接/ }).click();
      await dialog().waitFor();
      // Nothing zooms or fades for who asks for little motion.
      expect(await page.evaluate('document.getAnimations().length')).toBe(0);
      await dialog().getByRole('button', { name: '转接' }).click();
      await dialog().getByText('请填写号码或 SIP 地址').waitFor();
      await dialog().getByLabel('转接到').fill('somebody');
      await dialog().getByRole('button', { name: '转接' }).click();
      await dialog().getByText('这不是可以呼叫的号码').waitFor();
      expect(await confirm().count()).toBe(0);
      await dialog().getByLabel('转接到').fill('13900000002');
      await dialog().getByRole('button', { name: '转接' }).click();
      await expect.poll(() => confirm().textContent(), PATIENT).toContain('把电话转接给 13900000002？');
      await confirm().getByRole('button', { name: '转接' }).click();
      await dialog().locator('.ant-form-item-explain-error', { hasText: 'transfer.targets 不允许' }).waitFor();
      await confirm().waitFor({ state: 'detached' });
    });

    it('tells why a target was not reached', async () => {
      await dialog().getByLabel('转接到').fill(deskPhone());
      await dialog().getByRole('button', { name: '转接' }).click();
      await confirm().getByRole('button', { name: '转接' }).click();
      await expect.poll(() => dialog().textContent(), PATIENT).toContain('没有成功：占线');
      await confirm().waitFor({ state: 'detached' });
    });

    it('transfers a call, shows it ring and connect, and takes it back', async () => {
      const ringing = rings();
      await dialog().getByLabel('转接到').fill(deskPhone());
      await dialog().getByRole('button', { name: '转接' }).click();
      await confirm().getByRole('button', { name: '转接' }).click();
      const call = await ringing;
      await dialog().getByText('客户听等待音乐').waitFor();
      call.answer();
      await dialog().getByText('正在与客户通话').waitFor();
      await dialog().getByRole('button', { name: '收回通话' }).click();
      await confirm().getByRole('button', { name: '收回通话' }).click();
      await call.ended;
      await expect.poll(() => dialog().textContent(), PATIENT).toContain('客户回到话术');
      await confirm().waitFor({ state: 'detached' });
    });

    it('is worked by keyboard alone, and Escape gives the focus back', async () => {
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
      const button = quietRow().getByRole('button', { name: /^监听/ });
      await button.focus();
      await page.keyboard.press('Enter');
      await dialog().getByText('浏览器不播放通话声音').waitFor();
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
      const focused = () => page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`);
      await expect.poll(focused, PATIENT).toBe(await button.getAttribute('aria-label'));
    });

    it('hangs a whole call up once that is confirmed, and the page of the call says who ended it', async () => {
      const ended = Promise.race(talking.map((call) => call.ended));
      const rows = page.locator('.in-flight-list li', { hasText: '通话中' });
      await rows
        .nth(1)
        .getByRole('button', { name: /^挂断通话/ })
        .click();
      await expect.poll(() => confirm().textContent(), PATIENT).toContain('监听者会立即被挂断，不能恢复');
      await confirm().getByRole('button', { name: '挂断' }).click();
      expect(await ended).toMatchObject({ cause: 'bye' });
      await confirm().waitFor({ state: 'detached' });
      await page.locator('.ended-list a').first().click();
      await page.locator('.call-facts', { hasText: '操作员挂断' }).waitFor();
      await page.locator('.event-hang-up', { hasText: `操作员结束通话（${SUPERVISOR.name}）` }).waitFor();
      await page.locator('.event-ended', { hasText: '平台挂断：操作员挂断' }).waitFor();
      await page.goto(at(`/campaigns/${campaignId}`));
    });

    it('calls a phone to listen with, asks before the callee hears it, and hangs it up', async () => {
      await quietRow().getByRole('button', { name: /^监听/ }).click();
      const ringing = rings();
      await dialog().getByLabel('用哪部电话听').fill(deskPhone());
      await dialog().getByRole('button', { name: '呼叫这部电话' }).click();
      const call = await ringing;
      await page.locator('[data-listener=calling]').waitFor();
      call.answer();
      await page.locator('[data-listener=listening]').waitFor();
      await expect.poll(() => call.received.length, PATIENT).toBeGreaterThan(1600);
      await page.locator('[data-listener] .ant-select').click();
      await page.locator('.ant-select-item-option', { hasText: '强插' }).click();
      await expect.poll(() => confirm().textContent(), PATIENT).toContain('客户会听到这部电话里的声音');
      await confirm().getByRole('button', { name: '强插' }).click();
      await page.locator('[data-listener] .ant-select', { hasText: '强插' }).waitFor();
      await page.locator('[data-listener]').getByRole('button', { name: /^挂断/ }).click();
      await call.ended;
      await page.locator('[data-listener]').waitFor({ state: 'detached' });
    });

    it('says when the call ended meanwhile and leads to its record', async () => {
      for (const call of talking) call.incoming.hangup();
      await expect.poll(() => dialog().textContent(), PATIENT).toContain('这通电话已经结束');
      await dialog().getByRole('link').click();
      await expect.poll(() => new URL(page.url()).pathname, PATIENT).toMatch(/^\/calls\/[0-9a-f-]{36}$/);
    });

    it('tells inbound calls from outbound ones, and filters them', async () => {
      const { db } = workplace.platform.database;
      const variables = { name: '回电客户' };
      await seedCall(db, { at: systemClock.now(), attempt: { direction: 'inbound', variables } });
      await page.goto(at('/calls'));
      await page.locator('tbody .ant-table-row', { hasText: '回电客户' }).locator('[data-direction=inbound]').waitFor();
      const directions = async () =>
        (await page.locator('tbody [data-direction]').allTextContents()).map((text) => text.trim());
      expect(new Set(await directions())).toEqual(new Set(['呼入', '呼出']));
      await page.getByRole('combobox', { name: '呼叫方向' }).click();
      await page.locator('.ant-select-item-option', { hasText: '呼入' }).click();
      await expect.poll(async () => [...new Set(await directions())], PATIENT).toEqual(['呼入']);
      await page.locator('tbody .ant-table-row a').first().click();
      await page.locator('.call-facts [data-direction=inbound]', { hasText: '呼入' }).waitFor();
    });

    it('fits the screen of a telephone in both languages', async () => {
      const call = page.url();
      await page.setViewportSize({ width: 390, height: 844 });
      for (const language of ['中', 'EN']) {
        await page.getByText(language, { exact: true }).click();
        for (const to of [at('/campaigns'), at(`/campaigns/${campaignId}`), at('/calls'), call, at('/suppressions')]) {
          await page.goto(to);
          await page.locator('h1').waitFor();
          expect([to, await overflowing(page)]).toEqual([to, []]);
        }
      }
      await page.getByText('中', { exact: true }).click();
    });

    it('complained of nothing but the refusals that were asked for', () => {
      expect(browser.complaints.filter((text) => !/status of (400|401|404)/.test(text))).toEqual([]);
    });
  },
);
