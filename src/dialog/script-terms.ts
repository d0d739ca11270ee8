import type { GlobalKind, NodeType, SlotKind } from '#domain/script.ts';
import { GRADES } from '#domain/outcome.ts';

/** Every kind of slot. */
export const SLOT_KINDS = [
  'amount',
  'date',
  'time',
  'date-time',
  'yes-no',
  'phone',
  'number',
  'choice',
] as const satisfies readonly SlotKind[];

/** Every type of node. */
export const NODE_TYPES = [
  'start',
  'say',
  'collect',
  'condition',
  'transfer',
  'jump',
  'end',
] as const satisfies readonly NodeType[];

/** Every situation that is handled everywhere in a script. */
export const GLOBAL_KINDS = [
  'silence',
  'unrecognised',
  'refuse',
  'repeat',
  'busy',
  'opt-out',
  'want-human',
  'voicemail',
  'call-assistant',
  'clarify',
] as const satisfies readonly GlobalKind[];

/** Grades a script may give. */
export const OUTCOME_GRADES = GRADES;

/** The fixed meanings of a branch. */
export const MEANINGS = ['positive', 'negative', 'refuse', 'neutral', 'unmatched'] as const;

/** Slot whose value is the call-back the callee asked for. */
export const CALL_BACK_SLOT = 'callBackTime';
