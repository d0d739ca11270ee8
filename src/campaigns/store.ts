import { sql } from 'kysely';
import type { CampaignAction } from '#domain/api.ts';
import type { Campaign, CampaignSettings, CampaignState } from '#domain/campaign.ts';
import type { CampaignId, ImportId, ScriptId } from '#domain/ids.ts';
import type { LocalText } from '#domain/text.ts';
import type { Bus } from '#platform/bus.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { idFloor, newId } from '#platform/id.ts';
import { Check } from './check.ts';
import { throwProblems } from './settings.ts';
import type { CampaignTables } from './tables.ts';

type Publisher = Pick<Bus, 'publish'>;

const STATE_TEXT: Readonly<Record<CampaignState, LocalText>> = {
  draft: { zh: '草稿', en: 'a draft' },
  running: { zh: '运行中', en: 'running' },
  paused: { zh: '已暂停', en: 'paused' },
  finished: { zh: '已完成', en: 'finished' },
  cancelled: { zh: '已取消', en: 'cancelled' },
};

const ACTION_TEXT: Readonly<Record<CampaignAction['action'], LocalText>> = {
  start: { zh: '启动', en: 'started' },
  pause: { zh: '暂停', en: 'paused' },
  resume: { zh: '恢复', en: 'resumed' },
  cancel: { zh: '取消', en: 'cancelled' },
};

const TRANSITIONS: Readonly<
  Record<CampaignAction['action'], { readonly from: readonly CampaignState[]; readonly to: CampaignState }>
> = {
  start: { from: ['draft'], to: 'running' },
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  cancel: { from: ['draft', 'running', 'paused'], to: 'cancelled' },
};

/** Where an action leads from a state, or `undefined` where it is not allowed. */
export function stateAfter(state: CampaignState, action: CampaignAction['action']): CampaignState | undefined {
  const transition = TRANSITIONS[action];
  return transition.from.includes(state) ? transition.to : undefined;
}

/**
 * Makes a draft that uses the script's published version. Settings come validated.
 * @throws AppError `invalid-input` for a bad name or a script that is missing or was never published
 */
