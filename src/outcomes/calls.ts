import { sql } from 'kysely';
import type { CallSummary, CallView, Page } from '#domain/api.ts';
import type { CallDirection, DialogResult, TimelineEvent } from '#domain/call.ts';
import type { AttemptId, CampaignId } from '#domain/ids.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import { maskPhone } from '#domain/phone.ts';
import type { Db } from '#platform/db/database.ts';
import { AppError } from '#platform/error.ts';
import { idFloor, isUuid } from '#platform/id.ts';
import { transferIn } from './transfer.ts';
import type { OutcomeTables } from './tables.ts';

/** Totals stop counting here: a list shows "10,000+" and stays fast. */
const MAX_TOTAL = 10_000;

/** Which calls a list or an export takes. */
export interface CallFilter {
  readonly direction?: CallDirection;
  readonly campaignId?: CampaignId;
  readonly outcome?: OutcomeCode;
  readonly grade?: GradeCode;
  /** An E.164 number, or any part of one. */
  readonly phone?: string;
  /** Bounds of the dial's time: from inclusive, to exclusive. */
  readonly from?: Date;
  readonly to?: Date;
  readonly minTalkSeconds?: number;
}

/** A call row as lists need it. */
export interface CallRow {
  readonly id: AttemptId;
  readonly direction: CallDirection;
  readonly campaign_id: CampaignId | null;
  readonly campaign_name: string | null;
  readonly name: string;
  readonly phone: string;
  readonly outcome: OutcomeCode;
  readonly grade: GradeCode;
  readonly grade_reason: string;
  readonly tags: readonly string[];
  readonly slots: Readonly<Record<string, string>>;
  readonly dialed_at: Date;
  readonly talk_ms: number;
  readonly hangup_by: 'callee' | 'platform' | 'network';
  readonly call_back_at: Date | null;
  readonly opted_out: boolean;
  readonly has_recording: boolean;
}

/** One page of calls, newest first, numbers masked; `total` stops at 10,000. */
export async function listCalls(
  db: Db,
  filter: CallFilter & { readonly cursor?: string; readonly limit?: number },
): Promise<Page<CallSummary>> {
  const limit = Math.min(Math.max(filter.limit ?? 50, 1), 500);
  const [rows, total] = await Promise.all([
    callRows(db, filter, { limit: limit + 1, ...(filter.cursor === undefined ? {} : { before: filter.cursor }) }),
    sql<{ total: number }>`
      SELECT count(*)::int AS total FROM (SELECT 1 FROM calls c WHERE ${condition(filter)} LIMIT ${MAX_TOTAL}) AS bounded`
      .execute(db)
      .then((result) => result.rows[0]?.total ?? 0),
  ]);
  const items = rows.slice(0, limit).map(toSummary);
  const last = items.at(-1);
  return { items, total, ...(rows.length > limit && last !== undefined ? { next: last.id } : {}) };
}

/** Rows of a filter, newest first, from before an id. */
export async function callRows(
  db: Db,
  filter: CallFilter,
  page: { readonly limit: number; readonly before?: string },
): Promise<readonly CallRow[]> {
  const before = page.before !== undefined && isUuid(page.before) ? sql`AND c.id < ${page.before}::uuid` : sql``;
  const result = await sql<CallRow>`
    SELECT c.id, c.direction, c.campaign_id, k.name AS campaign_name, c.name, c.phone, c.outcome, c.grade, c.grade_reason, c.tags,
      c.slots, c.dialed_at, c.talk_ms, c.hangup_by, c.call_back_at, c.opted_out,
      c.recording IS NOT NULL AS has_recording
    FROM calls c LEFT JOIN campaigns k ON k.id = c.campaign_id
    WHERE ${condition(filter)} ${before}
    ORDER BY c.id DESC LIMIT ${page.limit}`.execute(db);
  return result.rows;
}

/** The calls of a few ids, oldest first, numbers masked; unknown ids are left out. */
export async function summariesOf(db: Db, ids: readonly string[]): Promise<readonly CallSummary[]> {
  if (ids.length === 0) return [];
  const result = await sql<SummaryRow>`
    SELECT c.id, c.direction, c.campaign_id, k.name AS campaign_name, c.name, c.phone, c.outcome, c.grade, c.tags,
      c.dialed_at, c.talk_ms, c.hangup_by, c.recording IS NOT NULL AS has_recording
    FROM calls c LEFT JOIN campaigns k ON k.id = c.campaign_id
    WHERE c.id = ANY(${ids.filter(isUuid)}::uuid[]) ORDER BY c.id`.execute(db);
  return result.rows.map(toSummary);
}

/**
 * Everything about one call, its number masked.
 * @throws AppError `not-found`
 */
