/**
 * What the HTTP API sends and takes, shared with the console. Dates are ISO 8601 strings; phone numbers are masked
 * unless the field says otherwise. Every error body is an `ApiError`.
 */
import type { CallingWindow, CampaignSettings, CampaignState } from './campaign.ts';
import type {
  CallDirection,
  DialogResult,
  HangupSide,
  MediaStats,
  Recording,
  SecondLeg,
  TimelineEvent,
  Turn,
} from './call.ts';
import type { HoldReason, LeadState } from './contact.ts';
import type { Evidence, GradeCode, OutcomeCode } from './outcome.ts';
import type { Language, LocalText } from './text.ts';
import type { ListenerRole, TransferFailure, TransferKind, TransferRecord } from './transfer.ts';

export interface ApiError {
  readonly error: {
    readonly code: string;
    readonly text: LocalText;
    readonly problems: readonly { readonly path: string; readonly message: LocalText }[];
  };
}

export type Role = 'admin' | 'operator' | 'viewer';

/** GET /api/session, POST /api/session {name, password}; DELETE signs out. */
export interface SessionView {
  readonly user: { readonly id: string; readonly name: string; readonly role: Role; readonly language: Language };
  readonly expiresAt: string;
}

/** POST /api/session/password: changes the user's own password and ends their other sessions. */
export interface PasswordChange {
  readonly current: string;
  /** At least 10 characters. */
  readonly next: string;
}

/** GET /api/users, for administrators; DELETE /api/users/:id removes one and signs them out. */
export interface UserView {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly language: Language;
  readonly createdAt: string;
}

/** POST /api/users, for administrators. */
export interface NewUser {
  readonly name: string;
  /** At least 10 characters. */
  readonly password: string;
  readonly role: Role;
  readonly language: Language;
}

/**
 * GET /api/health; 503 with an `ApiError` where the node is not up. Without a session it is `{ status: 'ok' }` and nothing
 * else; the other fields, and `busy` or `draining`, are for users and the local operator.
 */
export interface Health {
  /** `busy` and `draining` nodes work and take no new calls. */
  readonly status: 'ok' | 'busy' | 'draining';
  /** Why no new call is taken; null while they are. */
  readonly refuses?: string | null;
  /** Calls that go on, both ways. */
  readonly calls?: number;
  /** 99th percentile of the worst call worker. */
  readonly frameLatenessMs?: number;
  /** Of the main event loop, 90th percentile of a second. */
  readonly loopDelayMs?: number;
}

/** `cursor` is opaque; absent `next` means the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
  readonly total: number;
}

export interface ScriptSummary {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly language: Language;
  readonly publishedVersion: number | null;
  readonly variables: readonly { readonly name: string; readonly label: string; readonly required: boolean }[];
}

/** GET /api/trunks: what a campaign may name as its trunk, the groups of trunks included. */
export interface TrunkSummary {
  readonly name: string;
  /** Of a group: its trunks. */
  readonly members?: readonly string[];
  /** Why it takes no new calls now; absent while it takes them. */
  readonly hold?: { readonly reason: 'unreachable' | 'not-registered'; readonly text: LocalText };
  /** Of a trunk: how it fares on this node. */
  readonly state?: TrunkStateView;
  readonly callerNumbers: readonly string[];
  readonly channels: number;
  readonly callsPerSecond: number;
}

/** How a trunk fares; errors are the words of the network, in English. */
export interface TrunkStateView {
  readonly registration: 'off' | 'trying' | 'registered' | 'failed';
  readonly registrationError: string | null;
  readonly callsInFlight: number;
  readonly servers: readonly {
    readonly server: string;
    readonly reachable: 'unknown' | 'up' | 'down';
    readonly callsInFlight: number;
    readonly lastError: string | null;
    readonly lastErrorAt: string | null;
  }[];
}

export interface CampaignCounts {
  readonly leads: Readonly<Record<LeadState, number>>;
  readonly outcomes: Readonly<Partial<Record<OutcomeCode, number>>>;
  readonly grades: Readonly<Partial<Record<GradeCode, number>>>;
  readonly reasons: Readonly<Partial<Record<HoldReason, number>>>;
  readonly attempts: number;
}

