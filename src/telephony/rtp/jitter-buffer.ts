import { DelayEstimate } from './delay.ts';

/** What became of a packet. */
export type Pushed = 'kept' | 'late' | 'duplicate' | 'dropped';
/** What a frame is made of: `lost` asks for concealment, `silent` is the far end's own silence. */
export type Pulled = 'audio' | 'lost' | 'silent';

/** 32 packets hold 640 ms at 20 ms each and 160 ms at 5 ms each: more than the longest delay. */
const SLOTS = 32;
/** 160 ms: longer packets are not speech of a call. */
const MAX_UNITS = 1280;
const MAX_PAYLOAD_BYTES = 1280;
/** A packet that much off the expected time means that the sender's timestamps jumped. */
const RESYNC_MS = 500;
const RESYNC_PACKETS = 3;
/** After that many frames without a packet playout stops and starts anew with the next talk spurt. */
const IDLE_FRAMES = 50;
/** Delay above target that is tolerated: a frame of granularity and a half frame of hysteresis. */
const SURPLUS_MS = 30;
const SURPLUS_FRAMES = 100;
/** Delay above target that is cut at once, as after a stall. */
const HARD_SURPLUS_MS = 100;
const SHORTFALL_MS = 10;
const SHORTFALL_FRAMES = 25;
const NO_PAYLOAD = new Uint8Array(0);

/** Takes a frame's parts in the order of playout, where they are more than octets to be copied. Units are those of 8 kHz. */
export interface PartReader {
  /** `units` of a packet of `bytes` octets in `format`, from its unit `offset` on, belong at unit `at` of the frame. */
  take(
    packet: Uint8Array,
    bytes: number,
    format: number,
    sequence: number,
    offset: number,
    units: number,
    at: number,
  ): void;
  /** `units` are missing at unit `at`; `next` is the packet that begins right after them, where it is here. */
  miss(units: number, at: number, next: Uint8Array | undefined, bytes: number): void;
}

/**
 * Adaptive jitter buffer of 20–120 ms. Packets go in as they arrive; every 20 ms one frame comes out, whatever the
 * packets' own length: as 160 octets where a codec has one for each timestamp unit at 8 kHz (G.711), else part by part.
 * The playout time is a timestamp: gaps, reordering, DTX and other packet times fall out of the arithmetic.
 */
export class JitterBuffer {
  readonly #delay = new DelayEstimate({ minMs: 20, maxMs: 120, startMs: 40 });
  readonly #sequences = new Float64Array(SLOTS).fill(-1);
  readonly #timestamps = new Float64Array(SLOTS);
  /** Units that a packet lasts; −1 once it has been played. */
  readonly #lengths = new Int16Array(SLOTS).fill(-1);
  readonly #bytes = new Int16Array(SLOTS);
  readonly #formats = new Uint8Array(SLOTS);
  readonly #payloads: Uint8Array[] = Array.from({ length: SLOTS }, () => new Uint8Array(160));
  /** The lowest sequence number that has not been played. */
  #head = -1;
  #highest = -1;
  #waiting = 0;
  #playing = false;
  #playoutTimestamp = 0;
  #strikes = 0;
  #emptyFrames = 0;
  #surplusFrames = 0;
  #shortfallFrames = 0;
  #comfort = false;
  /** The part of the last pulled frame that was lost; empty when `lostFrom` is not below `lostTo`. */
  lostFrom = 0;
  lostTo = 0;

  get targetMs(): number {
    return this.#delay.targetMs;
  }

  /** Packets waiting. */
  get depth(): number {
    return this.#waiting;
  }

