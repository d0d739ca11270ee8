import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, FinishedCall } from '#domain/call.ts';
import type { AttemptId, CampaignId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { openBus } from '#platform/bus.ts';
import { newId } from '#platform/id.ts';
import { silentLog } from '#platform/log.ts';
import { EMPTY_SCRIPT } from '../../test/support/campaign.ts';
import { testDatabase } from '../../test/support/database.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { getCall, listCalls, recordingPath } from './calls.ts';
import { callsCsv, csvLine } from './csv.ts';
import { decideOutcome } from './decide.ts';
import { callExists, findOutcomes, recordCall } from './store.ts';

const NOW = new Date('2026-11-05T02:00:00.000Z');
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database.close();
});

function attemptAt(at: Date, o: Partial<Attempt> = {}): Attempt {
  return {
    id: newId<'attempt'>(at),
    campaignId: undefined,
    leadId: undefined,
    contactId: undefined,
    number: 1,
    phone: '+8613800000000' as PhoneNumber,
    callerNumber: '+862100000000',
    timeZone: 'Asia/Shanghai',
    trunk: 'main',
    ringTimeoutMs: 30_000,
    script: EMPTY_SCRIPT,
    variables: { name: '王女士' },
    createdAt: at,
    ...o,
  };
}

function call(attempt: Attempt, o: Partial<FinishedCall> = {}): FinishedCall {
  return {
    attemptId: attempt.id,
    dialedAt: attempt.createdAt,
    endedAt: new Date(attempt.createdAt.getTime() + 30_000),
    ringMs: 812.4,
    answeredMs: 5000.2,
    talkMs: 20_000.7,
    hangupBy: 'callee',
    sipStatus: 200,
    sipReason: 'Q.850;cause=16',
    outcome: 'answered',
    evidence: [{ kind: 'final-code', detail: 'SIP;status=200', suggests: 'answered', confidence: 0.9 }],
    dialog: {
      grade: 'B',
      gradeReason: '有意向',
      tags: ['回访'],
      slots: { date: '5号' },
      nodes: ['a'],
      intents: [],
      rounds: 1,
      score: 3,
      endReason: 'end',
      optedOut: false,
      callBackAt: new Date('2026-11-06T02:00:00.000Z'),
    },
    timeline: [
      { type: 'progress', atMs: 100.4, status: 183, earlyMedia: true },
      { type: 'answered', atMs: 5000 },
      { type: 'slot', atMs: 9000, name: 'date', value: '5\u0000号' },
    ],
    turns: [
      {
        index: 0,
        speaker: 'platform',
        startMs: 5100.6,
        endMs: 8000,
        text: '您好',
        interrupted: false,
        node: 'a',
        intent: undefined,
        latency: undefined,
      },
      {
        index: 1,
        speaker: 'callee',
        startMs: 8100,
        endMs: 9000,
        text: String.raw`好\u0000的` + '\u0000',
        interrupted: false,
        node: undefined,
        intent: 'yes',
        latency: { voiceToVoiceMs: 320.5, endOfTurnMs: 200, thinkMs: 20, playoutMs: 100 },
      },
    ],
    recording: {
      path: '2026/11/a.wav',
      durationMs: 25_000,
      bytes: 400_000,
      peaks: { perSecond: 10, callee: [1, 2], platform: [3] },
    },
    media: {
      codec: 'PCMA',
      packetsSent: 1,
      packetsReceived: 2,
      packetsLost: 0,
      packetsLate: 0,
      jitterMs: 1.5,
      lossBurstRatio: 1,
      longestLossPackets: 0,
      roundTripMs: 21.5,
      remoteLossRatio: 0.01,
      remoteJitterMs: 2,
      mos: 4.37,
      remoteMos: 4.2,
    },
    ...o,
  };
}

async function record(attempt: Attempt, finished: FinishedCall): Promise<boolean> {
  return await recordCall(database.db, attempt, finished, decideOutcome(finished));
}

