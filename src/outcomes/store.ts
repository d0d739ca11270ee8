import { sql } from 'kysely';
import type { Attempt, CallOutcome, FinishedCall, TimelineEvent, Turn } from '#domain/call.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { Bus } from '#platform/bus.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import type { OutcomeTables } from './tables.ts';

/**
 * Commits a finished call with its turns, timeline and outbox row in one transaction. A call that is already recorded
 * is left as it is. Publishes `call-recorded` when it was new.
 * @returns whether the call was new
 */
export async function recordCall(
  db: Db,
  attempt: Attempt,
  finished: FinishedCall,
  outcome: CallOutcome,
  bus?: Pick<Bus, 'publish'>,
): Promise<boolean> {
  const recorded = await db
    .withTables<OutcomeTables>()
    .transaction()
    .execute(async (trx) => {
      const contact =
        attempt.contactId === undefined
          ? undefined
          : await trx.selectFrom('contacts').select('name').where('id', '=', attempt.contactId).executeTakeFirst();
      const inserted = await trx
        .insertInto('calls')
        .values({
          id: attempt.id,
          direction: attempt.direction ?? 'outbound',
          campaign_id: attempt.campaignId ?? null,
          lead_id: attempt.leadId ?? null,
          contact_id: attempt.contactId ?? null,
          phone: attempt.phone,
          name: contact?.name ?? attempt.variables['name'] ?? '',
          outcome: outcome.code,
          confidence: outcome.confidence,
          grade: outcome.grade,
          grade_reason: outcome.gradeReason,
          tags: [...outcome.tags],
          slots: json(outcome.slots),
          evidence: json(outcome.evidence),
          opted_out: outcome.optedOut,
          call_back_at: outcome.callBackAt ?? null,
          hangup_by: finished.hangupBy,
          sip_status: finished.sipStatus ?? null,
          sip_reason: finished.sipReason ?? null,
          dialed_at: finished.dialedAt,
          ended_at: finished.endedAt,
          ring_ms: rounded(finished.ringMs),
          answered_ms: rounded(finished.answeredMs),
          talk_ms: Math.round(finished.talkMs),
          dialog: finished.dialog === undefined ? null : json(finished.dialog),
          recording: finished.recording === undefined ? null : json(finished.recording),
          media: finished.media === undefined ? null : json(finished.media),
          legs: finished.legs === undefined ? null : json(finished.legs),
          voice_to_voice_ms: finished.turns.flatMap((turn) =>
            turn.latency === undefined ? [] : [Math.round(turn.latency.voiceToVoiceMs)],
          ),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (inserted === undefined) return false;
      if (finished.turns.length > 0) await insertTurns(attempt.id, finished.turns).execute(trx);
      if (finished.timeline.length > 0) await insertEvents(attempt.id, finished.timeline).execute(trx);
      await trx
        .insertInto('outbox')
        .values({
          id: newId<'outbox'>(finished.endedAt),
          topic: 'call.recorded',
          payload: json({
            callId: attempt.id,
            direction: attempt.direction ?? 'outbound',
            campaignId: attempt.campaignId ?? null,
            leadId: attempt.leadId ?? null,
            outcome: outcome.code,
            grade: outcome.grade,
            optedOut: outcome.optedOut,
            endedAt: finished.endedAt.toISOString(),
          }),
        })
        .execute();
      return true;
    });
  if (recorded) bus?.publish('call-recorded', { attemptId: attempt.id, campaignId: attempt.campaignId });
  return recorded;
}

/** Whether a call of this attempt is committed. */
export async function callExists(db: Db, id: AttemptId): Promise<boolean> {
  return (await findOutcomes(db, [id])).size > 0;
}

/** The committed outcomes of these attempts; attempts without a call row are absent. For recovery after a crash. */
export async function findOutcomes(db: Db, ids: readonly AttemptId[]): Promise<ReadonlyMap<AttemptId, CallOutcome>> {
  if (ids.length === 0) return new Map();
  const rows = await db.withTables<OutcomeTables>().selectFrom('calls').selectAll().where('id', 'in', ids).execute();
  return new Map(
    rows.map((row) => [
      row.id,
      {
        attemptId: row.id,
        code: row.outcome,
        evidence: row.evidence,
        confidence: row.confidence,
        grade: row.grade,
        gradeReason: row.grade_reason,
        tags: row.tags,
        slots: row.slots,
        optedOut: row.opted_out,
        callBackAt: row.call_back_at ?? undefined,
        endedAt: row.ended_at,
      },
    ]),
  );
}

/** However many turns, one statement with one parameter for them all. */
function insertTurns(id: AttemptId, turns: readonly Turn[]) {
  const rows = turns.map((turn) => ({
    index: turn.index,
    speaker: turn.speaker,
    start_ms: Math.round(turn.startMs),
    end_ms: Math.round(turn.endMs),
    text: turn.text,
    interrupted: turn.interrupted,
    node: turn.node ?? null,
    intent: turn.intent ?? null,
    latency: turn.latency ?? null,
  }));
  return sql`
    INSERT INTO turns (call_id, index, speaker, start_ms, end_ms, text, interrupted, node, intent, latency)
    SELECT ${id}::uuid, index, speaker, start_ms, end_ms, text, interrupted, node, intent, latency
    FROM jsonb_to_recordset(${json(rows)}::jsonb) AS r(index int, speaker text, start_ms int, end_ms int,
      text text, interrupted boolean, node text, intent text, latency jsonb)`;
}

function insertEvents(id: AttemptId, timeline: readonly TimelineEvent[]) {
  const rows = timeline.map((event, index) => {
    const { type, atMs, ...detail } = event;
    return { index, at_ms: Math.round(atMs), type, detail };
  });
  return sql`
    INSERT INTO call_events (call_id, index, at_ms, type, detail)
    SELECT ${id}::uuid, index, at_ms, type, detail
    FROM jsonb_to_recordset(${json(rows)}::jsonb) AS r(index int, at_ms int, type text, detail jsonb)`;
}

/** JSON without NUL characters: PostgreSQL holds none, and a far end may send anything as real-time text. */
function json(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'string' ? item.replaceAll('\u0000', '') : item));
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms);
}