  /**
   * Takes a packet by its extended sequence number and timestamp, in units of 8 kHz as is what it lasts; no payload means
   * that comfort noise begins. `format` is handed on to a `PartReader`.
   */
  push(
    sequence: number,
    timestamp: number,
    marker: boolean,
    payload: Uint8Array,
    nowMs: number,
    units = payload.length,
    format = 0,
  ): Pushed {
    if (payload.length > MAX_PAYLOAD_BYTES || units > MAX_UNITS) return 'dropped';
    const slot = sequence % SLOTS;
    if (this.#sequences[slot] === sequence) return 'duplicate';
    const transitMs = nowMs - timestamp / 8;
    if (Math.abs(this.#delay.latenessMs(transitMs)) > RESYNC_MS) {
      this.#strikes++;
      if (this.#strikes < RESYNC_PACKETS && !(marker && this.#waiting === 0)) return 'late';
      this.reset();
    }
    this.#strikes = 0;
    this.#delay.observe(transitMs, nowMs);
    if (this.#head < 0) this.#head = sequence;
    if (!this.#playing && sequence < this.#head && this.#head - sequence < SLOTS) this.#head = sequence;
    if (sequence < this.#head) return 'late';
    if (this.#playing && units > 0 && timestamp + units <= this.#playoutTimestamp) return 'late';
    if (sequence - this.#head >= SLOTS) this.#discardBelow(sequence - SLOTS + 1);
    this.#store(slot, sequence, timestamp, payload, units, format);
    return 'kept';
  }

  /** Says that a sequence number carried no audio (a telephone-event): it is not missing. */
  skip(sequence: number): void {
    if (this.#head < 0 || sequence < this.#head || sequence - this.#head >= SLOTS) return;
    const slot = sequence % SLOTS;
    if (this.#sequences[slot] !== sequence) this.#store(slot, sequence, 0, NO_PAYLOAD, 0, 0);
  }

  /**
   * Fills `out` (160 octets, preset by the caller to silence) with the frame that is due at `nowMs`. `quiet`: the frame
   * before was inaudible, so that the delay may be changed now without being heard. With `parts` nothing is put in `out`.
   */
  pull(nowMs: number, out: Uint8Array, quiet: boolean, parts?: PartReader): Pulled {
    this.lostFrom = this.lostTo = 0;
    if (!this.#playing && !this.#begin(nowMs)) return 'silent';
    if (this.#adjust(nowMs, quiet, out.length)) {
      this.lostTo = out.length;
      if (quiet || this.#comfort) return 'silent';
      parts?.miss(out.length, 0, undefined, 0);
      return 'lost';
    }
    const result = this.#fill(out, parts);
    this.#playoutTimestamp += out.length;
    if (this.#waiting > 0 || result === 'audio') this.#emptyFrames = 0;
    else if (++this.#emptyFrames >= IDLE_FRAMES) this.#playing = false;
    return result;
  }

  /** Forgets all packets: another source, or a jump of its timestamps. */
  reset(): void {
    this.#sequences.fill(-1);
    this.#lengths.fill(-1);
    this.#head = this.#highest = -1;
    this.#waiting = this.#strikes = this.#emptyFrames = this.#surplusFrames = this.#shortfallFrames = 0;
    this.#playing = this.#comfort = false;
    this.#delay.rebase();
  }

  #store(slot: number, sequence: number, timestamp: number, payload: Uint8Array, units: number, format: number): void {
    if (payload.length > this.#payloads[slot]!.length) this.#payloads[slot] = new Uint8Array(payload.length);
    this.#payloads[slot]!.set(payload);
    this.#sequences[slot] = sequence;
    this.#timestamps[slot] = timestamp;
    this.#lengths[slot] = units;
    this.#bytes[slot] = payload.length;
    this.#formats[slot] = format;
    this.#waiting++;
    if (sequence > this.#highest) this.#highest = sequence;
  }

  #discardBelow(sequence: number): void {
    for (let s = this.#head; s < sequence && s <= this.#highest; s++) this.#consume(s % SLOTS, s);
    this.#head = sequence;
  }

  /** Leaves the sequence number in its slot, so that a duplicate is still known. */
  #consume(slot: number, sequence: number): void {
    if (this.#sequences[slot] !== sequence || this.#lengths[slot]! < 0) return;
    this.#comfort = this.#lengths[slot] === 0;
    this.#lengths[slot] = -1;
    this.#waiting--;
  }

  #begin(nowMs: number): boolean {
    let first = this.#nextPresent(this.#head);
    while (first >= 0 && this.#lengths[first % SLOTS] === 0) {
      this.#consume(first % SLOTS, first);
      this.#head = first + 1;
      first = this.#nextPresent(this.#head);
    }
    if (first < 0) return false;
    const timestamp = this.#timestamps[first % SLOTS]!;
    if (nowMs < this.#delay.baseMs + timestamp / 8 + this.#delay.targetMs) return false;
    this.#playing = true;
    this.#playoutTimestamp = timestamp;
    this.#emptyFrames = this.#surplusFrames = this.#shortfallFrames = 0;
    this.#head = first;
    return true;
  }

  /** Moves the playout time towards the wanted delay; true where this frame must be made up to gain delay. */
  #adjust(nowMs: number, quiet: boolean, frame: number): boolean {
    const surplusMs = nowMs - this.#delay.baseMs - this.#playoutTimestamp / 8 - this.#delay.targetMs;
    this.#surplusFrames = surplusMs >= SURPLUS_MS ? this.#surplusFrames + 1 : 0;
    this.#shortfallFrames = surplusMs <= -SHORTFALL_MS ? this.#shortfallFrames + 1 : 0;
    if (surplusMs > HARD_SURPLUS_MS) {
      this.#playoutTimestamp += Math.floor((surplusMs * 8) / frame) * frame;
      this.#surplusFrames = 0;
    } else if (this.#surplusFrames > (quiet ? SURPLUS_FRAMES : 2 * SURPLUS_FRAMES)) {
      this.#playoutTimestamp += frame;
      this.#surplusFrames = 0;
    } else if (this.#shortfallFrames > 0 && (quiet || this.#shortfallFrames > SHORTFALL_FRAMES || !this.#isDue())) {
      this.#shortfallFrames = 0;
      return true;
    }
    return false;
  }

  #fill(out: Uint8Array, parts: PartReader | undefined): Pulled {
    const start = this.#playoutTimestamp;
    const end = start + out.length;
    let position = start;
    let audio = 0;
    let lost = false;
    while (position < end) {
      const sequence = this.#nextPresent(this.#head);
      const slot = sequence % SLOTS;
      const from = sequence < 0 ? end : this.#timestamps[slot]!;
      const to = sequence < 0 ? end : from + this.#lengths[slot]!;
      if (from > position || sequence < 0) {
        const gapEnd = Math.min(from, end);
        // Sequence numbers without a gap around missing time: the sender was silent on purpose.
        if (sequence !== this.#head && !this.#comfort) {
          if (!lost) this.lostFrom = position - start;
          this.lostTo = gapEnd - start;
          lost = true;
          const next = sequence >= 0 && from === gapEnd ? this.#payloads[slot] : undefined;
          parts?.miss(gapEnd - position, position - start, next, next === undefined ? 0 : this.#bytes[slot]!);
        }
        position = gapEnd;
        continue;
      }
      if (to > position) {
        const until = Math.min(to, end);
        const payload = this.#payloads[slot]!;
        if (parts === undefined) for (let i = position; i < until; i++) out[i - start] = payload[i - from]!;
        else {
          const [bytes, format] = [this.#bytes[slot]!, this.#formats[slot]!];
          parts.take(payload, bytes, format, sequence, position - from, until - position, position - start);
        }
        audio += until - position;
        position = until;
      }
      if (to <= position) {
        this.#consume(slot, sequence);
        this.#head = sequence + 1;
      }
    }
    if (audio > 0) return 'audio';
    return lost ? 'lost' : 'silent';
  }

  /** Whether the packet of the playout time is here; where it is not, waiting for it costs nothing that is not lost anyway. */
  #isDue(): boolean {
    const next = this.#nextPresent(this.#head);
    return next >= 0 && this.#timestamps[next % SLOTS]! <= this.#playoutTimestamp;
  }

  /** The next packet at or after a sequence number, or -1. */
  #nextPresent(sequence: number): number {
    if (this.#waiting === 0) return -1;
    for (let s = sequence; s <= this.#highest; s++) {
      const slot = s % SLOTS;
      if (this.#sequences[slot] === s && this.#lengths[slot]! >= 0) return s;
    }
    return -1;
  }
}
