import type { CampaignId } from '#domain/ids.ts';
import type { ImportReport } from '#domain/contact.ts';
import { readCallLog } from '#simulator/call-log.ts';
import type { EndedLine } from '#simulator/call-record.ts';
import { leadExpectations } from '#simulator/expectation.ts';
import { nationalNumber } from '#simulator/persona.ts';
import type { Platform } from '../runtime/platform.ts';

/** One call or lead that we judged differently from what really happened; numbers are masked by their last digits. */
export interface Mismatch {
  readonly kind: 'outcome' | 'grade' | 'unended-lead' | 'dialled-twice' | 'missing-record' | 'missing-recording';
  readonly attemptId: string;
  readonly expected: string;
  readonly actual: string;
}

/** What `npm run sample -- --json` prints. Outcomes count attempts, and leads that were never dialled; grades count leads. */
export interface SampleReport {
  readonly contacts: number;
  readonly imported: number;
  readonly rejected: number;
  readonly attempts: number;
  readonly calls: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly grades: Readonly<Record<string, number>>;
  readonly expected: {
    readonly outcomes: Readonly<Record<string, number>>;
    readonly grades: Readonly<Record<string, number>>;
  };
  readonly mismatches: readonly Mismatch[];
  readonly gradedConversations: number;
  readonly redialled: number;
  readonly maxConcurrentCalls: number;
  readonly recordings: number;
  readonly durationMs: number;
  readonly turnLatencyMs: { readonly p50: number | null; readonly p95: number | null };
  readonly passed: boolean;
}

/** Share of conversations whose grade has to be right; outcomes have to be right without exception. */
const GRADE_RATIO = 0.95;

interface CallFact {
  readonly id: string;
  readonly outcome: string;
  readonly grade: string;
  readonly phone: string;
  readonly recorded: boolean;
  readonly answered: boolean;
  readonly latencies: readonly number[] | null;
}

/** Holds the platform's records of a campaign against the simulator's own log. */
export async function reportSample(
  platform: Platform,
  o: {
    readonly campaignId: CampaignId;
    readonly imported: ImportReport;
    readonly logFile: string;
    readonly maxConcurrentCalls: number;
    readonly durationMs: number;
    /** Leads that the suppression list keeps from being dialled. */
    readonly suppressed: number;
  },
): Promise<SampleReport> {
  const { pool } = platform.database;
  const calls = await pool.query<CallFact>(
    `SELECT id, outcome, grade, phone, recording IS NOT NULL AS recorded, answered_ms IS NOT NULL AS answered,
       voice_to_voice_ms AS latencies FROM calls WHERE campaign_id = $1 ORDER BY id`,
    [o.campaignId],
  );
  const leads = await pool.query<{
    state: string;
    grade: string | null;
    outcome: string | null;
    phone: string;
    attempts: number;
  }>(
    `SELECT l.state, l.grade, l.last_outcome AS outcome, c.phone, l.attempt_count AS attempts FROM leads l
       JOIN contacts c ON c.id = l.contact_id WHERE l.campaign_id = $1`,
    [o.campaignId],
  );
  const log = readCallLog(o.logFile);
  const ended = new Map(
    log.flatMap((line): [string, EndedLine][] => (line.type === 'ended' ? [[line.callId, line]] : [])),
  );
  const mismatches: Mismatch[] = [];
  for (const call of calls.rows) {
    const truth = ended.get(call.id);
    const expected = truth?.expectedOutcome ?? 'lost';
    if (expected !== call.outcome)
      mismatches.push({ kind: 'outcome', attemptId: call.id, expected, actual: call.outcome });
    if (call.answered && !call.recorded)
      mismatches.push({ kind: 'missing-recording', attemptId: call.id, expected: 'recording', actual: 'none' });
  }
  const recorded = new Set(calls.rows.map(({ id }) => id));
  const invited = new Map<string, number>();
  for (const line of log) if (line.type === 'invite') invited.set(line.callId, (invited.get(line.callId) ?? 0) + 1);
  for (const [callId, times] of invited) {
    if (times > 1) mismatches.push({ kind: 'dialled-twice', attemptId: callId, expected: '1', actual: String(times) });
    if (!recorded.has(callId))
      mismatches.push({ kind: 'missing-record', attemptId: callId, expected: 'call record', actual: 'none' });
  }
  const truths = leadExpectations(log);
  const expectedGrades: Record<string, number> = {};
  let graded = 0;
  for (const lead of leads.rows) {
    if (lead.state !== 'done')
      mismatches.push({ kind: 'unended-lead', attemptId: '', expected: 'done', actual: lead.state });
    const truth = truths.get(nationalNumber(lead.phone));
    // What the callee did may not fix a grade; then ours is taken as it is.
    const expected = truth === undefined ? 'F' : (truth.grade ?? lead.grade ?? 'F');
    expectedGrades[expected] = (expectedGrades[expected] ?? 0) + 1;
    if (truth?.outcome !== 'answered' || truth.grade === undefined) continue;
    graded++;
    if (truth.grade !== lead.grade)
      mismatches.push({
        kind: 'grade',
        attemptId: lastCallOf(calls.rows, lead.phone),
        expected: truth.grade,
        actual: lead.grade ?? 'none',
      });
  }
  const undialled = leads.rows.filter(({ attempts }) => attempts === 0);
  const outcomes = tally([
    ...calls.rows.map(({ outcome }) => outcome),
    ...undialled.map(({ outcome }) => outcome ?? 'none'),
  ]);
  const expectedOutcomes = tally([
    ...calls.rows.map(({ id }) => ended.get(id)?.expectedOutcome ?? 'lost'),
    ...Array.from({ length: o.suppressed }, () => 'suppressed'),
  ]);
  const latencies = calls.rows.flatMap(({ latencies }) => latencies ?? []).toSorted((a, b) => a - b);
  const wrongGrades = mismatches.filter(({ kind }) => kind === 'grade').length;
  return {
    contacts: o.imported.rows,
    imported: o.imported.imported + o.imported.merged,
    rejected: o.imported.rejected,
    attempts: calls.rows.length,
    calls: calls.rows.filter(({ answered }) => answered).length,
    outcomes,
    grades: tally(leads.rows.map(({ grade }) => grade ?? 'F')),
    expected: { outcomes: expectedOutcomes, grades: sorted(expectedGrades) },
    mismatches,
    gradedConversations: graded,
    redialled: leads.rows.filter(({ attempts }) => attempts > 1).length,
    maxConcurrentCalls: o.maxConcurrentCalls,
    recordings: calls.rows.filter(({ recorded }) => recorded).length,
    durationMs: Math.round(o.durationMs),
    turnLatencyMs: { p50: percentile(latencies, 0.5), p95: percentile(latencies, 0.95) },
    passed:
      mismatches.length === wrongGrades &&
      wrongGrades <= graded * (1 - GRADE_RATIO) &&
      same(outcomes, expectedOutcomes),
  };
}

function lastCallOf(calls: readonly CallFact[], phone: string): string {
  return calls.findLast((call) => call.phone === phone)?.id ?? '';
}

function tally(values: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return sorted(counts);
}

function sorted(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)));
}

function same(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function percentile(values: readonly number[], at: number): number | null {
  return values[Math.min(values.length - 1, Math.floor(values.length * at))] ?? null;
}
