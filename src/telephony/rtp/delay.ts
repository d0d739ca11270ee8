/** Bounds of the playout delay and where it starts. */
export interface DelayBounds {
  readonly minMs: number;
  readonly maxMs: number;
  readonly startMs: number;
}

/** The least transit is looked for in the present and the previous of these windows, so that clock drift is followed. */
const WINDOW_MS = 5000;
/** Share of the remembered peak that each packet forgets: a peak is down to a third after 500 packets (10 s). */
const PEAK_DECAY = 0.002;
/** Playout runs in frames of 20 ms, so a packet must be there up to that long before it is due. */
const FRAME_MS = 20;

/** Places of what an estimate knows. */
const WINDOW_START_MS = 0;
const WINDOW_MIN_MS = 1;
const PREVIOUS_MIN_MS = 2;
const PEAK_MS = 3;

/** How late packets come compared with the fastest ones, and the playout delay that this asks for. */
export class DelayEstimate {
  readonly #bounds: DelayBounds;
  /** In one place, because a field with a fraction is a new object each time that it is written. */
  readonly #numbers = new Float64Array(4).fill(Number.NaN);

  constructor(bounds: DelayBounds) {
    this.#bounds = bounds;
    this.#numbers[PEAK_MS] = bounds.startMs - FRAME_MS;
  }

  /** Least transit known, on an arbitrary scale; NaN before the first packet. */
  get baseMs(): number {
    return Math.min(this.#numbers[WINDOW_MIN_MS]!, this.#numbers[PREVIOUS_MIN_MS]!);
  }

  /** The delay that would have let nearly every packet of the last seconds be in time. */
  get targetMs(): number {
    const { minMs, maxMs } = this.#bounds;
    return Math.max(minMs, Math.min(maxMs, FRAME_MS + this.#numbers[PEAK_MS]!));
  }

  /** How much later than the fastest packets one would be that has this transit (arrival minus media time). */
  latenessMs(transitMs: number): number {
    return Number.isNaN(this.#numbers[WINDOW_MIN_MS]) ? 0 : transitMs - this.baseMs;
  }

  /** Takes one packet into account. */
  observe(transitMs: number, nowMs: number): void {
    const numbers = this.#numbers;
    if (Number.isNaN(numbers[WINDOW_MIN_MS])) {
      numbers[WINDOW_START_MS] = nowMs;
      numbers[WINDOW_MIN_MS] = numbers[PREVIOUS_MIN_MS] = transitMs;
    } else if (nowMs - numbers[WINDOW_START_MS]! > WINDOW_MS) {
      numbers[WINDOW_START_MS] = nowMs;
      numbers[PREVIOUS_MIN_MS] = numbers[WINDOW_MIN_MS]!;
      numbers[WINDOW_MIN_MS] = transitMs;
    } else if (transitMs < numbers[WINDOW_MIN_MS]!) {
      numbers[WINDOW_MIN_MS] = transitMs;
    }
    numbers[PEAK_MS] = Math.max(numbers[PEAK_MS]! * (1 - PEAK_DECAY), transitMs - this.baseMs);
  }

  /** The sender's clock jumped: transits before and after cannot be compared; what was learnt of jitter stays. */
  rebase(): void {
    this.#numbers[WINDOW_MIN_MS] = this.#numbers[PREVIOUS_MIN_MS] = Number.NaN;
  }
}
