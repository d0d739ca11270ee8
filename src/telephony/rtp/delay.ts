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

/** How late packets come compared with the fastest ones, and the playout delay that this asks for. */
export class DelayEstimate {
  readonly #bounds: DelayBounds;
  #windowStartMs = 0;
  #windowMinMs = Number.NaN;
  #previousMinMs = Number.NaN;
  #peakMs: number;

  constructor(bounds: DelayBounds) {
    this.#bounds = bounds;
    this.#peakMs = bounds.startMs - FRAME_MS;
  }

  /** Least transit known, on an arbitrary scale; NaN before the first packet. */
  get baseMs(): number {
    return Math.min(this.#windowMinMs, this.#previousMinMs);
  }

  /** The delay that would have let nearly every packet of the last seconds be in time. */
  get targetMs(): number {
    const { minMs, maxMs } = this.#bounds;
    return Math.max(minMs, Math.min(maxMs, FRAME_MS + this.#peakMs));
  }

  /** How much later than the fastest packets one would be that has this transit (arrival minus media time). */
  latenessMs(transitMs: number): number {
    return Number.isNaN(this.#windowMinMs) ? 0 : transitMs - this.baseMs;
  }

  /** Takes one packet into account. */
  observe(transitMs: number, nowMs: number): void {
    if (Number.isNaN(this.#windowMinMs)) {
      this.#windowStartMs = nowMs;
      this.#windowMinMs = transitMs;
      this.#previousMinMs = transitMs;
    } else if (nowMs - this.#windowStartMs > WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#previousMinMs = this.#windowMinMs;
      this.#windowMinMs = transitMs;
    } else if (transitMs < this.#windowMinMs) {
      this.#windowMinMs = transitMs;
    }
    this.#peakMs = Math.max(this.#peakMs * (1 - PEAK_DECAY), transitMs - this.baseMs);
  }

  /** The sender's clock jumped: transits before and after cannot be compared; what was learnt of jitter stays. */
  rebase(): void {
    this.#windowMinMs = Number.NaN;
    this.#previousMinMs = Number.NaN;
  }
}
