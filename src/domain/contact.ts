import type { CampaignId, ContactId, ImportId, LeadId } from './ids.ts';
import type { LocalText } from './text.ts';
import type { PhoneNumber } from './phone.ts';
import type { GradeCode, OutcomeCode } from './outcome.ts';

/** A person who can be called; unique by number. */
export interface Contact {
  readonly id: ContactId;
  readonly phone: PhoneNumber;
  readonly name: string;
  /** Extra columns of the file, by column name; the variables a script may use. */
  readonly attributes: Readonly<Record<string, string>>;
  /** IANA zone of the callee, from the number; undefined means unknown, which denies every calling window. */
  readonly timeZone: string | undefined;
  readonly createdAt: Date;
}

/** `dialing` is the only state in which an attempt of the lead may be open. */
export const LEAD_STATES = ['pending', 'dialing', 'waiting', 'done'] as const;
export type LeadState = (typeof LEAD_STATES)[number];

/** Why a lead is not dialled now; `due` means that it only waits for its turn. */
export const HOLD_REASONS = [
  'due',
  'in-call',
  'retry-delay',
  'outside-window',
  'unknown-time-zone',
  'campaign-not-running',
  'concurrency-limit',
  'rate-limit',
  'trunk-unavailable',
  'platform-busy',
  'daily-cap',
  'suppressed',
  'completed',
  'attempts-exhausted',
  'not-retryable',
  'opted-out',
  'cancelled',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** A contact within one campaign. */
export interface Lead {
  readonly id: LeadId;
  readonly campaignId: CampaignId;
  readonly contactId: ContactId;
  readonly state: LeadState;
  readonly attemptCount: number;
  readonly nextAttemptAt: Date | undefined;
  readonly reason: HoldReason;
  readonly lastOutcome: OutcomeCode | undefined;
  readonly grade: GradeCode | undefined;
}

/** A row of an import file that was not taken over; `row` counts from 1 including the header. */
export interface RejectedRow {
  readonly row: number;
  readonly value: string;
  readonly code: 'missing-phone' | 'invalid-phone' | 'duplicate-in-file' | 'malformed-row' | 'value-too-long';
  readonly reason: LocalText;
}

/** What one import did. Contacts already known are updated and counted as `merged`, not rejected. */
export interface ImportReport {
  readonly id: ImportId;
  readonly fileName: string;
  readonly rows: number;
  readonly imported: number;
  readonly merged: number;
  readonly rejected: number;
  readonly encoding: 'utf-8' | 'gb18030' | 'utf-16le';
  readonly durationMs: number;
}
