import type { SrtpKey } from '#telephony/sdp/media.ts';

/** What the bench tells the generator, over IPC: call i's audio goes to `ports[i]`, from `beginsMs[i]` after `send` on. */
export type ToGenerator =
  | { readonly type: 'open'; readonly calls: number; readonly srtp: boolean }
  | { readonly type: 'send'; readonly ports: readonly number[]; readonly beginsMs: readonly number[] }
  | { readonly type: 'warm' }
  | { readonly type: 'stop' };

/** Counts are of the whole run, intervals and CPU from `warm` on. */
export type FromGenerator =
  | { readonly type: 'opened'; readonly ports: readonly number[] }
  | {
      readonly type: 'stopped';
      readonly sent: number;
      readonly received: number;
      readonly lost: number;
      /** Packets that were not authentic. */
      readonly refused: number;
      /** Packets that it did not get round to send. */
      readonly givenUp: number;
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
  readonly srtp: boolean;
  readonly sockets: 'polled' | 'events';
  /** When each of its calls begins, from `begin` on. */
  readonly beginsMs: readonly number[];
  /** Of its first call among all. */
  readonly firstCall: number;
}

export type ToMediaWorker = { readonly type: 'begin' } | { readonly type: 'warm' } | { readonly type: 'stop' };

export type FromMediaWorker =
  | { readonly type: 'started'; readonly ports: readonly number[] }
  | {
      readonly type: 'stopped';
      readonly received: number;
      readonly sent: number;
      readonly lost: number;
      readonly late: number;
      readonly jitterMs: number;
      /** Since all were warm, and before. */
      readonly framesDropped: number;
      readonly framesDroppedBefore: number;
      readonly tickLatenessP99Ms: number;
      readonly intervalCounts: readonly number[];
      readonly recordedMs: number;
      readonly voicedFrames: number;
      readonly keys: number;
    };

/** Buckets of every interval histogram here. */
export const INTERVAL_BUCKETS = { ms: 0.25, count: 800 } as const;

/** The key under which a call's packets go one way; both ends make it themselves. */
export function srtpKey(call: number, from: 'generator' | 'engine'): SrtpKey {
  const keySalt = Uint8Array.from(
    { length: 30 },
    (_, i) => (call * 31 + i * 7 + (from === 'engine' ? 128 : 0)) >> (i % 3),
  );
  return { suite: 'AES_CM_128_HMAC_SHA1_80', keySalt, mkiBytes: 0 };
}

/** Where the generator begins to look for free ports. */
export const FIRST_GENERATOR_PORT = 40_000;
