/** What the bench tells the generator, over IPC. */
export type ToGenerator =
  | { readonly type: 'open'; readonly calls: number }
  | { readonly type: 'send'; readonly ports: readonly number[] }
  | { readonly type: 'warm' }
  | { readonly type: 'stop' };

/** `ports[i]` is where call i's audio goes. Counts are of the whole run, intervals and CPU from `warm` on. */
export type FromGenerator =
  | { readonly type: 'opened'; readonly ports: readonly number[] }
  | {
      readonly type: 'stopped';
      readonly sent: number;
      readonly received: number;
      readonly lost: number;
      readonly intervalCounts: readonly number[];
      readonly cpuSeconds: number;
    };

/** What the bench starts a worker thread with. */
export interface MediaWorkerData {
  readonly firstPort: number;
  readonly lastPort: number;
  readonly remotePorts: readonly number[];
  readonly directory: string;
  readonly vad: boolean;
}

export type ToMediaWorker = { readonly type: 'warm' } | { readonly type: 'stop' };

export type FromMediaWorker =
  | { readonly type: 'started'; readonly ports: readonly number[] }
  | {
      readonly type: 'stopped';
      readonly received: number;
      readonly sent: number;
      readonly lost: number;
      readonly late: number;
      readonly framesDropped: number;
      readonly tickLatenessP99Ms: number;
      readonly intervalCounts: readonly number[];
      readonly recordedMs: number;
    };

/** Buckets of every interval histogram here. */
export const INTERVAL_BUCKETS = { ms: 0.25, count: 800 } as const;
