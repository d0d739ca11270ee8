import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { Attempt } from '#domain/call.ts';
import type { AttemptId, CampaignId, LeadId, ScriptId } from '#domain/ids.ts';
import type { Script } from '#domain/script.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import type { Log } from '#platform/log.ts';
import type {
  AfterOutcome,
  DialCampaign,
  DialDecision,
  DialFacts,
  DialStore,
  OfferedLines,
  Taken,
} from './dial-store.ts';
import { denyLeads, dueLeads, endAttempt, lockCampaign, lockLead, moveLead } from './lead-sql.ts';
import { lockTrunk } from './channels-sql.ts';
import type { Denial, DueLead } from './lead-sql.ts';
import type { FreeLines } from './free-lines.ts';
import { freeLines } from './free-lines.ts';
import { moveAttempt } from './move-attempt.ts';
import { scriptVariables } from './variables.ts';

/** What the store is made of; `allow` runs inside the transaction that takes the lead, on its connection. */
export interface AttemptStoreOptions {
  readonly db: Db;
  readonly log: Log;
  /** New for every start of the process. */
  readonly nodeId: string;
  readonly allow: (facts: DialFacts, now: Date, db: Db) => Promise<DialDecision>;
  readonly afterOutcome: AfterOutcome;
  readonly loadScript: (id: ScriptId, version: number) => Promise<Script>;
}

/** A denial's retry is at least this far away, so that a rule without a sensible moment cannot spin. */
const MIN_DENIAL_MS = 1000;

/** How long a lead waits whose number no trunk with a free line takes. */
const NO_LINE_MS = 10_000;

/** Leads judged in one transaction: a list whose window is closed must not hold the trunk's lock for long. */
const MAX_JUDGED = 200;

