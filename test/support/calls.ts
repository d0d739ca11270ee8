import type { Attempt, FinishedCall } from '#domain/call.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import { decideOutcome } from '#outcomes/decide.ts';
import { recordCall } from '#outcomes/store.ts';
import type { Bus } from '#platform/bus.ts';
import type { Db } from '#platform/db/database.ts';
import { newId } from '#platform/id.ts';
import { EMPTY_SCRIPT } from './campaign.ts';

/** Commits a finished call with every part that a call can have, changed by `attempt` and `finished`. */
export async function seedCall(
  db: Db,
  o: {
    readonly at: Date;
    readonly bus?: Bus;
    readonly attempt?: Partial<Attempt>;
    readonly finished?: Partial<FinishedCall>;
  },
): Promise<Attempt> {
  const attempt: Attempt = {
    id: newId<'attempt'>(o.at),
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
    createdAt: o.at,
    ...o.attempt,
  };
  const finished: FinishedCall = {
    attemptId: attempt.id,
    dialedAt: o.at,
    endedAt: new Date(o.at.getTime() + 30_000),
    ringMs: 800,
    answeredMs: 5000,
    talkMs: 20_000,
    hangupBy: 'callee',
    sipStatus: 200,
    sipReason: undefined,
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
      callBackAt: new Date(o.at.getTime() + 86_400_000),
    },
    timeline: [
      { type: 'progress', atMs: 100, status: 183, earlyMedia: true },
      { type: 'tone', atMs: 200, label: 'ringback', confidence: 0.9 },
      { type: 'answered', atMs: 5000 },
      { type: 'dtmf', atMs: 6000, digit: '1' },
      { type: 'barge-in', atMs: 7000, action: 'duck' },
      { type: 'decision', atMs: 8000, node: 'a', reason: 'intent yes' },
      { type: 'slot', atMs: 9000, name: 'date', value: '5号' },
      { type: 'ended', atMs: 25_000, by: 'callee', detail: 'BYE' },
    ],
    turns: [
      {
        index: 0,
        speaker: 'platform',
        startMs: 5100,
        endMs: 7000,
        text: '您好',
        interrupted: false,
        node: 'a',
        intent: undefined,
        latency: { voiceToVoiceMs: 300, endOfTurnMs: 200, thinkMs: 20, playoutMs: 80 },
      },
      {
        index: 1,
        speaker: 'callee',
        startMs: 7100,
        endMs: 8000,
        text: '好的',
        interrupted: false,
        node: undefined,
        intent: 'yes',
        latency: undefined,
      },
    ],
    recording: undefined,
    media: {
      codec: 'PCMA',
      packetsSent: 1,
      packetsReceived: 2,
      packetsLost: 0,
      packetsLate: 0,
      jitterMs: 1.5,
      lossBurstRatio: 1.2,
      longestLossPackets: 3,
      roundTripMs: 40,
      remoteLossRatio: undefined,
      remoteJitterMs: undefined,
      mos: 4.2,
      remoteMos: undefined,
    },
    ...o.finished,
  };
  await recordCall(db, attempt, finished, decideOutcome(finished), o.bus);
  return attempt;
}
