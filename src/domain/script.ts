import type { GradeCode } from './outcome.ts';
import type { Language } from './text.ts';
import type { TransferFailure, TransferKind } from './transfer.ts';

/** A script (话术): one versioned document. Its JSON Schema is `src/dialog/script.schema.json`. */
export interface Script {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly language: Language;
  readonly variables: readonly ScriptVariable[];
  readonly intents: readonly Intent[];
  readonly nodes: readonly ScriptNode[];
  readonly knowledge: readonly Knowledge[];
  readonly globals: readonly GlobalHandler[];
  readonly grades: readonly GradeRule[];
  readonly tags: readonly TagRule[];
  readonly settings: ScriptSettings;
  readonly examples: readonly ExampleConversation[];
}

export interface ScriptVariable {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'amount' | 'date' | 'time' | 'phone';
  readonly required: boolean;
  /** Used where a contact lacks the value; required variables without one make the lead undialable. */
  readonly fallback?: string;
}

/** How an utterance is recognised: any entry of any list suffices, `not` excludes. */
export interface Match {
  readonly exact?: readonly string[];
  readonly keywords?: readonly string[];
  readonly regex?: readonly string[];
  /** Compared by sound, tolerant of what recognisers mishear. */
  readonly pinyin?: readonly string[];
  readonly not?: readonly string[];
  readonly entity?: SlotKind;
}

export interface Intent {
  readonly id: string;
  readonly match: Match;
}

export type SlotKind = 'amount' | 'date' | 'time' | 'date-time' | 'yes-no' | 'phone' | 'number' | 'choice';

export interface Slot {
  readonly name: string;
  readonly kind: SlotKind;
  readonly required: boolean;
  readonly choices?: readonly { readonly value: string; readonly match: Match }[];
}

/** Text may hold `{variable}` and `{slot}`; `audio` names a recorded prompt and `text` then is its transcript. */
export interface Speech {
  readonly text: string;
  readonly audio?: string;
}

export interface BargePolicy {
  readonly mode: 'never' | 'always' | 'keywords' | 'semantic';
  readonly graceMs: number;
  readonly keywords?: readonly string[];
  /** Acknowledgements that do not interrupt, beside the built-in ones. */
  readonly ignoreWords: readonly string[];
}

export type NodeType = 'start' | 'say' | 'collect' | 'condition' | 'transfer' | 'jump' | 'end';

export interface Branch {
  /** One of the fixed meanings or an intent's id. */
  readonly meaning: 'positive' | 'negative' | 'refuse' | 'neutral' | 'unmatched' | (string & {});
  readonly match?: Match;
  /** For condition nodes: expression over variables and slots. */
  readonly when?: string;
  readonly next: string;
  readonly tags?: readonly string[];
}

export interface ScriptNode {
  readonly id: string;
  readonly type: NodeType;
  readonly stage: string;
  /** One per visit, the last one repeats. */
  readonly speech: readonly Speech[];
  readonly barge?: BargePolicy;
  readonly branches: readonly Branch[];
  readonly unmatched?: { readonly short?: string; readonly long?: string };
  readonly noReplyMs?: number;
  readonly slots?: readonly Slot[];
  readonly maxVisits: number;
  readonly scoreDelta: number;
  readonly tags?: readonly string[];
  /** Where `jump` and speech-only nodes go. */
  readonly next?: string;
  /** For `transfer`: who is wanted, in the words of the agents' skills. */
  readonly transferTo?: string;
  /** For `transfer`: the outside number or PBX that takes the call; the settings' one unless given. */
  readonly transfer?: ScriptTransfer;
}

/** Where a call is handed to, and what follows. The node's speech is said before; `next` follows a failure. */
export interface ScriptTransfer {
  /** A number, with `+` in international form and without as the trunk takes it, or a SIP URI; may hold `{variable}`. */
  readonly target: string;
  readonly kind: TransferKind;
  readonly ringSeconds?: number;
  /** Nodes for particular failures, before `next`. */
  readonly onFailure?: Readonly<Partial<Record<TransferFailure, string>>>;
  /** Node that goes on with the callee when the target has hung up; without it the call ends. */
  readonly after?: string;
}

export interface Knowledge {
  readonly id: string;
  readonly questions: readonly string[];
  readonly match: Match;
  readonly answers: readonly Speech[];
  readonly after: 'wait' | 'return' | 'transfer' | 'hangup';
  readonly maxHits: number;
  /** Node to go to when asked more often. */
  readonly onExceed?: string;
  readonly scoreDelta: number;
}

export type GlobalKind =
  | 'silence'
  | 'unrecognised'
  | 'refuse'
  | 'repeat'
  | 'busy'
  | 'opt-out'
  | 'want-human'
  | 'voicemail'
  | 'call-assistant'
  | 'clarify';

export interface GlobalHandler {
  readonly kind: GlobalKind;
  readonly match?: Match;
  readonly speech: readonly Speech[];
  readonly action: 'stay' | 'jump' | 'hangup' | 'transfer';
  readonly next?: string;
  /** Uses before `onExceed` (default: hang up with the last speech). */
  readonly max: number;
  readonly onExceed?: string;
  readonly tags?: readonly string[];
}

/** The lowest `priority` whose expression holds wins; its reason is stored with the call. */
export interface GradeRule {
  readonly code: GradeCode;
  readonly priority: number;
  readonly expression: string;
  readonly reason: string;
}

export interface TagRule {
  readonly tag: string;
  readonly expression: string;
}

export interface ScriptSettings {
  readonly maxRounds: number;
  readonly maxSeconds: number;
  readonly greetDelayMs: number;
  readonly endOfTurnMs: number;
  readonly bargeInMs: number;
  readonly noReply: { readonly waitMs: number; readonly reprompts: number; readonly hangupMs: number };
  /** Spoken first on every call; a publish without it fails. */
  readonly aiDisclosure: string;
  readonly voice: string;
  /** Takes the calls of whoever wants a person, and of transfer nodes without one of their own. */
  readonly transfer?: ScriptTransfer;
}

/** A conversation the script promises to have; run at publish. */
export interface ExampleConversation {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly turns: readonly { readonly callee: string; readonly expectNode?: string }[];
  readonly expectGrade: GradeCode;
  readonly expectTags?: readonly string[];
}