/** The dialer's part of PostgreSQL. Locks go campaign, lead, attempt, in that order, everywhere. */
export function openAttemptStore(o: AttemptStoreOptions): DialStore {
  const scripts = new Map<string, Script>();

  async function scriptOf(campaign: DialCampaign): Promise<Script> {
    const key = `${campaign.scriptId} ${campaign.scriptVersion}`;
    const known = scripts.get(key);
    if (known !== undefined) return known;
    const script = await o.loadScript(campaign.scriptId, campaign.scriptVersion);
    scripts.set(key, script);
    return script;
  }

  async function take(
    campaign: DialCampaign,
    limits: { readonly limit: number; readonly lines: readonly OfferedLines[]; readonly now: Date },
  ): Promise<Taken> {
    const script = await scriptOf(campaign);
    return await o.db.transaction().execute(async (trx) => {
      // In the order of names, so that two takers of one group never wait for each other.
      for (const trunk of limits.lines.map((one) => one.trunk).toSorted()) await lockTrunk(trx, trunk);
      const state = (await lockCampaign(trx, campaign.id))?.state;
      const lines = await freeLines(trx, campaign, limits.lines);
      const limit = Math.min(limits.limit, lines.campaign, lines.total());
      const attempts: Attempt[] = [];
      const denials: Denial[] = [];
      let more = false;
      if (state !== 'running' || limit <= 0) return { attempts, denied: [], more };
      while (attempts.length < limit && attempts.length + denials.length < MAX_JUDGED) {
        const wanted = limit - attempts.length;
        const candidates = await dueLeads(trx, campaign.id, limits.now, wanted);
        const newDenials: Denial[] = [];
        const newAttempts: Attempt[] = [];
        for (const candidate of candidates) {
          const verdict = await judge(trx, campaign, script, candidate, lines, limits.now);
          if ('denial' in verdict) newDenials.push(verdict.denial);
          else newAttempts.push(verdict.attempt);
        }
        await insertAttempts(trx, newAttempts, limits.now);
        await denyLeads(trx, newDenials, limits.now);
        attempts.push(...newAttempts);
        denials.push(...newDenials);
        more = candidates.length === wanted;
        if (!more) break;
      }
      return { attempts, denied: denials.map((denial) => denial.id), more };
    });
  }

  async function judge(
    trx: Transaction<unknown>,
    campaign: DialCampaign,
    script: Script,
    lead: DueLead,
    lines: FreeLines,
    now: Date,
  ): Promise<{ readonly attempt: Attempt } | { readonly denial: Denial }> {
    const variables = scriptVariables(script, lead);
    if (variables.missing.length > 0) {
      o.log.warn({ leadId: lead.id, variables: variables.missing }, 'a lead lacks required script variables');
      return {
        denial: { id: lead.id, state: 'done', reason: 'not-retryable', next_attempt_at: null, last_outcome: null },
      };
    }
    const facts: DialFacts = {
      campaignId: campaign.id,
      leadId: lead.id,
      contactId: lead.contact_id,
      phone: lead.phone,
      timeZone: lead.time_zone ?? undefined,
      attemptCount: lead.attempt_count,
      settings: campaign.settings,
    };
    const decision = await o.allow(facts, now, trx);
    if (!decision.allow) {
      o.log.info(
        { leadId: lead.id, campaignId: campaign.id, rule: decision.rule, version: decision.version },
        'a dial was denied',
      );
      const retryAt = decision.retryAt === undefined ? undefined : later(decision.retryAt, now);
      return {
        denial: {
          id: lead.id,
          state: retryAt === undefined ? 'done' : 'waiting',
          reason: decision.hold,
          next_attempt_at: retryAt?.toISOString() ?? null,
          last_outcome: retryAt === undefined ? decision.outcome : null,
        },
      };
    }
    const line = lines.take(lead);
    if (line === undefined)
      return {
        denial: {
          id: lead.id,
          state: 'waiting',
          reason: 'trunk-unavailable',
          next_attempt_at: new Date(now.getTime() + NO_LINE_MS).toISOString(),
          last_outcome: null,
        },
      };
    return {
      attempt: {
        id: newId<'attempt'>(now),
        campaignId: campaign.id,
        leadId: lead.id,
        contactId: lead.contact_id,
        number: lead.attempt_count + 1,
        phone: lead.phone,
        callerNumber: line.callerNumber(lead.phone, campaign.settings.callerNumber),
        timeZone: facts.timeZone,
        trunk: line.trunk,
        ...(line.group === undefined
          ? {}
          : { standIns: { group: line.group, callerNumber: campaign.settings.callerNumber } }),
        ringTimeoutMs: campaign.settings.ringTimeoutMs,
        script,
        variables: variables.values,
        createdAt: now,
      },
    };
  }

  async function insertAttempts(trx: Transaction<unknown>, attempts: readonly Attempt[], now: Date): Promise<void> {
    if (attempts.length === 0) return;
    const rows = attempts.map((attempt) => ({
      id: attempt.id,
      campaign_id: attempt.campaignId,
      lead_id: attempt.leadId,
      contact_id: attempt.contactId,
      number: attempt.number,
      phone: attempt.phone,
      caller_number: attempt.callerNumber,
      trunk: attempt.trunk,
    }));
    await sql`
      INSERT INTO attempts
        (id, campaign_id, lead_id, contact_id, number, phone, caller_number, trunk, node_id, state, created_at)
      SELECT id, campaign_id, lead_id, contact_id, number, phone, caller_number, trunk, ${o.nodeId}::uuid, 'open',
        ${now}::timestamptz
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(id uuid, campaign_id uuid, lead_id uuid,
        contact_id uuid, number int, phone text, caller_number text, trunk text)`.execute(trx);
    await sql`
      UPDATE leads SET state = 'dialing', reason = 'in-call', attempt_count = attempt_count + 1,
        updated_at = ${now}::timestamptz
      WHERE id = ANY(${attempts.map((attempt) => attempt.leadId)}::uuid[])`.execute(trx);
  }

  return {
    take,
    move: (attempt, to) => moveAttempt(o, attempt, to),
    async beat(now) {
      await sql`
        INSERT INTO nodes (id, started_at, seen_at) VALUES (${o.nodeId}::uuid, ${now}::timestamptz, ${now}::timestamptz)
        ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at`.execute(o.db);
    },
    async takeOver() {
      await sql`DELETE FROM campaign_leases WHERE node_id <> ${o.nodeId}::uuid`.execute(o.db);
      await sql`DELETE FROM nodes WHERE id <> ${o.nodeId}::uuid`.execute(o.db);
    },
    async leave() {
      await sql`DELETE FROM campaign_leases WHERE node_id = ${o.nodeId}::uuid`.execute(o.db);
      // Kept while attempts are still open, so that they are seen as this node's until it counts as gone.
      await sql`
        DELETE FROM nodes WHERE id = ${o.nodeId}::uuid
          AND NOT EXISTS (SELECT 1 FROM attempts WHERE node_id = ${o.nodeId}::uuid AND state = 'open')`.execute(o.db);
    },
    async campaigns(alsoIds) {
      const result = await sql<DialCampaign>`
        SELECT id, state, script_id AS "scriptId", script_version AS "scriptVersion", settings FROM campaigns
        WHERE state = 'running' OR id = ANY(${alsoIds}::uuid[]) ORDER BY id`.execute(o.db);
      return result.rows;
    },
    async lease(ids, now, until) {
      const result = await sql<{ campaign_id: CampaignId }>`
        INSERT INTO campaign_leases AS held (campaign_id, node_id, expires_at)
        SELECT id, ${o.nodeId}::uuid, ${until}::timestamptz FROM unnest(${ids}::uuid[]) AS id
        ON CONFLICT (campaign_id) DO UPDATE SET node_id = EXCLUDED.node_id, expires_at = EXCLUDED.expires_at,
          hold = CASE WHEN held.node_id = EXCLUDED.node_id THEN held.hold END
        WHERE held.node_id = EXCLUDED.node_id OR held.expires_at <= ${now}::timestamptz
        RETURNING campaign_id`.execute(o.db);
      return new Set(result.rows.map((row) => row.campaign_id));
    },
    async hold(id, reason) {
      await sql`
        UPDATE campaign_leases SET hold = ${reason ?? null}
        WHERE campaign_id = ${id}::uuid AND node_id = ${o.nodeId}::uuid`.execute(o.db);
    },
    async nextDueAt(id) {
      const result = await sql<{ at: Date | null }>`
        SELECT least(
          (SELECT next_attempt_at FROM leads WHERE campaign_id = ${id}::uuid AND state = 'waiting'
            ORDER BY next_attempt_at LIMIT 1),
          (SELECT next_attempt_at FROM leads WHERE campaign_id = ${id}::uuid AND state = 'pending'
            ORDER BY next_attempt_at LIMIT 1)) AS at`.execute(o.db);
      return result.rows[0]?.at ?? undefined;
    },
    async settle(attempt, outcome, now) {
      return await o.db.transaction().execute(async (trx) => {
        const campaign = attempt.campaignId === undefined ? undefined : await lockCampaign(trx, attempt.campaignId);
        const lead = attempt.leadId === undefined ? undefined : await lockLead(trx, attempt.leadId);
        if (!(await endAttempt(trx, attempt.id, outcome.code, outcome.endedAt))) return false;
        if (campaign === undefined || lead === undefined || lead.state !== 'dialing') return true;
        const change = o.afterOutcome(
          campaign.settings,
          { attemptCount: lead.attempt_count, retries: lead.retries },
          outcome,
          now,
        );
        const cancelled = campaign.state === 'cancelled' && change.state !== 'done';
        await moveLead(
          trx,
          attempt.leadId!,
          cancelled ? { ...change, state: 'done', reason: 'cancelled', nextAttemptAt: undefined } : change,
          outcome,
          now,
        );
        return true;
      });
    },
    async withdraw(attempt, now, dueAt) {
      await o.db.transaction().execute(async (trx) => {
        const campaign = attempt.campaignId === undefined ? undefined : await lockCampaign(trx, attempt.campaignId);
        if (attempt.leadId !== undefined) await lockLead(trx, attempt.leadId);
        const removed =
          await sql`DELETE FROM attempts WHERE id = ${attempt.id}::uuid AND state = 'open' RETURNING id`.execute(trx);
        if (removed.rows.length === 0 || attempt.leadId === undefined) return;
        const cancelled = campaign?.state === 'cancelled';
        await sql`
          UPDATE leads SET attempt_count = attempt_count - 1, updated_at = ${now}::timestamptz,
            state = ${cancelled ? 'done' : 'waiting'}, reason = ${cancelled ? 'cancelled' : 'due'},
            next_attempt_at = ${dueAt}::timestamptz
          WHERE id = ${attempt.leadId}::uuid AND state = 'dialing'`.execute(trx);
      });
    },
    async finish(id, now) {
      const result = await sql`
        UPDATE campaigns SET state = 'finished', finished_at = ${now}::timestamptz
        WHERE id = ${id}::uuid AND state = 'running' AND NOT EXISTS (
          SELECT 1 FROM leads WHERE campaign_id = ${id}::uuid AND state IN ('pending', 'waiting', 'dialing'))
        RETURNING id`.execute(o.db);
      return result.rows.length > 0;
    },
    async orphans(scope, liveIds, now) {
      // An own attempt without a lead is a single call, whose owner is not the dialer.
      const foreign = sql`(a.node_id <> ${o.nodeId}::uuid OR a.lead_id IS NOT NULL)`;
      const gone =
        'all' in scope
          ? sql`true`
          : sql`(a.node_id = ${o.nodeId}::uuid OR NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = a.node_id
              AND n.seen_at > ${new Date(now.getTime() - scope.olderThanMs)}::timestamptz))`;
      const result = await sql<{ id: AttemptId; campaign_id: CampaignId | null; lead_id: LeadId | null }>`
        SELECT a.id, a.campaign_id, a.lead_id FROM attempts a
        WHERE a.state = 'open' AND ${foreign} AND ${gone} AND a.id <> ALL(${liveIds}::uuid[]) ORDER BY a.id`.execute(
        o.db,
      );
      return result.rows.map((row) => ({
        id: row.id,
        campaignId: row.campaign_id ?? undefined,
        leadId: row.lead_id ?? undefined,
      }));
    },
  };
}

function later(retryAt: Date, now: Date): Date {
  return new Date(Math.max(retryAt.getTime(), now.getTime() + MIN_DENIAL_MS));
}
