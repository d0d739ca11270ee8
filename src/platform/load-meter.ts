import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Timer } from './clock.ts';
import { admit } from './admission.ts';
import type { Admission, AdmissionSettings, NodeLoad } from './admission.ts';
import type { Log } from './log.ts';

const LOOK_MS = 1000;
const RESOLUTION_MS = 10;

export interface LoadMeterOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: AdmissionSettings;
  /** Asked when somebody wants in, so it costs little. */
  readonly calls: () => { readonly calls: number; readonly capacity: number };
  /** The call workers' latest reports; `framesDropped` counts since the start. */
  readonly workers: () => readonly {
    readonly tickLatenessP99Ms: number;
    readonly framesDropped: number;
    readonly ageMs: number;
  }[];
}

/** Looks at the node's load once a second and says whether it takes another call. */
export class LoadMeter {
  readonly #o: LoadMeterOptions;
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #timer: Timer | undefined;
  #seen: Pick<NodeLoad, 'frameLatenessMs' | 'framesDropped' | 'reportAgeMs' | 'loopDelayMs'> = {
    frameLatenessMs: 0,
    framesDropped: 0,
    reportAgeMs: 0,
    loopDelayMs: 0,
  };
  #dropped = 0;
  #draining = false;
  #admission: Admission = { accepts: true };

  constructor(options: LoadMeterOptions) {
    this.#o = options;
    this.#delay.enable();
    this.#watch();
  }

  get load(): NodeLoad {
    return { ...this.#seen, ...this.#o.calls(), draining: this.#draining };
  }

  /** Whether another call is taken at this moment. */
  get admission(): Admission {
    const before = this.#admission;
    this.#admission = admit(before, this.load, this.#o.settings);
    if (before.accepts !== this.#admission.accepts) {
      const load = this.load;
      if (this.#admission.accepts) this.#o.log.info({ ...load }, 'new calls are taken again');
      else this.#o.log.warn({ reason: this.#admission.reason, ...load }, 'new calls are refused');
    }
    return this.#admission;
  }

  /** How many more calls are taken now. */
  get room(): number {
    if (!this.admission.accepts) return 0;
    const { calls, capacity } = this.#o.calls();
    const { maxCalls } = this.#o.settings;
    return (maxCalls === 0 ? capacity : Math.min(capacity, maxCalls)) - calls;
  }

  /** From now on no new call is taken. */
  drain(): void {
    this.#draining = true;
  }

  close(): void {
    this.#timer?.cancel();
    this.#delay.disable();
  }

  #watch(): void {
    this.#timer = this.#o.clock.setTimer(
      LOOK_MS,
      () => {
        this.#look();
        this.#watch();
      },
      { unref: true },
    );
  }

  #look(): void {
    const workers = this.#o.workers();
    const dropped = workers.reduce((sum, { framesDropped }) => sum + framesDropped, 0);
    // The histogram counts the interval of its own timer in.
    const delayMs = this.#delay.count === 0 ? 0 : this.#delay.percentile(90) / 1e6 - RESOLUTION_MS;
    this.#delay.reset();
    this.#seen = {
      frameLatenessMs: Math.max(0, ...workers.map(({ tickLatenessP99Ms }) => tickLatenessP99Ms)),
      framesDropped: Math.max(0, dropped - this.#dropped),
      reportAgeMs: Math.max(0, ...workers.map(({ ageMs }) => ageMs)),
      loopDelayMs: Math.max(0, delayMs),
    };
    // A worker that was replaced counts from zero.
    this.#dropped = dropped;
  }
}
