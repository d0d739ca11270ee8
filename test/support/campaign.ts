import { sql } from 'kysely';
import type { Campaign, CampaignSettings } from '#domain/campaign.ts';
import type { ImportId, ScriptId } from '#domain/ids.ts';
import { addLeadsFromImport, changeState, createCampaign } from '#campaigns/store.ts';
import { defaultSettings } from '#campaigns/settings.ts';
import type { Script } from '#domain/script.ts';
import type { Bus } from '#platform/bus.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';

/** A script without any words: enough for what only needs one to exist. */
export const EMPTY_SCRIPT: Script = {
  id: 'empty',
  version: 1,
  name: '空话术',
  language: 'zh',
  variables: [],
  intents: [],
  nodes: [],
  knowledge: [],
  globals: [],
  grades: [],
  tags: [],
  settings: {
    maxRounds: 10,
    maxSeconds: 60,
    greetDelayMs: 0,
    endOfTurnMs: 500,
    bargeInMs: 200,
    noReply: { waitMs: 5000, reprompts: 1, hangupMs: 5000 },
    aiDisclosure: '',
    voice: 'zh',
  },
  examples: [],
};

/** A published script in the database. */
export async function seedScript(db: Db, now: Date): Promise<ScriptId> {
  const id = newId<'script'>(now);
  await sql`INSERT INTO scripts (id, key, name, language, draft, published_version)
    VALUES (${id}::uuid, ${`test-${id}`}, '空话术', 'zh', '{}', 1)`.execute(db);
  await sql`INSERT INTO script_versions (script_id, version, document) VALUES (${id}::uuid, 1, '{}')`.execute(db);
  return id;
}

/** `count` contacts with numbers from `firstNumber` on, as one import. */
export async function seedImport(
  db: Db,
  o: { readonly count: number; readonly firstNumber?: number; readonly now: Date; readonly timeZone?: string | null },
): Promise<ImportId> {
  const id = newId<'import'>(o.now);
  const first = o.firstNumber ?? 13_800_000_000;
  await sql`INSERT INTO imports (id, file_name, rows, imported, merged, rejected, encoding, duration_ms)
    VALUES (${id}::uuid, 'seed.csv', ${o.count}, ${o.count}, 0, 0, 'utf-8', 0)`.execute(db);
  await sql`
    INSERT INTO contacts (id, phone, name, time_zone)
    SELECT gen_random_uuid(), '+86' || n, '客户' || n, ${o.timeZone === undefined ? 'Asia/Shanghai' : o.timeZone}::text
    FROM generate_series(${first}::bigint, ${first + o.count - 1}::bigint) AS n ON CONFLICT DO NOTHING`.execute(db);
  await sql`
    INSERT INTO import_contacts (import_id, contact_id, row)
    SELECT ${id}::uuid, c.id, n - ${first}::bigint + 2
    FROM contacts c JOIN generate_series(${first}::bigint, ${first + o.count - 1}::bigint) AS n ON c.phone = '+86' || n`.execute(
    db,
  );
  return id;
}

/** A running campaign with `count` leads. */
export async function seedCampaign(
  db: Db,
  bus: Bus,
  o: {
    readonly count: number;
    readonly now: Date;
    readonly settings?: Partial<CampaignSettings>;
    readonly firstNumber?: number;
  },
): Promise<Campaign> {
  const settings: CampaignSettings = {
    ...defaultSettings({ name: 'main', callerNumbers: ['+862100000000'], channels: 100, callsPerSecond: 100 }),
    ...o.settings,
  };
  const scriptId = await seedScript(db, o.now);
  const campaign = await createCampaign(db, { name: '测试任务', scriptId, settings, now: o.now });
  const importId = await seedImport(db, o);
  await addLeadsFromImport(db, bus, { campaignId: campaign.id, importId, now: o.now });
  return await changeState(db, bus, { id: campaign.id, action: 'start', now: o.now });
}
