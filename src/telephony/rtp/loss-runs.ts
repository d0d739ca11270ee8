/** Packets that may still arrive out of order before their absence counts. */
const WINDOW = 64;
/** A step of the sequence beyond these is a sender that began anew (RFC 3550 appendix A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/**
 * Which packets of a stream could be played, in the order they were sent: how many were missing and in what runs.
 * A packet that came too late for playout is as missing as a lost one.
 */
export class LossRuns {
  /** Packets whose fate is settled. */
  #played = 0;
  #missing = 0;
  #runs = 0;
  #run = 0;
  #longest = 0;
  readonly #present = new Uint8Array(WINDOW);
  /** The lowest sequence number whose fate is open; -1 before the first packet. */
  #oldest = -1;
  #highest = -1;

  /** Takes a packet that will be played, by its extended sequence number; a duplicate changes nothing. */
  mark(sequence: number): void {
    if (this.#oldest >= 0) {
      const step = sequence - this.#highest;
      if (step > MAX_DROPOUT || step < -MAX_MISORDER) this.#close();
    }
    if (this.#oldest < 0) this.#oldest = this.#highest = sequence;
    if (sequence < this.#oldest) return;
    while (sequence - this.#oldest >= WINDOW) this.#settle();
    this.#present[sequence % WINDOW] = 1;
    if (sequence > this.#highest) this.#highest = sequence;
  }

  /** Another source begins: gaps between the two are no loss. */
  restart(): void {
    this.#close();
  }

  /** All packets so far; settles what is still open, so later packets that fill those gaps no longer count. */
  summary(): LossSummary {
    while (this.#oldest >= 0 && this.#oldest <= this.#highest) this.#settle();
    const expected = this.#played + this.#missing;
    const lossRatio = expected === 0 ? 0 : this.#missing / expected;
    const meanRun = this.#runs === 0 ? 1 : this.#missing / this.#runs;
    return { expected, lossRatio, burstRatio: Math.max(1, meanRun * (1 - lossRatio)), longestRun: this.#longest };
  }

  #close(): void {
    while (this.#oldest >= 0 && this.#oldest <= this.#highest) this.#settle();
    this.#oldest = -1;
    this.#run = 0;
  }

  #settle(): void {
    const slot = this.#oldest % WINDOW;
    this.#oldest++;
    if (this.#present[slot] === 1) {
      this.#present[slot] = 0;
      this.#played++;
      this.#run = 0;
      return;
    }
    this.#missing++;
    if (this.#run++ === 0) this.#runs++;
    if (this.#run > this.#longest) this.#longest = this.#run;
  }
}

/** Loss of a stream as its listener met it. */
export interface LossSummary {
  readonly expected: number;
  /** 0–1. */
  readonly lossRatio: number;
  /** BurstR of ITU-T G.107 §7.5: mean run of losses against that of random loss; 1 for random loss. */
  readonly burstRatio: number;
  /** Packets. */
  readonly longestRun: number;
}
