import { extendCounter } from './packet.ts';

/** A jump of the sequence beyond these is a restarted sender, not loss or reordering (RFC 3550 appendix A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
const TRANSIT = 0;
const JITTER = 1;

/** Counts what one source sent and what arrived of it (RFC 3550 appendices A.1, A.3 and A.8). */
export class Reception {
  /** Of the timestamps; a change of it begins the measurement of jitter anew. */
  #clockHz: number;
  ssrc = 0;
  /** Packets of the present source. */
  received = 0;
  #base = 0;
  #highest = -1;
  #expectedPrior = 0;
  #receivedPrior = 0;
  /** The last transit, then the jitter: a field with a fraction is a new object each time that it is written. */
  readonly #measured = new Float64Array([Number.NaN, 0]);
  #receivedBefore = 0;
  /** Loss of sources that the present one has replaced. */
  #lostBefore = 0;
  #badSequence = -1;

  constructor(clockHz: number) {
    this.#clockHz = clockHz;
  }

  /** The source goes on with timestamps of another clock. */
  changeClock(clockHz: number): void {
    this.#clockHz = clockHz;
    this.#measured[TRANSIT] = Number.NaN;
    this.#measured[JITTER] = 0;
  }

  /** True once a packet has been counted. */
  get started(): boolean {
    return this.#highest >= 0;
  }

  /** The extended highest sequence number received; its low 32 bits go into a report. */
  get highest(): number {
    return Math.max(0, this.#highest);
  }

  /** Interarrival jitter in timestamp units. */
  get jitterUnits(): number {
    return this.#measured[JITTER]!;
  }

  get jitterMs(): number {
    return (this.#measured[JITTER]! * 1000) / this.#clockHz;
  }

  /** Expected minus received over all sources, not below 0. */
  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#lostNow());
  }

  /** Packets of all sources. */
  get totalReceived(): number {
    return this.#receivedBefore + this.received;
  }

  /** True where a packet is the present source's own and at most `maxStep` after its last one. */
  goesOn(packet: { readonly ssrc: number; readonly sequence: number }, maxStep: number): boolean {
    if (!this.started || packet.ssrc !== this.ssrc) return false;
    const step = extendCounter(packet.sequence, this.#highest, 16) - this.#highest;
    return step > 0 && step <= maxStep;
  }

  /** Begins with a new source. */
  restart(ssrc: number, sequence: number): void {
    this.#lostBefore = this.lost;
    this.#receivedBefore += this.received;
    this.ssrc = ssrc;
    this.received = 0;
    // One cycle up, so that a packet from just before the first never gets a negative number.
    this.#base = sequence + 0x10000;
    this.#highest = this.#base - 1;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#measured[TRANSIT] = Number.NaN;
    this.#badSequence = -1;
  }

  /**
   * Counts a packet of the present source and returns its extended sequence number, or -1 where it must be dropped. An
   * undefined timestamp is that of an event, which stands still while packets go on.
   */
  count(sequence: number, timestamp: number | undefined, arrivalMs: number): number {
    const extended = extendCounter(sequence, this.#highest, 16);
    const step = extended - this.#highest;
    if (step > MAX_DROPOUT || step < -MAX_MISORDER) {
      if (sequence !== this.#badSequence) {
        this.#badSequence = (sequence + 1) & 0xffff;
        return -1;
      }
      this.restart(this.ssrc, sequence);
      return this.count(sequence, timestamp, arrivalMs);
    }
    this.#badSequence = -1;
    if (step > 0) this.#highest = extended;
    this.received++;
    if (timestamp === undefined) this.#measured[TRANSIT] = Number.NaN;
    else this.#measureJitter(timestamp, arrivalMs);
    return extended;
  }

  /** Loss since the previous call as an eighth-bit fraction, 0–255, as a report block carries it. */
  takeFractionLost(): number {
    const expected = this.#highest - this.#base + 1;
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.received;
    if (expectedInterval <= 0 || lostInterval <= 0) return 0;
    return Math.min(255, Math.floor((lostInterval * 256) / expectedInterval));
  }

  /** Cumulative loss of the present source, clamped to the 24 signed bits of a report; negative with duplicates. */
  get cumulativeLost(): number {
    return Math.max(-0x800000, Math.min(0x7fffff, this.#lostNow()));
  }

  #lostNow(): number {
    return this.#highest < 0 ? 0 : this.#highest - this.#base + 1 - this.received;
  }

  #measureJitter(timestamp: number, arrivalMs: number): void {
    const transit = (arrivalMs * this.#clockHz) / 1000 - timestamp;
    if (!Number.isNaN(this.#measured[TRANSIT])) {
      // Timestamps wrap; a wrapped difference is the nearest one.
      let difference = (transit - this.#measured[TRANSIT]!) % 0x100000000;
      if (difference > 0x80000000) difference -= 0x100000000;
      else if (difference < -0x80000000) difference += 0x100000000;
      // A sender that restarts its timestamps is no jitter.
      if (Math.abs(difference) < this.#clockHz) {
        this.#measured[JITTER]! += (Math.abs(difference) - this.#measured[JITTER]!) / 16;
      }
    }
    this.#measured[TRANSIT] = transit;
  }
}
