import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CampaignId } from '#domain/ids.ts';
import { openBus } from '#platform/bus.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { seedCampaign, seedImport, seedScript } from '../../test/support/campaign.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { defaultSettings } from './settings.ts';
import { addLeadsFromImport, changeState, createCampaign, getCampaign, listCampaigns } from './store.ts';
import { countCampaign, listLeads, viewCampaign } from './view.ts';

const NOW = new Date('2026-01-05T02:00:00Z');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database.close();
});

describe('campaigns in the database', () => {
  it('goes through its states and refuses what they do not allow with what can be done instead', async () => {
    const { db } = database;
    const bus = openBus(silentLog);
    const changed: string[] = [];
    bus.subscribe('campaign-changed', (event) => void changed.push(event.campaignId));
    const scriptId = await seedScript(db, NOW);
    const { id } = await createCampaign(db, { name: ' 一月催收 ', scriptId, settings: defaultSettings(), now: NOW });
    const act = (action: 'start' | 'pause' | 'resume' | 'cancel') => changeState(db, bus, { id, action, now: NOW });

    await expect(act('start')).rejects.toMatchObject({
      code: 'conflict',
      text: { zh: expect.stringContaining('导入') },
    });
    const importId = await seedImport(db, { count: 3, now: NOW });
    expect(await addLeadsFromImport(db, bus, { campaignId: id, importId, now: NOW })).toEqual({ added: 3 });
    expect(await addLeadsFromImport(db, bus, { campaignId: id, importId, now: NOW })).toEqual({ added: 0 });

    await expect(act('pause')).rejects.toMatchObject({
      code: 'conflict',
      text: { en: expect.stringContaining('started') },
    });
    expect(await act('start')).toMatchObject({ name: '一月催收', state: 'running', startedAt: NOW });
    expect(await act('pause')).toMatchObject({ state: 'paused' });
    expect(await act('resume')).toMatchObject({ state: 'running' });
    expect(await act('cancel')).toMatchObject({ state: 'cancelled', finishedAt: NOW });
    await expect(act('resume')).rejects.toMatchObject({ code: 'conflict' });
    await expect(addLeadsFromImport(db, bus, { campaignId: id, importId, now: NOW })).rejects.toMatchObject({
      code: 'conflict',
    });

    const counts = await countCampaign(db, await getCampaign(db, id), NOW);
    expect(counts.leads).toEqual({ pending: 0, dialing: 0, waiting: 0, done: 3 });
    expect(counts.reasons).toEqual({ cancelled: 3 });
    expect(changed).toEqual([id, id, id, id, id]);
    expect((await listCampaigns(db, { state: 'cancelled' })).map((campaign) => campaign.id)).toContain(id);
  });

  it('refuses a script that was never published and a campaign that does not exist', async () => {
    const { db } = database;
    const bus = openBus(silentLog);
    const scriptId = newId<'script'>(NOW);
    await sql`INSERT INTO scripts (id, key, name, language, draft) VALUES (${scriptId}::uuid, 'draft', '草稿', 'zh', '{}')`.execute(
      db,
    );
    await expect(
      createCampaign(db, { name: '', scriptId, settings: defaultSettings(), now: NOW }),
    ).rejects.toMatchObject({ code: 'invalid-input', problems: [{ path: 'name' }, { path: 'scriptId' }] });
    for (const id of [newId<'campaign'>(NOW), 'not-an-id' as CampaignId]) {
      await expect(changeState(db, bus, { id, action: 'start', now: NOW })).rejects.toMatchObject({
        code: 'not-found',
      });
    }
  });

  it('pages through leads with masked numbers, filters them, and says why each is not dialled', async () => {
    const { db } = database;
    const bus = openBus(silentLog);
    const campaign = await seedCampaign(db, bus, { count: 25, now: NOW, firstNumber: 13_900_000_000 });
    await sql`
      UPDATE leads SET state = 'waiting', reason = 'outside-window', next_attempt_at = ${new Date('2026-01-05T03:00:00Z')},
        last_outcome = 'busy'
      WHERE id IN (SELECT id FROM leads WHERE campaign_id = ${campaign.id}::uuid ORDER BY id LIMIT 5)`.execute(db);

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listLeads(
        db,
        { campaignId: campaign.id, limit: 10, ...(cursor === undefined ? {} : { cursor }) },
        NOW,
      );
      expect(page.total).toBe(25);
      for (const lead of page.items) {
        seen.push(lead.name);
        expect(lead.phone).toMatch(/^\+86139\*{4}\d{4}$/);
        expect(lead.reason).toBe(lead.state === 'waiting' ? 'outside-window' : 'due');
      }
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `客户${13_900_000_000 + n}`));

    const busy = await listLeads(db, { campaignId: campaign.id, outcome: 'busy', state: 'waiting' }, NOW);
    expect(busy.total).toBe(5);
    const found = await listLeads(db, { campaignId: campaign.id, search: '0007' }, NOW);
    expect(found.items.map((lead) => lead.name)).toEqual(['客户13900000007']);
    expect((await listLeads(db, { campaignId: campaign.id, search: '%' }, NOW)).total).toBe(0);

    const view = await viewCampaign(db, campaign.id, NOW);
    expect(view.counts.reasons).toEqual({ 'outside-window': 5, due: 20 });
    expect(view.counts.outcomes).toEqual({ busy: 5 });
    expect(view.script.name).toBe('空话术');
    await changeState(db, bus, { id: campaign.id, action: 'pause', now: NOW });
    expect((await viewCampaign(db, campaign.id, NOW)).counts.reasons).toEqual({ 'campaign-not-running': 25 });
  });
});
