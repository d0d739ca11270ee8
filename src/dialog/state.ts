import type { GradeCode } from '#domain/outcome.ts';
import type { BargePolicy, GlobalKind } from '#domain/script.ts';
import type { HangupSide } from '#domain/call.ts';
import type { TransferFailure, TransferKind } from '#domain/transfer.ts';
import type { CompiledScript } from './compile.ts';

/** One piece of an utterance: fixed text and inserted values stay apart, so that fixed phrases come from the cache. */
export interface SpeechPart {
  readonly text: string;
  readonly audio?: string;
}

/** What happens in a call, as the dialog sees it. `atMs` counts on the clock of the call's timeline. */
export type DialogEvent =
  | { readonly type: 'answered'; readonly atMs: number }
  | { readonly type: 'heard'; readonly text: string; readonly atMs: number }
  | { readonly type: 'no-reply'; readonly atMs: number }
  | { readonly type: 'spoken'; readonly interrupted: boolean; readonly playedText: string; readonly atMs: number }
  | { readonly type: 'dtmf'; readonly digit: string; readonly atMs: number }
  /** Said or typed, or a key pressed, while the callee waits for somebody else or talks with them. */
  | { readonly type: 'overheard'; readonly text: string; readonly isKey: boolean; readonly atMs: number }
  | { readonly type: 'detected'; readonly kind: 'voicemail' | 'call-assistant' | 'fax'; readonly atMs: number }
  /** The callee waits for somebody whom an operator or the script called. */
  | { readonly type: 'transfer-started'; readonly atMs: number }
  | { readonly type: 'transfer-answered'; readonly atMs: number }
  /** Their line takes the callee elsewhere and will not say what comes of it. */
  | { readonly type: 'handed-over'; readonly atMs: number }
  /** Without a reason: nobody was there to be asked. */
  | { readonly type: 'transfer-failed'; readonly reason?: TransferFailure; readonly atMs: number }
  /** Whom the callee was put through to has hung up. */
  | { readonly type: 'transfer-ended'; readonly atMs: number }
  /** A mailbox's tone is over: what is said now is recorded. */
  | { readonly type: 'beep'; readonly atMs: number }
  /** The tone that was awaited has not come. */
  | { readonly type: 'no-beep'; readonly atMs: number }
  | { readonly type: 'hung-up'; readonly by: HangupSide | 'operator'; readonly atMs: number }
  | { readonly type: 'time-limit'; readonly atMs: number };

/** What the call has to do. `hang-up` and `transfer` take place after what is being said has been played. */
export type DialogEffect =
  | {
      readonly type: 'say';
      readonly node: string;
      readonly intent?: string;
      readonly speech: readonly SpeechPart[];
      readonly barge: BargePolicy;
    }
  | { readonly type: 'listen'; readonly noReplyMs: number }
  | { readonly type: 'hang-up'; readonly reason: string }
  /** `outside` is undefined for the platform's own agents. */
  | { readonly type: 'transfer'; readonly to: string; readonly outside?: OutsideTarget }
  /** A mailbox greets: stop speaking, and report its tone, or after `maxMs` that none came. */
  | { readonly type: 'await-beep'; readonly maxMs: number }
  | { readonly type: 'suppress' }
  | { readonly type: 'tag'; readonly tag: string }
  | { readonly type: 'slot'; readonly name: string; readonly value: string }
  | { readonly type: 'decision'; readonly node: string; readonly reason: string }
  | { readonly type: 'call-back'; readonly at: Date };

/** An outside number or PBX that takes a call. */
export interface OutsideTarget {
  readonly target: string;
  readonly kind: TransferKind;
  readonly ringSeconds?: number;
}

/** A filled slot: the value for machines and what the callee is told. */
export interface SlotValue {
  readonly value: string;
  readonly spoken: string;
}

/** Everything a dialog remembers; plain JSON, so that a call can be stored, replayed and resumed. */
export interface DialogData {
  readonly scriptId: string;
  readonly scriptVersion: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly timeZone: string;
  readonly agents: boolean;
  /** `beep`: a mailbox greets and its tone is awaited; `closing`: the last words are being said; `ended`: nothing will be said any more. */
  readonly phase: 'idle' | 'speaking' | 'listening' | 'beep' | 'closing' | 'transferring' | 'ended';
  readonly answeredMs: number;
  readonly lastMs: number;
  readonly node: string;
  /** The question that is open: `node`'s own, or one that a handler asked. */
  readonly saysInFlight: number;
  readonly lastSpeech: readonly SpeechPart[];
  readonly lastInterrupted: boolean;
  /** Heard while the platform spoke and not acted on: taken as the reply if the utterance ends at once. */
  readonly early: { readonly text: string; readonly atMs: number } | null;

  readonly visits: Readonly<Record<string, number>>;
  readonly asks: Readonly<Record<string, number>>;
  readonly globalUses: Readonly<Partial<Record<GlobalKind, number>>>;
  readonly knowledgeHits: Readonly<Record<string, number>>;
  readonly slots: Readonly<Record<string, SlotValue>>;
  readonly tags: readonly string[];
  readonly path: readonly string[];
  readonly intents: readonly string[];
  readonly dtmf: string;
  readonly rounds: number;
  readonly score: number;
  readonly refusals: number;
  readonly positives: number;
  readonly negatives: number;
  readonly silences: number;
  readonly consecutiveSilences: number;
  /** Since when the script waits for a transfer, and who asked for that; null while it talks. */
  readonly held: { readonly sinceMs: number; readonly by: 'script' | 'operator' } | null;
  /** What the script waited in all: it does not count against its own limits. */
  readonly heldMs: number;
  readonly endReason: string;
  readonly optedOut: boolean;
  readonly machine: 'voicemail' | 'call-assistant' | 'fax' | null;
  readonly callBackAt: string | null;
}

/** A dialog in progress: the script it follows and what it remembers. */
export interface DialogState {
  readonly script: CompiledScript;
  readonly data: DialogData;
}

/** A grade with the sentence that explains it. */
export interface Graded {
  readonly grade: GradeCode;
  readonly reason: string;
}
