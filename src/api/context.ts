import type pg from 'pg';
import type {
  AnnouncementLesson,
  AnnouncementTrial,
  AnnouncementView,
  TrunkSummary,
  UnknownAnnouncementView,
} from '#domain/api.ts';
import type { AttemptId } from '#domain/ids.ts';
import type { Language } from '#domain/text.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { CallControl } from '#calls/bridge/call-bridge.ts';
import type { OperatorHangUp } from '#calls/call-side.ts';
import type { Bus } from '#platform/bus.ts';
import type { Admission, NodeLoad, Refusal } from '#platform/admission.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';

/** One dial outside of a campaign, asked for by a person. */
export interface SingleCall {
  readonly phone: PhoneNumber;
  readonly timeZone: string | undefined;
  readonly scriptId: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly trunk: string;
  readonly callerNumber: string;
}

/** Whether what a campaign names as its trunk takes no calls at the moment. */
export function trunkHeld(context: Pick<ApiContext, 'trunks'>): (trunk: string) => boolean {
  return (trunk) => context.trunks.find(({ name }) => name === trunk)?.hold !== undefined;
}

/** What a node says about its load, and whom it turned away since the start. */
export interface NodeStatus {
  readonly admission: Admission;
  readonly load: NodeLoad;
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
  /** Requests of addresses that may not call us. */
  readonly strangers: number;
  readonly notOurs: number;
}

/** Carriers' announcements as the API teaches them; audio is WAV. Faults are AppErrors. */
export interface AnnouncementDesk {
  list(): readonly AnnouncementView[];
  /** `label` is an outcome code or another word for it; `name` replaces the announcement of that name. */
  learn(lesson: {
    readonly bytes: Uint8Array;
    readonly label: string;
    readonly name?: string;
  }): Promise<AnnouncementLesson>;
  forget(name: string): Promise<void>;
  tryOut(recording: { readonly bytes: Uint8Array }): Promise<AnnouncementTrial>;
  unknown(): Promise<readonly UnknownAnnouncementView[]>;
  /** Path of the kept early media of a call. */
  earlyMedia(callId: string): Promise<string | undefined>;
}

/** What the routes work with; wired by `bin/`. */
export interface ApiContext {
  readonly db: Db;
  readonly pool: pg.Pool;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly language: Language;
  /** What campaigns may name, as it is at this moment. */
  readonly trunks: readonly TrunkSummary[];
  readonly recordingsDirectory: string;
  readonly importsDirectory: string;
  /** Undefined where this process runs no calls. */
  readonly announcements?: AnnouncementDesk;
  /** Built console, or undefined where it has not been built. */
  readonly consoleDirectory: string | undefined;
  /** Bearer token of the local operator: the command line on the same machine. */
  readonly operatorToken: string;
  readonly node: () => NodeStatus;
  /** Transfers and listeners of a call; undefined unless somebody talks on it. */
  readonly callControl: (id: string) => CallControl | undefined;
  /** Ends a call; undefined unless it rings or talks. */
  readonly operatorHangUp: (id: string) => OperatorHangUp | undefined;
  /** Resolves with the attempt's id as soon as it is committed; the call goes on by itself. */
  readonly placeSingleCall: (call: SingleCall) => Promise<AttemptId>;
}