describe('call records', () => {
  it('tells calls that came in from those that were placed, and lists a caller without a number', async () => {
    const attempt: Attempt = { ...attemptAt(NOW), direction: 'inbound', phone: '', contactId: undefined };
    await record(attempt, call(attempt));
    const inbound = await listCalls(database.db, { direction: 'inbound' });
    expect(inbound.items).toMatchObject([{ id: attempt.id, direction: 'inbound', phone: '' }]);
    const outbound = await listCalls(database.db, { direction: 'outbound' });
    expect(outbound.items.map(({ id }) => id)).not.toContain(attempt.id);
    const lines: string[] = [];
    const options = { language: 'en', timeZone: 'UTC' } as const;
    for await (const line of callsCsv(database.db, { direction: 'inbound' }, options)) lines.push(line);
    expect(lines[0]).toContain(',Direction,');
    expect(lines.join('').match(/,Inbound,/g)).toHaveLength(1);
  });

  it('gives back everything that was recorded, with the number masked and the path kept inside', async () => {
    const attempt = attemptAt(NOW);
    const finished = call(attempt);
    await record(attempt, finished);
    const view = await getCall(database.db, attempt.id);
    expect(view).toMatchObject({
      name: '王女士',
      phone: '+86138****0000',
      outcome: 'answered',
      grade: 'B',
      tags: ['回访'],
      talkMs: 20_001,
      ringMs: 812,
      hangupBy: 'callee',
      slots: { date: '5号' },
      callBackAt: '2026-11-06T02:00:00.000Z',
      hasRecording: true,
      recording: { durationMs: 25_000, peaks: { perSecond: 10 } },
      media: { jitterMs: 1.5 },
    });
    expect(view.confidence).toBeCloseTo(0.9);
    expect(view.dialog?.callBackAt).toEqual(new Date('2026-11-06T02:00:00.000Z'));
    expect(view.recording).not.toHaveProperty('path');
    expect(view.timeline).toEqual([
      { type: 'progress', atMs: 100, status: 183, earlyMedia: true },
      { type: 'answered', atMs: 5000 },
      { type: 'slot', atMs: 9000, name: 'date', value: '5号' },
    ]);
    expect(view.turns.map((turn) => turn.text)).toEqual(['您好', String.raw`好\u0000的`]);
    expect(view.turns[1]?.latency).toEqual(finished.turns[1]?.latency);
    expect(await recordingPath(database.db, attempt.id)).toBe('2026/11/a.wav');
    const outcomes = await findOutcomes(database.db, [attempt.id]);
    expect(outcomes.get(attempt.id)).toMatchObject({ code: 'answered', grade: 'B', endedAt: finished.endedAt });
  });

  it('records a call once, with one row for other systems, however often it is told', async () => {
    const attempt = attemptAt(NOW);
    const bus = openBus(silentLog);
    const told: unknown[] = [];
    bus.subscribe('call-recorded', (event) => void told.push(event));
    const finished = call(attempt);
    const outcome = decideOutcome(finished);
    expect(await callExists(database.db, attempt.id)).toBe(false);
    const results = await Promise.all([1, 2, 3].map(() => recordCall(database.db, attempt, finished, outcome, bus)));
    expect(results.filter(Boolean)).toEqual([true]);
    expect(told).toEqual([{ attemptId: attempt.id, campaignId: undefined }]);
    expect((await getCall(database.db, attempt.id)).turns.length).toBe(2);
    const rows = await sql`SELECT topic FROM outbox WHERE payload->>'callId' = ${attempt.id}`.execute(database.db);
    expect(rows.rows).toEqual([{ topic: 'call.recorded' }]);
  });

  it('knows no call that was never made', async () => {
    await expect(getCall(database.db, newId<'attempt'>(NOW))).rejects.toMatchObject({ code: 'not-found' });
    await expect(getCall(database.db, "1' OR true --")).rejects.toMatchObject({ code: 'not-found' });
  });

  it('pages newest first through what the filters leave, without gaps or doubles', async () => {
    const campaignId = newId<'campaign'>(NOW) as CampaignId;
    const ids: AttemptId[] = [];
    for (let n = 0; n < 23; n += 1) {
      const at = new Date(NOW.getTime() + n * 60_000);
      const phone = `+86139000000${String(n).padStart(2, '0')}` as PhoneNumber;
      const attempt = attemptAt(at, { campaignId, phone });
      ids.unshift(attempt.id);
      const reached = n % 2 === 0;
      await record(
        attempt,
        call(attempt, reached ? {} : { outcome: 'busy', answeredMs: undefined, dialog: undefined, talkMs: 0 }),
      );
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listCalls(database.db, { campaignId, limit: 5, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.total).toBe(23);
      seen.push(...page.items.map((item) => item.id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);

    const total = async (filter: Parameters<typeof listCalls>[1]) =>
      (await listCalls(database.db, { campaignId, ...filter })).total;
    expect(await total({ outcome: 'busy' })).toBe(11);
    expect(await total({ grade: 'B' })).toBe(12);
    expect(await total({ minTalkSeconds: 20 })).toBe(12);
    expect(await total({ phone: '+8613900000007' })).toBe(1);
    expect(await total({ phone: '1390000000' })).toBe(10);
    expect(await total({ phone: '%' })).toBe(0);
    const from = new Date(NOW.getTime() + 10 * 60_000);
    expect(await total({ from, to: new Date(from.getTime() + 5 * 60_000) })).toBe(5);
  });

  it('exports every call of a filter in the language asked for, over many pages', async () => {
    const campaignId = newId<'campaign'>(NOW) as CampaignId;
    await sql`
      INSERT INTO calls (id, campaign_id, phone, name, outcome, confidence, grade, grade_reason, hangup_by, dialed_at,
        ended_at, talk_ms)
      SELECT gen_random_uuid(), ${campaignId}::uuid, '+8613800000000', '=cmd|''/C calc''!A0', 'busy', 1, 'F', 'r', 'network',
        ${NOW}, ${NOW}, 0 FROM generate_series(1, 2100)`.execute(database.db);
    const read = async (language: 'zh' | 'en', fullPhones: boolean) => {
      let text = '';
      const options = { language, timeZone: 'Asia/Shanghai', fullPhones };
      for await (const chunk of callsCsv(database.db, { campaignId }, options)) text += chunk;
      return text.trimEnd().split('\r\n');
    };
    const zh = await read('zh', false);
    expect(zh.length).toBe(2101);
    expect(new Set(zh).size).toBe(2101);
    expect(zh[0]).toMatch(/^\uFEFF拨打时间,/);
    expect(zh[1]).toContain("2026-11-05 10:00:00,,'=cmd|'/C calc'!A0,'+86138****0000,占线,F,未触达,");
    const en = await read('en', true);
    expect(en[0]).toContain('Dialled at');
    expect(en[1]).toContain("'+8613800000000,Busy,F,Not reached,");
  });
});

describe('a CSV line', () => {
  it('quotes what needs quotes and disarms formulas', () => {
    expect(csvLine(['a,b', 'say "hi"', 'two\nlines', 'plain'])).toBe('"a,b","say ""hi""","two\nlines",plain\r\n');
    for (const start of ['=', '+', '-', '@', '\t', ' =']) {
      expect(
        csvLine([`${start}1`])
          .replace(/^"/, '')
          .startsWith("'"),
      ).toBe(true);
    }
  });
});
