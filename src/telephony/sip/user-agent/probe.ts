import type { Clock, Timer } from '#platform/clock.ts';

/** One OPTIONS to a trunk and what came of it (RFC 3261 §11). */
export interface ProbeResult {
  /** Whether anybody there answers and takes calls: any final response but 408, 503 and 504. */
  readonly alive: boolean;
  /** Undefined where none came. */
  readonly status: number | undefined;
  readonly roundTripMs: number;
  readonly detail: string;
}

/** Whether a final response shows a peer that works: a refusal of OPTIONS itself does too. */
export function isAlive(status: number): boolean {
  return status !== 408 && status !== 503 && status !== 504;
}

/** What an OPTIONS without a response is told as. */
export const NO_RESPONSE = 'no response';

/** How a watched trunk fares; `unknown` until enough probes agree. */
export interface TrunkHealth {
  readonly state: 'unknown' | 'up' | 'down';
  /** Whether it ever answered a probe: many carriers never do, and serve calls all the same. */
  readonly answers: boolean;
  /** Probes in a row that speak against the state, or for the first one. */
  readonly streak: { readonly alive: boolean; readonly count: number };
}

/** How many probes in a row it takes to change one's mind: one lost datagram is no outage, one answer no recovery. */
export interface Hysteresis {
  readonly up: number;
  readonly down: number;
}

/** The health of a trunk that nobody has probed yet. */
export const UNKNOWN_HEALTH: TrunkHealth = {
  state: 'unknown',
  answers: false,
  streak: { alive: true, count: 0 },
};

/**
 * The health after one more probe. Silence speaks against a trunk that has answered before, and says nothing of one that
 * never did: its calls show how it fares. A transport that fails would fail a call too.
 */
export function nextHealth(
  health: TrunkHealth,
  probe: Pick<ProbeResult, 'alive' | 'status' | 'detail'>,
  hysteresis: Hysteresis,
): TrunkHealth {
  const { alive, status, detail } = probe;
  const answers = health.answers || status !== undefined;
  if (!answers && detail === NO_RESPONSE) return { ...UNKNOWN_HEALTH, state: health.state === 'up' ? 'up' : 'unknown' };
  const count = health.streak.alive === alive ? health.streak.count + 1 : 1;
  const agrees = count >= (alive ? hysteresis.up : hysteresis.down);
  const state = agrees ? (alive ? 'up' : 'down') : health.state;
  return { state, answers, streak: { alive, count } };
}

/** How a trunk is watched. */
export interface WatchOptions {
  readonly clock: Clock;
  readonly probe: () => Promise<ProbeResult>;
  /** `unknown` again: what spoke against it is gone, and nothing speaks for it. */
  readonly onChange: (state: TrunkHealth['state'], last: ProbeResult) => void;
  /** Between probes while the trunk is up. */
  readonly intervalMs?: number;
  /** Between probes while it is down or unknown, so that it comes back soon. */
  readonly retryMs?: number;
  readonly hysteresis?: Hysteresis;
}

const DEFAULTS = {
  intervalMs: 30_000,
  retryMs: 5_000,
  hysteresis: { up: 2, down: 3 },
} as const satisfies Partial<WatchOptions>;

/** Probes a trunk for as long as it is open and tells each change of its health. */
export class TrunkWatch {
  readonly #options: WatchOptions & typeof DEFAULTS;
  #health = UNKNOWN_HEALTH;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = { ...DEFAULTS, ...options } as WatchOptions & typeof DEFAULTS;
    void this.#probe();
  }

  get state(): TrunkHealth['state'] {
    return this.#health.state;
  }

  /** A call got a response, which is as good as an answered probe: those that failed before count no more. */
  heard(): void {
    this.#health = { ...this.#health, state: 'up', streak: { alive: true, count: 0 } };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #probe(): Promise<void> {
    const result = await this.#options.probe();
    if (this.#closed) return;
    const before = this.#health.state;
    this.#health = nextHealth(this.#health, result, this.#options.hysteresis);
    const { state, streak } = this.#health;
    // A probe that disagrees is repeated soon, so that three lost ones are noticed in seconds.
    const calm = state === 'up' && streak.alive;
    const delayMs = calm ? this.#options.intervalMs : this.#options.retryMs;
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#probe(), { unref: true });
    if (state !== before) this.#options.onChange(state, result);
  }
}
