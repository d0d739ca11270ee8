import type { Tally } from './soak-load.ts';
import type { Held } from './soak-watch.ts';

/** What the platform's process is started with. */
export interface SoakSettings {
  /** Where the far end takes calls. */
  readonly port: number;
  readonly calls: number;
  readonly seconds: number;
  readonly seed: number;
  readonly workers: number;
  readonly longestMs: number;
  readonly sampleMs: number;
  readonly rtp: { readonly first: number; readonly last: number };
}

/** What the platform holds at one moment. */
export interface SoakSample extends Held {
  readonly atMs: number;
  /** Dialogs. */
  readonly calls: number;
  readonly transactions: number;
  readonly liveCalls: number;
  /** Phrases that are asked for and not made yet. */
  readonly phrases: number;
  /** Recordings on the disk, and those that are still written. */
  readonly files: number;
  readonly parts: number;
  readonly residentBytes: number;
  /** Live, garbage collected. */
  readonly mainBytes: number;
  /** Used in each worker, garbage included. */
  readonly workerBytes: readonly number[];
}

/** How it ended: at the start, behind the last call and its transactions, and behind `close`. */
export interface SoakEnd {
  readonly base: SoakSample;
  readonly after: SoakSample;
  readonly tally: Tally;
  readonly workerExits: readonly number[];
  readonly filesLeft: number;
  readonly cpuSeconds: number;
}

export type FromSoakPlatform =
  | { readonly type: 'sample'; readonly sample: SoakSample; readonly tally: Tally }
  | ({ readonly type: 'end' } & SoakEnd);
