import { Type } from 'typebox';
import type { CallingWindow } from '#domain/campaign.ts';
import { CAMPAIGN_STATES } from '#domain/campaign.ts';
import { HOLD_REASONS, LEAD_STATES } from '#domain/contact.ts';
import { GRADES, OUTCOME_CODES } from '#domain/outcome.ts';
import { allCountsOf, countsOf, flag, language, number, oneOf, orNull, text, time, uuid } from './basic.ts';

const callingWindow = Type.Object({
  weekday: Type.Unsafe<CallingWindow['weekday']>({ type: 'integer', minimum: 1, maximum: 7 }),
  startMinute: number,
  endMinute: number,
});

const redialRule = Type.Object({
  outcome: oneOf(OUTCOME_CODES),
  delaysSeconds: Type.Array(number),
  maxRetries: number,
});

const campaignSettings = Type.Object({
  windows: Type.Array(callingWindow),
  redial: Type.Array(redialRule),
  maxAttempts: number,
  dailyCap: number,
  callBacks: oneOf(['redial', 'record']),
  maxConcurrentCalls: number,
  maxCallsPerSecond: number,
  ringTimeoutMs: number,
  trunk: text,
  callerNumber: text,
});

const campaignCounts = Type.Object({
  leads: allCountsOf(LEAD_STATES),
  outcomes: countsOf(OUTCOME_CODES),
  grades: countsOf(GRADES),
  reasons: countsOf(HOLD_REASONS),
  attempts: number,
});

export const campaignView = Type.Object({
  id: uuid,
  name: text,
  state: oneOf(CAMPAIGN_STATES),
  script: Type.Object({ id: uuid, name: text, version: number }),
  settings: campaignSettings,
  counts: campaignCounts,
  createdAt: time,
  startedAt: orNull(time),
  finishedAt: orNull(time),
});

/** Settings are checked by `#campaigns/settings.ts`, which reports every problem at once. */
export const newCampaign = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    scriptId: uuid,
    settings: Type.Unsafe<object>({ type: 'object' }),
    importIds: Type.Array(uuid, { maxItems: 100 }),
  },
  { additionalProperties: false },
);

export const campaignAction = Type.Object(
  { action: oneOf(['start', 'pause', 'resume', 'cancel']) },
  { additionalProperties: false },
);

export const leadView = Type.Object({
  id: uuid,
  name: text,
  phone: text,
  state: oneOf(LEAD_STATES),
  attempts: number,
  nextAttemptAt: orNull(time),
  reason: oneOf(HOLD_REASONS),
  lastOutcome: orNull(oneOf(OUTCOME_CODES)),
  grade: orNull(oneOf(GRADES)),
});

export const scriptSummary = Type.Object({
  id: uuid,
  key: text,
  name: text,
  language,
  publishedVersion: orNull(number),
  variables: Type.Array(Type.Object({ name: text, label: text, required: flag })),
});

const trunkState = Type.Object({
  registration: Type.Enum(['off', 'trying', 'registered', 'failed']),
  registrationError: orNull(text),
  callsInFlight: number,
  servers: Type.Array(
    Type.Object({
      server: text,
      reachable: Type.Enum(['unknown', 'up', 'down']),
      callsInFlight: number,
      lastError: orNull(text),
      lastErrorAt: orNull(text),
    }),
  ),
});

export const trunkSummary = Type.Object({
  name: text,
  members: Type.Optional(Type.Array(text)),
  hold: Type.Optional(
    Type.Object({
      reason: Type.Enum(['unreachable', 'not-registered']),
      text: Type.Object({ zh: text, en: text }),
    }),
  ),
  state: Type.Optional(trunkState),
  callerNumbers: Type.Array(text),
  channels: number,
  callsPerSecond: number,
});

export const campaignDefaults = Type.Object({
  windows: Type.Array(callingWindow),
  settings: campaignSettings,
  trunks: Type.Array(trunkSummary),
});
