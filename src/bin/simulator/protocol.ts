import type { LocalText } from '#domain/text.ts';

/** What the simulator process is started with, as JSON in its first argument. */
export interface SimulatorSettings {
  readonly bind: { readonly address: string; readonly port: number };
  readonly rtp: { readonly first: number; readonly last: number };
  readonly seed: number;
  /** Factor on ringing and waiting. */
  readonly pace: number;
  readonly logFile: string | undefined;
  /** Whoever did not pick up calls back so long after. */
  readonly callBackMs?: number;
  readonly voiceDirectory: string;
  /** Where recordings of its announcements are put, so that a platform can be taught them. */
  readonly announcementsDirectory: string | undefined;
  /** The sample script whose examples the callees follow. */
  readonly scriptKey: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** What it tells its parent; the parent says `stop`. */
export type FromSimulator =
  | { readonly type: 'warming'; readonly done: number; readonly total: number }
  | { readonly type: 'ready'; readonly address: { readonly address: string; readonly port: number } }
  | { readonly type: 'failed'; readonly text: LocalText };
