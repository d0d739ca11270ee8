import type { AttemptId, CampaignId, ContactId, LeadId } from './ids.ts';
import type { PhoneNumber } from './phone.ts';
import type { Evidence, GradeCode, NetworkOutcome, OutcomeCode } from './outcome.ts';
import type { Script } from './script.ts';
import type { ListenerRole, TransferKind, TransferRecord } from './transfer.ts';

export const CALL_DIRECTIONS = ['outbound', 'inbound'] as const;
/** Who called: we a contact, or somebody one of our numbers. */
export type CallDirection = (typeof CALL_DIRECTIONS)[number];

/**
 * One dial that compliance has allowed, as the dialer hands it on; its row is committed before the INVITE leaves. A call
 * that came in is one too, committed before it is answered.
 */
export interface Attempt {
  readonly id: AttemptId;
  /** Outbound unless said. */
  readonly direction?: CallDirection;
  readonly campaignId: CampaignId | undefined;
  readonly leadId: LeadId | undefined;
  readonly contactId: ContactId | undefined;
  /** 1 for a lead's first dial. */
  readonly number: number;
  /** The other side's number; for inbound calls the caller, '' where the number is not shown. */
  readonly phone: PhoneNumber | '';
  /** Our number: shown to the callee, or called. */
  readonly callerNumber: string;
  /** IANA zone of the callee, in which "tomorrow at three" is meant; undefined falls back to the platform's own. */
  readonly timeZone: string | undefined;
  readonly trunk: string;
  /** Set while other trunks may take the dial over from `trunk`, which may be done before a phone rings alone. */
  readonly standIns?: StandIns | undefined;
  readonly ringTimeoutMs: number;
  readonly script: Script;
  /** Values of the script's variables for this contact. */
  readonly variables: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

/** Which trunks may take a dial over. */
export interface StandIns {
  /** The group of trunks. */
  readonly group: string;
  /** The number that is to be shown, of which each trunk makes its own. */
  readonly callerNumber: string;
}

/** A trunk that did not take a dial, and what it answered. */
export interface FailedTrunk {
  readonly trunk: string;
  /** The last server that was tried, for example `udp:192.0.2.1:5060`; undefined where none was. */
  readonly server: string | undefined;
  /** The final response; undefined where there was none. */
  readonly status: number | undefined;
  readonly outcome: NetworkOutcome;
  /** Static text of the transport or of our own bounds. */
  readonly detail: string;
}

export type HangupSide = 'callee' | 'platform' | 'network';

/** Why the platform hung up where an operator ended the call; the timeline says who. */
export const HUNG_UP_BY_OPERATOR = 'hung-up-by-operator';

/** Milliseconds count from the moment the (first) INVITE left (`dialedAt`), on the media clock; the recording starts at `answeredMs`. */
export type TimelineEvent =
  | { readonly type: 'progress'; readonly atMs: number; readonly status: number; readonly earlyMedia: boolean }
  | { readonly type: 'announcement'; readonly atMs: number; readonly label: string; readonly confidence: number }
  | { readonly type: 'tone'; readonly atMs: number; readonly label: string; readonly confidence: number }
  /** A trunk did not take the dial, which went on to `next` within the same attempt. */
  | {
      readonly type: 'trunk';
      readonly atMs: number;
      readonly trunk: string;
      readonly server?: string;
      readonly status?: number;
      readonly outcome: NetworkOutcome;
      readonly detail: string;
      readonly next: string;
    }
  /** What the caller's carrier attests of the number (RFC 8588 §4), as it was read; nobody has checked the signature. */
  | { readonly type: 'attestation'; readonly atMs: number; readonly level: 'A' | 'B' | 'C' }
  | { readonly type: 'answered'; readonly atMs: number }
  | { readonly type: 'dtmf'; readonly atMs: number; readonly digit: string }
  | { readonly type: 'barge-in'; readonly atMs: number; readonly action: 'duck' | 'pause' | 'resume' | 'interrupt' }
  | { readonly type: 'decision'; readonly atMs: number; readonly node: string; readonly reason: string }
  | { readonly type: 'tag'; readonly atMs: number; readonly tag: string }
  | { readonly type: 'slot'; readonly atMs: number; readonly name: string; readonly value: string }
  /** Somebody else takes the call over; `target` is masked, `reason` a `TransferFailure`. */
  | {
      readonly type: 'transfer';
      readonly atMs: number;
      readonly action: 'started' | 'answered' | 'kept' | 'failed' | 'ended' | 'handed-over';
      readonly kind: TransferKind;
      readonly target: string;
      readonly by?: string;
      readonly reason?: string;
      readonly detail?: string;
      readonly talkMs?: number;
    }
  /** Somebody listens in; `by` asked for that. */
  | {
      readonly type: 'listen';
      readonly atMs: number;
      readonly action: 'started' | 'joined' | 'role' | 'failed' | 'ended';
      readonly role: ListenerRole;
      readonly target: string;
      readonly by: string;
      readonly reason?: string;
    }
  /** An operator, `by`, ends the call, answered or not. */
  | { readonly type: 'hang-up'; readonly atMs: number; readonly by: string }
  | { readonly type: 'ended'; readonly atMs: number; readonly by: HangupSide; readonly detail: string };

/** Latencies of one reply, all in ms; `voiceToVoiceMs` runs from the last received speech sample to the first sent one. */
export interface TurnLatency {
  readonly voiceToVoiceMs: number;
  readonly endOfTurnMs: number;
  readonly thinkMs: number;
  readonly playoutMs: number;
}

/** One turn of speech; `startMs`/`endMs` as in `TimelineEvent`. */
export interface Turn {
  readonly index: number;
  readonly speaker: 'callee' | 'platform';
  readonly startMs: number;
  readonly endMs: number;
  /** What was said; for the platform what was really played when it was interrupted. */
  readonly text: string;
  readonly interrupted: boolean;
  readonly node: string | undefined;
  readonly intent: string | undefined;
  /** On platform turns that answer a callee turn. */
  readonly latency: TurnLatency | undefined;
}

/** RTP figures of one leg as our side saw them. */
export interface MediaStats {
  readonly codec: 'PCMA' | 'PCMU' | 'G722' | 'opus';
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsLate: number;
  readonly jitterMs: number;
  /** 1 for random loss, more where packets were lost in runs (BurstR of ITU-T G.107); undefined where nothing arrived. */
  readonly lossBurstRatio: number | undefined;
  /** The longest run of packets that were not there when due; undefined where nothing arrived. */
  readonly longestLossPackets: number | undefined;
  /** Mean over the call's RTCP reports; undefined where the far end sent none about our stream. */
  readonly roundTripMs: number | undefined;
  /** Share of our packets that the far end lost, 0–1; undefined as above. */
  readonly remoteLossRatio: number | undefined;
  /** The far end's view of our jitter; undefined as above. */
  readonly remoteJitterMs: number | undefined;
  /** Estimated mean opinion score (E-model, 1–4.41) of what we heard; undefined where nothing arrived. */
  readonly mos: number | undefined;
  /** The same of what the far end heard; undefined without its reports. */
  readonly remoteMos: number | undefined;
}

/** Somebody whom the platform called beside a call, and who took part; `joinedMs` and `leftMs` as in `TimelineEvent`. */
export interface SecondLeg {
  /** `agent`: whom the callee was put through to. The last one where it changed. */
  readonly role: 'agent' | ListenerRole;
  /** Masked where it is a phone number. */
  readonly target: string;
  readonly joinedMs: number;
  readonly leftMs: number;
  /** Undefined where the call's worker was lost. */
  readonly media: MediaStats | undefined;
}

/** A finished stereo WAV: callee left, platform right, 8 kHz A-law or µ-law as it was on the wire. */
export interface Recording {
  /** Path below the recordings directory, with `/`. */
  readonly path: string;
  readonly durationMs: number;
  readonly bytes: number;
  /** 100 pairs a second at most: peak level of each side in 0–255, for the waveform. */
  readonly peaks: {
    readonly perSecond: number;
    readonly callee: readonly number[];
    readonly platform: readonly number[];
  };
}

/** What the dialog knows when it ends. */
export interface DialogResult {
  readonly grade: GradeCode;
  readonly gradeReason: string;
  readonly tags: readonly string[];
  readonly slots: Readonly<Record<string, string>>;
  readonly nodes: readonly string[];
  readonly intents: readonly string[];
  readonly rounds: number;
  readonly score: number;
  readonly endReason: string;
  /** The callee asked not to be called again. */
  readonly optedOut: boolean;
  /** A call-back the callee asked for. */
  readonly callBackAt: Date | undefined;
}

/** Raw facts of a dial that is over, before `outcomes/` names them. */
export interface FinishedCall {
  readonly attemptId: AttemptId;
  readonly dialedAt: Date;
  readonly endedAt: Date;
  readonly ringMs: number | undefined;
  readonly answeredMs: number | undefined;
  readonly talkMs: number;
  readonly hangupBy: HangupSide;
  readonly sipStatus: number | undefined;
  readonly sipReason: string | undefined;
  readonly outcome: NetworkOutcome;
  readonly evidence: readonly Evidence[];
  readonly dialog: DialogResult | undefined;
  readonly timeline: readonly TimelineEvent[];
  readonly turns: readonly Turn[];
  readonly recording: Recording | undefined;
  readonly media: MediaStats | undefined;
  /** In order of their coming; absent where nobody else took part. */
  readonly legs?: readonly SecondLeg[];
  /** The last transfer of the call, where there was one. */
  readonly transfer?: TransferRecord | undefined;
}

/** What the rest of the platform acts on after a call. */
export interface CallOutcome {
  readonly attemptId: AttemptId;
  readonly code: OutcomeCode;
  readonly evidence: readonly Evidence[];
  readonly confidence: number;
  readonly grade: GradeCode;
  readonly gradeReason: string;
  readonly tags: readonly string[];
  readonly slots: Readonly<Record<string, string>>;
  readonly optedOut: boolean;
  readonly callBackAt: Date | undefined;
  readonly endedAt: Date;
}
