import { sql } from 'kysely';
import type { CampaignCounts, CampaignView, LeadView, Page } from '#domain/api.ts';
import type { Campaign } from '#domain/campaign.ts';
import { LEAD_STATES } from '#domain/contact.ts';
import type { HoldReason, LeadState } from '#domain/contact.ts';
import type { CampaignId, LeadId } from '#domain/ids.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { maskPhone } from '#domain/phone.ts';
import type { Db } from '#platform/db/database.ts';
import { holdReason } from './lead-state.ts';
import { getCampaign } from './store.ts';
import type { CampaignTables } from './tables.ts';

/** Totals stop counting here: a list shows "10,000+" and stays fast. */
const MAX_TOTAL = 10_000;

/** Whether a trunk takes no calls at the moment. */
export type TrunkHeld = (trunk: string) => boolean;

/** Which leads of a campaign a list shows. */
export interface LeadFilter {
  readonly campaignId: CampaignId;
  readonly state?: LeadState;
  readonly outcome?: OutcomeCode;
  readonly grade?: GradeCode;
  /** Part of a name, or the end of a number. */
  readonly search?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

/** The counts of several campaigns from one grouped query over one index; outcomes and grades are each lead's last. */
export async function countCampaigns(
  db: Db,
  campaigns: readonly Campaign[],
  now: Date,
  held: TrunkHeld = () => false,
): Promise<ReadonlyMap<CampaignId, CampaignCounts>> {
  const groups = new Map<CampaignId, TallyRow[]>(campaigns.map((campaign) => [campaign.id, []]));
  if (campaigns.length === 0) return new Map();
  const rows = await sql<TallyRow>`
    SELECT campaign_id, state, reason, last_outcome, grade, count(*)::int AS leads, sum(attempt_count)::int AS attempts
    FROM leads WHERE campaign_id = ANY(${campaigns.map((campaign) => campaign.id)}::uuid[])
    GROUP BY campaign_id, state, reason, last_outcome, grade`.execute(db);
  const holds = await holdsOf(db, campaigns, now);
  for (const row of rows.rows) groups.get(row.campaign_id)?.push(row);
  return new Map(
    campaigns.map((campaign) => [
      campaign.id,
      tally(campaign, groups.get(campaign.id) ?? [], now, held, holds.get(campaign.id)),
    ]),
  );
}

/** What the nodes that dial campaigns say they are held by. */
async function holdsOf(
  db: Db,
  campaigns: readonly Campaign[],
  now: Date,
): Promise<ReadonlyMap<CampaignId, HoldReason>> {
  const leases = await db
    .withTables<CampaignTables>()
    .selectFrom('campaign_leases')
    .select(['campaign_id', 'hold'])
    .where('hold', 'is not', null)
    .where('expires_at', '>', now)
    .where(
      'campaign_id',
      'in',
      campaigns.map((campaign) => campaign.id),
    )
    .execute();
  return new Map(leases.flatMap(({ campaign_id, hold }) => (hold === null ? [] : [[campaign_id, hold]])));
}

/** `countCampaigns` for one. */
export async function countCampaign(db: Db, campaign: Campaign, now: Date): Promise<CampaignCounts> {
  return (await countCampaigns(db, [campaign], now)).get(campaign.id)!;
}

/** Campaigns as the API shows them, in the order given. */
export async function viewCampaigns(
  db: Db,
  campaigns: readonly Campaign[],
  now: Date,
  held: TrunkHeld = () => false,
): Promise<readonly CampaignView[]> {
  if (campaigns.length === 0) return [];
  const [counts, scripts] = await Promise.all([
    countCampaigns(db, campaigns, now, held),
    db
      .withTables<CampaignTables>()
      .selectFrom('scripts')
      .select(['id', 'name'])
      .where('id', 'in', [...new Set(campaigns.map((campaign) => campaign.scriptId))])
      .execute(),
  ]);
  const names = new Map(scripts.map((script) => [script.id, script.name]));
  return campaigns.map((campaign) => ({
    id: campaign.id,
    name: campaign.name,
    state: campaign.state,
    script: { id: campaign.scriptId, name: names.get(campaign.scriptId) ?? '', version: campaign.scriptVersion },
    settings: campaign.settings,
    counts: counts.get(campaign.id)!,
    createdAt: campaign.createdAt.toISOString(),
    startedAt: campaign.startedAt?.toISOString() ?? null,
    finishedAt: campaign.finishedAt?.toISOString() ?? null,
  }));
}

/** @throws AppError `not-found` */
export async function viewCampaign(db: Db, id: CampaignId, now: Date, held?: TrunkHeld): Promise<CampaignView> {
  const views = await viewCampaigns(db, [await getCampaign(db, id)], now, held);
  return views[0]!;
}

/**
 * One page of leads in the order they were added, numbers masked; `total` stops at 10,000.
 * @throws AppError `not-found`
 */
export async function listLeads(
  db: Db,
  filter: LeadFilter,
  now: Date,
  held: TrunkHeld = () => false,
): Promise<Page<LeadView>> {
  const campaign = await getCampaign(db, filter.campaignId);
  const limit = Math.min(Math.max(filter.limit ?? 50, 1), 500);
  let query = db
    .withTables<CampaignTables>()
    .selectFrom('leads')
    .innerJoin('contacts', 'contacts.id', 'leads.contact_id')
    .where('leads.campaign_id', '=', campaign.id);
  if (filter.state !== undefined) query = query.where('leads.state', '=', filter.state);
  if (filter.outcome !== undefined) query = query.where('leads.last_outcome', '=', filter.outcome);
  if (filter.grade !== undefined) query = query.where('leads.grade', '=', filter.grade);
  const search = filter.search?.trim() ?? '';
  if (search !== '') {
    const literal = search.replaceAll(/[\\%_]/g, String.raw`\$&`);
    query = query.where((where) =>
      where.or([where('contacts.name', 'like', `%${literal}%`), sql<boolean>`contacts.phone LIKE ${`%${literal}`}`]),
    );
  }
  let page = query
    .select(['leads.id', 'leads.state', 'leads.attempt_count', 'leads.next_attempt_at', 'leads.reason'])
    .select(['leads.last_outcome', 'leads.grade', 'contacts.name', 'contacts.phone'])
    .orderBy('leads.id')
    .limit(limit + 1);
  if (filter.cursor !== undefined && /^[0-9a-f-]{36}$/.test(filter.cursor)) {
    page = page.where('leads.id', '>', filter.cursor as LeadId);
  }
  const [rows, total, open, holds] = await Promise.all([
    page.execute(),
    sql<{ total: number }>`SELECT count(*)::int AS total FROM (${query.select('leads.id').limit(MAX_TOTAL)}) AS bounded`
      .execute(db)
      .then((result) => result.rows[0]?.total ?? 0),
    sql<{ open: number }>`
      SELECT count(*)::int AS open FROM leads WHERE campaign_id = ${campaign.id}::uuid AND state = 'dialing'`
      .execute(db)
      .then((result) => result.rows[0]?.open ?? 0),
    holdsOf(db, [campaign], now),
  ]);
  const items = rows.slice(0, limit).map((row): LeadView => ({
    id: row.id,
    name: row.name,
    phone: maskPhone(row.phone),
    state: row.state,
    attempts: row.attempt_count,
    nextAttemptAt: row.state === 'waiting' ? (row.next_attempt_at?.toISOString() ?? null) : null,
    reason: holdReason({
      campaignState: campaign.state,
      leadState: row.state,
      reason: row.reason,
      nextAttemptAt: row.next_attempt_at ?? undefined,
      openCalls: open,
      maxConcurrentCalls: campaign.settings.maxConcurrentCalls,
      trunkHeld: held(campaign.settings.trunk),
      hold: holds.get(campaign.id),
      now,
    }),
    lastOutcome: row.last_outcome,
    grade: row.grade,
  }));
  const last = items.at(-1);
  return { items, total, ...(rows.length > limit && last !== undefined ? { next: last.id } : {}) };
}

interface TallyRow {
  readonly campaign_id: CampaignId;
  readonly state: LeadState;
  readonly reason: HoldReason;
  readonly last_outcome: OutcomeCode | null;
  readonly grade: GradeCode | null;
  readonly leads: number;
  readonly attempts: number;
}

function tally(
  campaign: Campaign,
  rows: readonly TallyRow[],
  now: Date,
  held: TrunkHeld,
  hold: HoldReason | undefined,
): CampaignCounts {
  const leads = Object.fromEntries(LEAD_STATES.map((state) => [state, 0])) as Record<LeadState, number>;
  const outcomes: Partial<Record<OutcomeCode, number>> = {};
  const grades: Partial<Record<GradeCode, number>> = {};
  const reasons: Partial<Record<HoldReason, number>> = {};
  let attempts = 0;
  const openCalls = rows.reduce((sum, row) => sum + (row.state === 'dialing' ? row.leads : 0), 0);
  for (const row of rows) {
    leads[row.state] += row.leads;
    attempts += row.attempts;
    if (row.last_outcome !== null) outcomes[row.last_outcome] = (outcomes[row.last_outcome] ?? 0) + row.leads;
    if (row.grade !== null) grades[row.grade] = (grades[row.grade] ?? 0) + row.leads;
    const reason = holdReason({
      campaignState: campaign.state,
      leadState: row.state,
      reason: row.reason,
      nextAttemptAt: undefined,
      openCalls,
      maxConcurrentCalls: campaign.settings.maxConcurrentCalls,
      trunkHeld: held(campaign.settings.trunk),
      hold,
      now,
    });
    // A waiting lead keeps the reason of its wait: whether that has passed is in the row, not in the group.
    const shown = row.state === 'waiting' && campaign.state === 'running' ? row.reason : reason;
    reasons[shown] = (reasons[shown] ?? 0) + row.leads;
  }
  return { leads, outcomes, grades, reasons, attempts };
}
