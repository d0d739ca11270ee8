import { Type } from 'typebox';
import { CALL_DIRECTIONS } from '#domain/call.ts';
import type { TimelineEvent } from '#domain/call.ts';
import { GRADES, OUTCOME_CODES } from '#domain/outcome.ts';
import { LISTENER_ROLES, TRANSFER_KINDS, TRANSFER_RESULTS } from '#domain/transfer.ts';
import { flag, language, limit, number, oneOf, orNull, recordOf, text, textByKey, time, uuid } from './basic.ts';

const outcome = oneOf(OUTCOME_CODES);
const grade = oneOf(GRADES);
const direction = oneOf(CALL_DIRECTIONS);

/** A talk of a day is longer than any call. */
const MAX_TALK_S = 86_400;

const filters = {
  direction: Type.Optional(direction),
  campaignId: Type.Optional(uuid),
  outcome: Type.Optional(outcome),
  grade: Type.Optional(grade),
  phone: Type.Optional(Type.String({ maxLength: 32 })),
  from: Type.Optional(time),
  to: Type.Optional(time),
  minTalkSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: MAX_TALK_S })),
};
const page = { cursor: Type.Optional(uuid), limit: Type.Optional(limit) };

export const callQuery = Type.Object({ ...filters, ...page });
export const callCsvQuery = Type.Object({
  ...filters,
  ...page,
  language: Type.Optional(language),
  timeZone: Type.Optional(Type.String({ maxLength: 64 })),
});

export const singleCall = Type.Object(
  {
    number: Type.String({ minLength: 1, maxLength: 40 }),
    scriptId: uuid,
    variables: Type.Optional(recordOf(Type.String({ maxLength: 500 }), { maxProperties: 100 })),
    trunk: Type.Optional(Type.String({ maxLength: 200 })),
    callerNumber: Type.Optional(Type.String({ maxLength: 40 })),
  },
  { additionalProperties: false },
);

const summary = {
  id: uuid,
  direction,
  campaignId: orNull(uuid),
  campaignName: orNull(text),
  name: text,
  phone: text,
  outcome,
  grade,
  tags: Type.Array(text),
  dialedAt: time,
  talkMs: number,
  hangupBy: oneOf(['callee', 'platform', 'network']),
  hasRecording: flag,
};
export const callSummary = Type.Object(summary);

const evidence = Type.Object({
  kind: oneOf(['reason', 'early-media', 'final-code', 'timing', 'in-call', 'platform']),
  detail: text,
  suggests: outcome,
  confidence: number,
});

const dialogResult = Type.Object({
  grade,
  gradeReason: text,
  tags: Type.Array(text),
  slots: textByKey,
  nodes: Type.Array(text),
  intents: Type.Array(text),
  rounds: number,
  score: number,
  endReason: text,
  optedOut: flag,
  callBackAt: Type.Optional(time),
});

const turn = Type.Object({
  index: number,
  speaker: oneOf(['callee', 'platform']),
  startMs: number,
  endMs: number,
  text,
  interrupted: flag,
  node: Type.Optional(text),
  intent: Type.Optional(text),
  latency: Type.Optional(
    Type.Object({ voiceToVoiceMs: number, endOfTurnMs: number, thinkMs: number, playoutMs: number }),
  ),
});

/** Flat, with the fields of every kind: what an older version recorded stays readable. */
const timelineEvent = Type.Unsafe<TimelineEvent>({
  type: 'object',
  required: ['type', 'atMs'],
  properties: {
    type: {
      type: 'string',
      enum: [
        'progress',
        'announcement',
        'tone',
        'trunk',
        'answered',
        'dtmf',
        'attestation',
        'barge-in',
        'decision',
        'tag',
        'slot',
        'transfer',
        'listen',
        'hang-up',
        'ended',
      ] satisfies TimelineEvent['type'][],
    },
    atMs: { type: 'number' },
    status: { type: 'integer' },
    earlyMedia: { type: 'boolean' },
    confidence: { type: 'number' },
    talkMs: { type: 'number' },
    ...Object.fromEntries(
      [
        'label',
        'digit',
        'action',
        'node',
        'reason',
        'tag',
        'name',
        'value',
        'by',
        'detail',
        'kind',
        'target',
        'role',
        'trunk',
        'server',
        'outcome',
        'next',
      ].map((field) => [field, { type: 'string' }]),
    ),
  },
});

export const transferRecord = Type.Object({
  kind: oneOf(TRANSFER_KINDS),
  target: text,
  result: oneOf(TRANSFER_RESULTS),
  talkMs: number,
});

const peaks = Type.Object({ perSecond: number, callee: Type.Array(number), platform: Type.Array(number) });

const media = Type.Object({
  codec: oneOf(['PCMA', 'PCMU', 'G722', 'opus']),
  packetsSent: number,
  packetsReceived: number,
  packetsLost: number,
  packetsLate: number,
  jitterMs: number,
  lossBurstRatio: Type.Optional(number),
  longestLossPackets: Type.Optional(number),
  roundTripMs: Type.Optional(number),
  remoteLossRatio: Type.Optional(number),
  remoteJitterMs: Type.Optional(number),
  mos: Type.Optional(number),
  remoteMos: Type.Optional(number),
});

export const callView = Type.Object({
  ...summary,
  confidence: number,
  gradeReason: text,
  evidence: Type.Array(evidence),
  slots: textByKey,
  ringMs: orNull(number),
  answeredMs: orNull(number),
  endedAt: time,
  sipStatus: orNull(number),
  sipReason: orNull(text),
  callBackAt: orNull(time),
  optedOut: flag,
  dialog: orNull(dialogResult),
  turns: Type.Array(turn),
  timeline: Type.Array(timelineEvent),
  transfer: orNull(transferRecord),
  recording: orNull(Type.Object({ durationMs: number, bytes: number, peaks })),
  media: orNull(media),
  legs: Type.Array(
    Type.Object({
      role: oneOf(['agent', ...LISTENER_ROLES]),
      target: text,
      joinedMs: number,
      leftMs: number,
      media: Type.Optional(media),
    }),
  ),
});

export const liveCall = Type.Object({
  id: uuid,
  direction,
  campaignId: orNull(uuid),
  name: text,
  phone: text,
  state: oneOf(['dialing', 'ringing', 'talking']),
  sinceAt: time,
  lastText: text,
});
