/** How busy a node is, by what callers would notice; CPU is not among it. */
export interface NodeLoad {
  /** Calls that go on or begin, both ways. */
  readonly calls: number;
  /** How many calls the media ports are enough for. */
  readonly capacity: number;
  /** Age of media frames when they are handled, 99th percentile of the worst call worker. */
  readonly frameLatenessMs: number;
  /** Frames given up since the last look, over all workers. */
  readonly framesDropped: number;
  /** Age of the oldest worker report; a worker that does not report is stuck. */
  readonly reportAgeMs: number;
  /** Delay of the main thread's event loop, 90th percentile of the last second. */
  readonly loopDelayMs: number;
  readonly draining: boolean;
}

/** Where new calls are refused; they are taken again at the `RESUME` share of it. */
export interface AdmissionSettings {
  /** 0: as many as the media ports are enough for. */
  readonly maxCalls: number;
  readonly frameLatenessMs: number;
  readonly loopDelayMs: number;
  /** What refused callers are asked to wait, before jitter. */
  readonly retryAfterSeconds: number;
}

export const REFUSALS = ['draining', 'calls', 'ports', 'frames-late', 'worker-silent', 'loop-delay'] as const;
/** Why no new call is taken. */
export type Refusal = (typeof REFUSALS)[number];

export type Admission =
  | { readonly accepts: true }
  | { readonly accepts: false; readonly reason: Refusal; readonly retryAfterSeconds: number };

/** Once refused for lateness, calls are taken again below this share of the limit, so that the answer does not flicker. */
const RESUME_LATENESS = 0.5;
/** The same for counts, whose end of call is a fact and needs less distance. */
const RESUME_COUNT = 0.97;
/** Reports come every second; a worker that missed three does no media either. */
const SILENT_MS = 3500;

/** Whether a node takes another call, by its load and by what it answered before (hysteresis). */
export function admit(before: Admission, load: NodeLoad, settings: AdmissionSettings): Admission {
  const refuse = (reason: Refusal, factor = 1): Admission => ({
    accepts: false,
    reason,
    retryAfterSeconds: settings.retryAfterSeconds * factor,
  });
  const was = before.accepts ? undefined : before.reason;
  /** The limit, lower while it is the reason of the refusal that lasts. */
  const limit = (value: number, reason: Refusal, resume: number): number => (was === reason ? value * resume : value);
  // Whoever comes back to a node that goes away should come later, and elsewhere.
  if (load.draining) return refuse('draining', 6);
  if (load.calls >= Math.floor(limit(load.capacity, 'ports', RESUME_COUNT))) return refuse('ports');
  if (settings.maxCalls > 0 && load.calls >= Math.floor(limit(settings.maxCalls, 'calls', RESUME_COUNT)))
    return refuse('calls');
  if (load.reportAgeMs > SILENT_MS) return refuse('worker-silent');
  if (load.framesDropped > 0) return refuse('frames-late');
  if (load.frameLatenessMs > limit(settings.frameLatenessMs, 'frames-late', RESUME_LATENESS))
    return refuse('frames-late');
  if (load.loopDelayMs > limit(settings.loopDelayMs, 'loop-delay', RESUME_LATENESS)) return refuse('loop-delay');
  return { accepts: true };
}

/** Retry-After in whole seconds: between the wait and twice of it, so that the refused do not come back as one wave. */
export function retryAfter(refusal: Extract<Admission, { accepts: false }>, random: () => number): number {
  return Math.max(1, Math.round(refusal.retryAfterSeconds * (1 + random())));
}
