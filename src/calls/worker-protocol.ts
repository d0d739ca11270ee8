import type { AttemptId } from '#domain/ids.ts';
import type { DialogResult, HangupSide, MediaStats, Recording, TimelineEvent, Turn } from '#domain/call.ts';
import type { Script } from '#domain/script.ts';
import type { Language } from '#domain/text.ts';
import type { CallClass } from '#telephony/progress/answering-machine.ts';
import type { TonePlan } from '#telephony/progress/cadence.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import type { G711Codec, NegotiatedMedia } from '#telephony/sdp/media.ts';
import type { BridgeCommand, BridgeEvent } from './bridge/bridge-protocol.ts';

/** What a call worker is started with. Times that cross threads are milliseconds of the process-wide monotonic clock. */
export interface WorkerSettings {
  readonly index: number;
  readonly address: string;
  readonly ports: { readonly first: number; readonly last: number };
  readonly recordingsDirectory: string;
  /** JSON of a `FingerprintLibrary`. */
  readonly fingerprints: unknown;
  /** A WAV file that plays while somebody waits; where it is not there, the built-in music does. */
  readonly holdMusicFile: string | undefined;
  /** Where unrecognised early media of unanswered calls is kept, and how many files a day; undefined keeps none. */
  readonly earlyMedia: { readonly directory: string; readonly perDay: number } | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** File descriptor that log lines are written to; undefined: standard error. */
  readonly logFd?: number | undefined;
}

export interface PhraseRequest {
  readonly text: string;
  /** Name of a recorded prompt that is used where it exists. */
  readonly audio: string | undefined;
  readonly voice: string;
  readonly language: Language;
  readonly codec: G711Codec;
}

/**
 * Main thread → worker. Every `open` is answered by `opened` or `failed`, every `finish` by `finished` or `failed`; after
 * either nothing more comes about that call.
 */
export type ToWorker =
  /** Sent before the first `open` that names it; `codec` is what its phrases are made ready for. */
  | { readonly type: 'script'; readonly key: string; readonly script: Script; readonly codec: G711Codec }
  /** Calls under way keep the script they were opened with. */
  | { readonly type: 'forget-script'; readonly key: string }
  | {
      readonly type: 'open';
      readonly call: AttemptId;
      /** The other side called us: a person, whom nothing takes for a machine. */
      readonly inbound?: boolean;
      readonly scriptKey: string;
      readonly variables: Readonly<Record<string, string>>;
      readonly timeZone: string;
      readonly dialedMs: number;
      readonly dialedAt: Date;
      readonly codec: G711Codec;
      readonly tonePlan: TonePlan;
    }
  /** Announcements were taught or forgotten: calls opened from now on know these. */
  | { readonly type: 'fingerprints'; readonly fingerprints: unknown }
  | { readonly type: 'early'; readonly call: AttemptId; readonly media: NegotiatedMedia }
  | { readonly type: 'answered'; readonly call: AttemptId; readonly media: NegotiatedMedia }
  /** The callee changed the session after the answer: hold, another address, another codec. */
  | { readonly type: 'renegotiated'; readonly call: AttemptId; readonly media: NegotiatedMedia }
  | { readonly type: 'dtmf'; readonly call: AttemptId; readonly digit: string }
  | { readonly type: 'bridge'; readonly call: AttemptId; readonly command: BridgeCommand }
  | {
      readonly type: 'finish';
      readonly call: AttemptId;
      readonly by: HangupSide;
      readonly detail: string;
      readonly endedMs: number;
    }
  | { readonly type: 'phrase'; readonly request: number; readonly audio: Uint8Array | undefined }
  | { readonly type: 'close' };

/** What a worker knows of a call that is over. */
export interface WorkerResult {
  readonly dialog: DialogResult | undefined;
  readonly timeline: readonly TimelineEvent[];
  readonly turns: readonly Turn[];
  readonly recording: Recording | undefined;
  readonly media: MediaStats | undefined;
  /** Second legs that took part, by the id that the bridge gave them. */
  readonly legs: readonly { readonly leg: string; readonly media: MediaStats }[];
  readonly detections: readonly Detection[];
  /** Who or what answered, and why we think so. */
  readonly callClass: CallClass;
  readonly callClassEvidence: string;
}

/** How a worker keeps up with its media. */
export interface WorkerLoad {
  readonly legs: number;
  /** How late frames are, 99th percentile over the last 10 to 20 s. */
  readonly tickLatenessP99Ms: number;
  /** Frames given up since the start because the loop came too late for them. */
  readonly framesDropped: number;
}

/** Worker → main thread. */
export type FromWorker =
  | { readonly type: 'ready' }
  /** About once a second. */
  | { readonly type: 'load'; readonly load: WorkerLoad }
  | { readonly type: 'opened'; readonly call: AttemptId; readonly audioPort: number; readonly textPort: number }
  | { readonly type: 'failed'; readonly call: AttemptId; readonly message: string }
  | { readonly type: 'detected'; readonly call: AttemptId; readonly detection: Detection }
  | { readonly type: 'said'; readonly call: AttemptId; readonly speaker: 'callee' | 'platform'; readonly text: string }
  | { readonly type: 'opted-out'; readonly call: AttemptId }
  | { readonly type: 'hang-up'; readonly call: AttemptId; readonly reason: string }
  | { readonly type: 'bridge'; readonly call: AttemptId; readonly event: BridgeEvent }
  | { readonly type: 'finished'; readonly call: AttemptId; readonly result: WorkerResult }
  | { readonly type: 'phrase'; readonly request: number; readonly phrase: PhraseRequest }
  | { readonly type: 'closed' };