export async function createCampaign(
  db: Db,
  input: {
    readonly name: string;
    readonly scriptId: ScriptId;
    readonly settings: CampaignSettings;
    readonly now: Date;
  },
): Promise<Campaign> {
  const tables = db.withTables<CampaignTables>();
  const check = new Check();
  const name = check.text(input.name, 'name');
  const script = await tables
    .selectFrom('scripts')
    .select('published_version')
    .where(sql<boolean>`id::text = ${input.scriptId}`)
    .executeTakeFirst();
  if (script === undefined) check.add('scriptId', '话术不存在。', 'There is no such script.');
  else if (script.published_version === null) {
    check.add('scriptId', '话术尚未发布，请先发布。', 'The script is not published yet; publish it first.');
  }
  throwProblems(check.problems);
  const row = await tables
    .insertInto('campaigns')
    .values({
      id: newId<'campaign'>(input.now),
      name,
      state: 'draft',
      script_id: input.scriptId,
      script_version: script!.published_version!,
      settings: JSON.stringify(input.settings),
      created_at: input.now,
      started_at: null,
      finished_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toCampaign(row);
}

/** @throws AppError `not-found` */
export async function getCampaign(db: Db, id: CampaignId): Promise<Campaign> {
  const row = await db
    .withTables<CampaignTables>()
    .selectFrom('campaigns')
    .selectAll()
    .where(sql<boolean>`id::text = ${id}`)
    .executeTakeFirst();
  if (row === undefined) throw notFound();
  return toCampaign(row);
}

/** Newest first, at most `limit`. */
export async function listCampaigns(
  db: Db,
  options: { readonly state?: CampaignState; readonly limit?: number; readonly before?: CampaignId } = {},
): Promise<readonly Campaign[]> {
  let query = db.withTables<CampaignTables>().selectFrom('campaigns').selectAll();
  if (options.state !== undefined) query = query.where('state', '=', options.state);
  if (options.before !== undefined) query = query.where('id', '<', options.before);
  const rows = await query
    .orderBy('id', 'desc')
    .limit(options.limit ?? 100)
    .execute();
  return rows.map(toCampaign);
}

/**
 * Starts, pauses, resumes or cancels. A cancel ends every lead that is not in a call; calls in progress are ended by
 * the dialer, which hears of it by `campaign-changed`.
 * @throws AppError `not-found`, `conflict` when the state does not allow it or a start finds no leads
 */
export async function changeState(
  db: Db,
  bus: Publisher,
  change: { readonly id: CampaignId; readonly action: CampaignAction['action']; readonly now: Date },
): Promise<Campaign> {
  const campaign = await inTransaction(db, async (transaction) => {
    const trx = transaction.withTables<CampaignTables>();
    const row = await trx
      .selectFrom('campaigns')
      .selectAll()
      .where(sql<boolean>`id::text = ${change.id}`)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw notFound();
    const to = stateAfter(row.state, change.action);
    if (to === undefined) throw notAllowed(row.state, change.action);
    if (change.action === 'start') {
      const lead = await trx.selectFrom('leads').select('id').where('campaign_id', '=', row.id).limit(1).execute();
      if (lead.length === 0) throw noLeads();
    }
    if (to === 'cancelled') {
      await trx
        .updateTable('leads')
        .set({ state: 'done', reason: 'cancelled', updated_at: change.now })
        .where('campaign_id', '=', row.id)
        .where('state', 'in', ['pending', 'waiting'])
        .execute();
    }
    const updated = await trx
      .updateTable('campaigns')
      .set({
        state: to,
        started_at: row.started_at ?? (to === 'running' ? change.now : null),
        finished_at: to === 'cancelled' ? change.now : null,
      })
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return toCampaign(updated);
  });
  bus.publish('campaign-changed', { campaignId: campaign.id });
  return campaign;
}

/**
 * Makes a lead of every contact of an import that the campaign does not have yet; one statement, however many.
 * @throws AppError `not-found`, `conflict` when the campaign has ended
 */
export async function addLeadsFromImport(
  db: Db,
  bus: Publisher,
  input: { readonly campaignId: CampaignId; readonly importId: ImportId; readonly now: Date },
): Promise<{ readonly added: number }> {
  const added = await inTransaction(db, async (transaction) => {
    const trx = transaction.withTables<CampaignTables>();
    const row = await trx
      .selectFrom('campaigns')
      .select('state')
      .where(sql<boolean>`id::text = ${input.campaignId}`)
      .forShare()
      .executeTakeFirst();
    if (row === undefined) throw notFound();
    if (row.state === 'finished' || row.state === 'cancelled') throw ended(row.state);
    // UUIDv7 ids that sort as the rows of the file: the time, then the row as the counter of
    // RFC 9562 §6.2, in the 12 bits before the variant and the 12 after it.
    const prefix = idFloor(input.now).slice(0, 15);
    const result = await sql`
        INSERT INTO leads (id, campaign_id, contact_id, next_attempt_at, updated_at)
        SELECT overlay(overlay(gen_random_uuid()::text
            placing ${prefix} || lpad(to_hex((row >> 12) & 4095), 3, '0') from 1)
            placing '8' || lpad(to_hex(row & 4095), 3, '0') from 20)::uuid, ${input.campaignId}::uuid, contact_id,
          ${input.now}::timestamptz, ${input.now}::timestamptz
        FROM import_contacts WHERE import_id = ${input.importId}::uuid
        ON CONFLICT (campaign_id, contact_id) DO NOTHING`.execute(trx);
    return Number(result.numAffectedRows ?? 0n);
  });
  if (added > 0) bus.publish('campaign-changed', { campaignId: input.campaignId });
  return { added };
}

/** In the caller's transaction where `db` is one. */
async function inTransaction<Result>(db: Db, work: (transaction: Db) => Promise<Result>): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

type CampaignRow = {
  readonly [Column in keyof CampaignTables['campaigns']]: Column extends 'settings'
    ? CampaignSettings
    : CampaignTables['campaigns'][Column];
};

function toCampaign(row: CampaignRow): Campaign {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    scriptId: row.script_id,
    scriptVersion: row.script_version,
    settings: row.settings,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  };
}

function notFound(): AppError {
  return new AppError('not-found', { zh: '没有这个外呼任务。', en: 'There is no such campaign.' });
}

function notAllowed(state: CampaignState, action: CampaignAction['action']): AppError {
  const verb = ACTION_TEXT[action];
  const allowed = (Object.keys(TRANSITIONS) as CampaignAction['action'][]).filter(
    (candidate) => stateAfter(state, candidate) !== undefined,
  );
  const zhHint =
    allowed.length === 0 ? '它已结束，请新建任务。' : `现在可以：${allowed.map((a) => ACTION_TEXT[a].zh).join('、')}。`;
  const enHint =
    allowed.length === 0
      ? 'It has ended; make a new campaign.'
      : `Now it can be ${allowed.map((a) => ACTION_TEXT[a].en).join(' or ')}.`;
  return new AppError('conflict', {
    zh: `任务${STATE_TEXT[state].zh}，不能${verb.zh}。${zhHint}`,
    en: `The campaign is ${STATE_TEXT[state].en} and cannot be ${verb.en}. ${enHint}`,
  });
}

function noLeads(): AppError {
  return new AppError('conflict', {
    zh: '任务还没有名单，请先导入联系人再启动。',
    en: 'The campaign has no leads yet; import contacts before starting it.',
  });
}

function ended(state: CampaignState): AppError {
  return new AppError('conflict', {
    zh: `任务${STATE_TEXT[state].zh}，不能再加名单，请新建任务。`,
    en: `The campaign is ${STATE_TEXT[state].en} and takes no more leads; make a new campaign.`,
  });
}