export async function getCall(db: Db, id: string): Promise<CallView> {
  const tables = db.withTables<OutcomeTables>();
  const row = isUuid(id)
    ? await tables
        .selectFrom('calls')
        .leftJoin('campaigns', 'campaigns.id', 'calls.campaign_id')
        .selectAll('calls')
        .select('campaigns.name as campaign_name')
        .where('calls.id', '=', id as AttemptId)
        .executeTakeFirst()
    : undefined;
  if (row === undefined) throw new AppError('not-found', { zh: '没有这通电话。', en: 'There is no such call.' });
  const [turns, events] = await Promise.all([
    tables.selectFrom('turns').selectAll().where('call_id', '=', row.id).orderBy('index').execute(),
    tables.selectFrom('call_events').selectAll().where('call_id', '=', row.id).orderBy('index').execute(),
  ]);
  const timeline = events.map((event) => ({ type: event.type, atMs: event.at_ms, ...event.detail }) as TimelineEvent);
  return {
    ...toSummary({ ...row, has_recording: row.recording !== null }),
    confidence: row.confidence,
    gradeReason: row.grade_reason,
    evidence: row.evidence,
    slots: row.slots,
    ringMs: row.ring_ms,
    answeredMs: row.answered_ms,
    endedAt: row.ended_at.toISOString(),
    sipStatus: row.sip_status,
    sipReason: row.sip_reason,
    callBackAt: row.call_back_at?.toISOString() ?? null,
    optedOut: row.opted_out,
    dialog: row.dialog === null ? null : revived(row.dialog),
    turns: turns.map((turn) => ({
      index: turn.index,
      speaker: turn.speaker,
      startMs: turn.start_ms,
      endMs: turn.end_ms,
      text: turn.text,
      interrupted: turn.interrupted,
      node: turn.node ?? undefined,
      intent: turn.intent ?? undefined,
      latency: turn.latency ?? undefined,
    })),
    timeline,
    transfer: transferIn(timeline) ?? null,
    recording: row.recording === null ? null : withoutPath(row.recording),
    media: row.media,
    legs: row.legs ?? [],
  };
}

/**
 * Where a call's recording lies below the recordings directory; `undefined` where it has none.
 * @throws AppError `not-found`
 */
export async function recordingPath(db: Db, id: string): Promise<string | undefined> {
  const rows = isUuid(id)
    ? await db
        .withTables<OutcomeTables>()
        .selectFrom('calls')
        .select('recording')
        .where('id', '=', id as AttemptId)
        .execute()
    : [];
  if (rows.length === 0) throw new AppError('not-found', { zh: '没有这通电话。', en: 'There is no such call.' });
  return rows[0]?.recording?.path;
}

function condition(filter: CallFilter) {
  const parts = [sql`true`];
  if (filter.direction !== undefined) parts.push(sql`c.direction = ${filter.direction}`);
  if (filter.campaignId !== undefined) {
    parts.push(isUuid(filter.campaignId) ? sql`c.campaign_id = ${filter.campaignId}::uuid` : sql`false`);
  }
  if (filter.outcome !== undefined) parts.push(sql`c.outcome = ${filter.outcome}`);
  if (filter.grade !== undefined) parts.push(sql`c.grade = ${filter.grade}`);
  const digits = filter.phone?.replaceAll(/[^0-9]/g, '') ?? '';
  if (filter.phone !== undefined && filter.phone.trim() !== '') {
    const whole = filter.phone.trim().startsWith('+');
    if (digits === '') parts.push(sql`false`);
    else parts.push(whole ? sql`c.phone = ${`+${digits}`}` : sql`c.phone LIKE ${`%${digits}%`}`);
  }
  // The id's time is the dial's to within a fraction of a second, and it is what the partitions are cut by.
  if (filter.from !== undefined) parts.push(sql`c.id >= ${idFloor(filter.from)}::uuid`);
  if (filter.to !== undefined) parts.push(sql`c.id < ${idFloor(filter.to)}::uuid`);
  if (filter.minTalkSeconds !== undefined) parts.push(sql`c.talk_ms >= ${Math.round(filter.minTalkSeconds * 1000)}`);
  return sql.join(parts, sql` AND `);
}

type SummaryRow = Omit<
  CallRow,
  'has_recording' | 'campaign_name' | 'grade_reason' | 'slots' | 'call_back_at' | 'opted_out'
> & {
  readonly has_recording: boolean;
  readonly campaign_name: string | null;
};

function toSummary(row: SummaryRow): CallSummary {
  return {
    id: row.id,
    direction: row.direction,
    campaignId: row.campaign_id,
    campaignName: row.campaign_name,
    name: row.name,
    phone: maskPhone(row.phone),
    outcome: row.outcome,
    grade: row.grade,
    tags: row.tags,
    dialedAt: row.dialed_at.toISOString(),
    talkMs: row.talk_ms,
    hangupBy: row.hangup_by,
    hasRecording: row.has_recording,
  };
}

function revived(dialog: DialogResult): DialogResult {
  return { ...dialog, callBackAt: dialog.callBackAt ? new Date(dialog.callBackAt) : undefined };
}

function withoutPath<Kept extends { readonly path: string }>(recording: Kept): Omit<Kept, 'path'> {
  const { path: _, ...rest } = recording;
  return rest;
}

/** How the network ended calls, by id; calls that have no record are absent. */
export async function findNetworkEnds(
  db: Db,
  ids: readonly string[],
): Promise<
  ReadonlyMap<string, { readonly phone: string; readonly outcome: OutcomeCode; readonly sipStatus: number | null }>
> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: string; phone: string; outcome: OutcomeCode; sipStatus: number | null }>`
    SELECT id, phone, outcome, sip_status AS "sipStatus" FROM calls WHERE id = ANY(${ids}::uuid[])`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}