export interface CampaignView {
  readonly id: string;
  readonly name: string;
  readonly state: CampaignState;
  readonly script: { readonly id: string; readonly name: string; readonly version: number };
  readonly settings: CampaignSettings;
  readonly counts: CampaignCounts;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** POST /api/campaigns: made as a draft; leads come by `importIds`. */
export interface NewCampaign {
  readonly name: string;
  readonly scriptId: string;
  readonly settings: CampaignSettings;
  readonly importIds: readonly string[];
}

/** POST /api/campaigns/:id/state. */
export interface CampaignAction {
  readonly action: 'start' | 'pause' | 'resume' | 'cancel';
}

export interface LeadView {
  readonly id: string;
  readonly name: string;
  readonly phone: string;
  readonly state: LeadState;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly reason: HoldReason;
  readonly lastOutcome: OutcomeCode | null;
  readonly grade: GradeCode | null;
}

/** POST /api/imports/preview (multipart `file`, the first 64 KiB suffice): columns, guesses and the first rows. */
export interface ImportPreview {
  readonly encoding: 'utf-8' | 'gb18030' | 'utf-16le';
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly guess: ColumnMapping;
}

/** Column names of the file; columns in neither place and not in `ignore` become attributes. */
export interface ColumnMapping {
  readonly phone: string | null;
  readonly name: string | null;
  readonly ignore: readonly string[];
  /** Attribute name by column name, for columns that should have another name in scripts. */
  readonly rename: Readonly<Record<string, string>>;
}

/** POST /api/imports (multipart `mapping` JSON field before `file`). `GET /api/imports/:id/rejected.csv` has the rejected rows. */
export interface ImportView {
  readonly id: string;
  readonly fileName: string;
  readonly rows: number;
  readonly imported: number;
  readonly merged: number;
  readonly rejected: number;
  readonly encoding: 'utf-8' | 'gb18030' | 'utf-16le';
  readonly durationMs: number;
  readonly rejectedUrl: string | null;
}

/** GET /api/calls?direction&campaignId&outcome&grade&phone&from&to&minTalkSeconds&cursor&limit; `/api/calls.csv` takes the same filters. */
export interface CallSummary {
  readonly id: string;
  readonly direction: CallDirection;
  readonly campaignId: string | null;
  readonly campaignName: string | null;
  readonly name: string;
  /** Empty for a caller who does not show a number. */
  readonly phone: string;
  readonly outcome: OutcomeCode;
  readonly grade: GradeCode;
  readonly tags: readonly string[];
  readonly dialedAt: string;
  readonly talkMs: number;
  readonly hangupBy: HangupSide;
  readonly hasRecording: boolean;
}

/** GET /api/calls/:id; the audio is at /api/calls/:id/recording.wav (range requests). */
export interface CallView extends CallSummary {
  readonly confidence: number;
  readonly gradeReason: string;
  readonly evidence: readonly Evidence[];
  readonly slots: Readonly<Record<string, string>>;
  readonly ringMs: number | null;
  readonly answeredMs: number | null;
  readonly endedAt: string;
  readonly sipStatus: number | null;
  readonly sipReason: string | null;
  readonly callBackAt: string | null;
  readonly optedOut: boolean;
  readonly dialog: DialogResult | null;
  readonly turns: readonly Turn[];
  readonly timeline: readonly TimelineEvent[];
  /** The last transfer of the call. */
  readonly transfer: TransferRecord | null;
  readonly recording: Omit<Recording, 'path'> | null;
  /** Of the callee's leg. */
  readonly media: MediaStats | null;
  /** Whom the platform called beside the callee: transfer targets and listeners who took part. */
  readonly legs: readonly SecondLeg[];
}

/** POST /api/calls/:id/transfer while somebody talks; DELETE takes the callee back. */
export interface TransferBody {
  readonly kind: TransferKind;
  /** A number, with `+` in international form and without as the trunk takes it, or a SIP URI. */
  readonly target: string;
  /** After an attended transfer was answered, both ends are asked to talk without the platform. */
  readonly release?: boolean;
}

/** POST /api/calls/:id/monitor gives the listener's `id`; PATCH and DELETE /api/calls/:id/monitor/:listener. */
export interface ListenRequest {
  readonly target: string;
  readonly role: ListenerRole;
}

/** GET /api/calls/:id/bridge: who takes part in a call under way beside callee and script; targets masked. */
export interface CallBridgeView {
  readonly transfer: {
    readonly kind: TransferKind;
    readonly target: string;
    readonly state: 'calling' | 'connected';
  } | null;
  readonly listeners: readonly {
    readonly id: string;
    readonly target: string;
    readonly role: ListenerRole;
    readonly state: 'calling' | 'listening';
  }[];
  /** What became of the call's last transfer. */
  readonly lastTransfer: TransferRecord | null;
  /** The last who was called to listen in and not reached. */
  readonly failedListener: { readonly id: string; readonly target: string; readonly reason: TransferFailure } | null;
}

export interface SuppressionView {
  readonly id: string;
  readonly phone: string;
  readonly source: 'call' | 'manual' | 'import';
  readonly note: string;
  readonly callId: string | null;
  readonly createdAt: string;
}

/** A call that is going on now. */
export interface LiveCall {
  readonly id: string;
  readonly direction: CallDirection;
  readonly campaignId: string | null;
  readonly name: string;
  readonly phone: string;
  readonly state: 'dialing' | 'ringing' | 'talking';
  readonly sinceAt: string;
  /** The last thing either side said, shortened. */
  readonly lastText: string;
}

/**
 * WebSocket /api/live?campaign=ID. The server sends one `snapshot`, then changes at most every 250 ms. It closes with
 * 4401 when the session is gone.
 */
export type LiveMessage =
  | {
      readonly type: 'snapshot';
      readonly campaign: CampaignView;
      readonly calls: readonly LiveCall[];
      readonly at: string;
    }
  | {
      readonly type: 'change';
      readonly campaign: CampaignView;
      readonly calls: readonly LiveCall[];
      readonly ended: readonly CallSummary[];
      readonly at: string;
    };

/** GET /api/defaults: what the wizard starts from. */
export interface CampaignDefaults {
  readonly windows: readonly CallingWindow[];
  readonly settings: CampaignSettings;
  readonly trunks: readonly TrunkSummary[];
}

/** GET /api/announcements; DELETE /api/announcements/:name forgets one. */
export interface AnnouncementView {
  readonly name: string;
  /** The outcome code that it stands for. */
  readonly label: string;
  readonly durationMs: number;
  /** Null for a WAV file that was put into the announcements directory. */
  readonly taughtAt: string | null;
}

/** A taught announcement that is like another sound. */
export interface AnnouncementLikeness {
  readonly name: string;
  readonly label: string;
  /** Bit errors of the likest two seconds: under 0.36 alike, from 0.41 on unrelated. */
  readonly bitErrorRatio: number;
  /** 0–1. */
  readonly sharedRatio: number;
}

/** POST /api/announcements?label=…&name=… with a WAV `file`. */
export interface AnnouncementLesson {
  readonly announcement: AnnouncementView;
  readonly channel: 'mono' | 'left' | 'right';
  /** The part of the recording that was used. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly warnings: readonly LocalText[];
  /** The likest announcement of another label. */
  readonly nearest: AnnouncementLikeness | null;
}

/** POST /api/announcements/try with a WAV `file`. */
export interface AnnouncementTrial {
  readonly channel: 'mono' | 'left' | 'right';
  readonly heard: readonly {
    readonly kind: 'tone' | 'announcement' | 'sound';
    readonly label: string;
    readonly name: string | null;
    readonly confidence: number;
    readonly atMs: number;
  }[];
  /** The outcome code that would be recognised. */
  readonly recognised: string | null;
  /** The nearest announcement of another label. */
  readonly nearest: AnnouncementLikeness | null;
  readonly warnings: readonly LocalText[];
}

/** GET /api/early-media: calls that seem to have heard one announcement which is not taught. */
export interface UnknownAnnouncementView {
  /** The newest of them; GET /api/early-media/:id.wav plays it. */
  readonly callId: string;
  readonly calls: number;
  readonly durationMs: number;
  /** Masked. */
  readonly phone: string;
  readonly outcome: string;
  readonly sipStatus: number | null;
  readonly url: string;
}
