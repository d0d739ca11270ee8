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
/**
 * Where all packets of that long are too late for playout, and these are some, the way has become longer, as on a handover
 * between cells. A burst behind a stall comes all at once and is soon over.
 */
const LATE_RUN_MS = 150;
const LATE_RUN_PACKETS = 5;
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
const PAYLOAD_BYTES = 160;
const SLOT_FIELDS = 4;
const BYTES_FIELD = 1;
const FORMAT_FIELD = 2;
const PLACE_FIELD = 3;
const PLAYOUT = SLOTS * 2;
const LATE_SINCE = PLAYOUT + 1;

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
  /** Sequence number and timestamp of each slot, then the timestamp of the frame that is due next, and since when all come late. */
  readonly #marks = new Float64Array(SLOTS * 2 + 2).fill(-1);
  /** Of each slot: the units that its packet lasts (−1 once it has been played), its octets, its format, its payload's place. */
  readonly #slots = new Int16Array(SLOTS * SLOT_FIELDS).fill(-1);
  /** As many as ever waited at once: the one that was freed last is taken first, while it lies in the processor's cache. */
  readonly #payloads: Uint8Array[] = [];
  readonly #free: number[] = [];
  /** The lowest sequence number that has not been played. */
  #head = -1;
  #highest = -1;
  #waiting = 0;
  #playing = false;
  #strikes = 0;
  #lateRun = 0;
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
    if (this.#marks[slot * 2] === sequence) return 'duplicate';
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
    if (
      (sequence < this.#head || (this.#playing && units > 0 && timestamp + units <= this.#marks[PLAYOUT]!)) &&
      !this.#endsLateRun(sequence, transitMs, nowMs)
    )
      return 'late';
    this.#lateRun = 0;
    if (sequence - this.#head >= SLOTS) this.#discardBelow(sequence - SLOTS + 1);
    this.#store(slot, sequence, timestamp, payload, units, format);
    return 'kept';
  }

  /** Playout begins anew with a packet that is one too many of those in a row that came too late. */
  #endsLateRun(sequence: number, transitMs: number, nowMs: number): boolean {
    if (this.#lateRun++ === 0) this.#marks[LATE_SINCE] = nowMs;
    if (this.#lateRun < LATE_RUN_PACKETS || nowMs - this.#marks[LATE_SINCE]! < LATE_RUN_MS) return false;
    this.reset();
    this.#delay.observe(transitMs, nowMs);
    this.#head = sequence;
    return true;
  }

  /** Says that a sequence number carried no audio (a telephone-event): it is not missing. */
  skip(sequence: number): void {
    if (this.#head < 0 || sequence < this.#head || sequence - this.#head >= SLOTS) return;
    const slot = sequence % SLOTS;
    if (this.#marks[slot * 2] !== sequence) this.#store(slot, sequence, 0, NO_PAYLOAD, 0, 0);
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
    this.#marks[PLAYOUT]! += out.length;
    if (this.#waiting > 0 || result === 'audio') this.#emptyFrames = 0;
    else if (++this.#emptyFrames >= IDLE_FRAMES) this.#playing = false;
    return result;
  }

  /** Forgets all packets: another source, or a jump of its timestamps. */
  reset(): void {
    for (let slot = 0; slot < SLOTS; slot++) this.#vacate(slot);
    this.#marks.fill(-1);
    this.#head = this.#highest = -1;
    this.#waiting = this.#strikes = this.#lateRun = this.#emptyFrames = this.#surplusFrames = this.#shortfallFrames = 0;
    this.#playing = this.#comfort = false;
    this.#delay.rebase();
  }

  #store(slot: number, sequence: number, timestamp: number, payload: Uint8Array, units: number, format: number): void {
    // A packet from so long ago that its place is needed has been passed over.
    this.#vacate(slot);
    const place = this.#free.pop() ?? this.#payloads.push(new Uint8Array(PAYLOAD_BYTES)) - 1;
    const bytes = payload.length;
    if (bytes > this.#payloads[place]!.length) this.#payloads[place] = new Uint8Array(bytes);
    this.#payloads[place]!.set(payload);
    this.#marks[slot * 2] = sequence;
    this.#marks[slot * 2 + 1] = timestamp;
    const at = slot * SLOT_FIELDS;
    this.#slots[at] = units;
    this.#slots[at + BYTES_FIELD] = bytes;
    this.#slots[at + FORMAT_FIELD] = format;
    this.#slots[at + PLACE_FIELD] = place;
    this.#waiting++;
    if (sequence > this.#highest) this.#highest = sequence;
  }

  #discardBelow(sequence: number): void {
    for (let s = this.#head; s < sequence && s <= this.#highest; s++) this.#consume(s % SLOTS, s);
    this.#head = sequence;
  }

  /** Leaves the sequence number in its slot, so that a duplicate is still known. */
  #consume(slot: number, sequence: number): void {
    if (this.#marks[slot * 2] !== sequence || this.#unitsOf(slot) < 0) return;
    this.#comfort = this.#unitsOf(slot) === 0;
    this.#vacate(slot);
    this.#waiting--;
  }

  #vacate(slot: number): void {
    const at = slot * SLOT_FIELDS;
    if (this.#slots[at]! >= 0) this.#free.push(this.#slots[at + PLACE_FIELD]!);
    this.#slots[at] = -1;
  }

  #unitsOf(slot: number): number {
    return this.#slots[slot * SLOT_FIELDS]!;
  }

  #payloadOf(slot: number): Uint8Array {
    return this.#payloads[this.#slots[slot * SLOT_FIELDS + PLACE_FIELD]!]!;
  }

  #begin(nowMs: number): boolean {
    let first = this.#nextPresent(this.#head);
    while (first >= 0 && this.#unitsOf(first % SLOTS) === 0) {
      this.#consume(first % SLOTS, first);
      this.#head = first + 1;
      first = this.#nextPresent(this.#head);
    }
    if (first < 0) return false;
    const timestamp = this.#marks[(first % SLOTS) * 2 + 1]!;
    if (nowMs < this.#delay.baseMs + timestamp / 8 + this.#delay.targetMs) return false;
    this.#playing = true;
    this.#marks[PLAYOUT] = timestamp;
    this.#emptyFrames = this.#surplusFrames = this.#shortfallFrames = 0;
    this.#head = first;
    return true;
  }

  /** Moves the playout time towards the wanted delay; true where this frame must be made up to gain delay. */
  #adjust(nowMs: number, quiet: boolean, frame: number): boolean {
    const surplusMs = nowMs - this.#delay.baseMs - this.#marks[PLAYOUT]! / 8 - this.#delay.targetMs;
    this.#surplusFrames = surplusMs >= SURPLUS_MS ? this.#surplusFrames + 1 : 0;
    this.#shortfallFrames = surplusMs <= -SHORTFALL_MS ? this.#shortfallFrames + 1 : 0;
    if (surplusMs > HARD_SURPLUS_MS) {
      this.#marks[PLAYOUT]! += Math.floor((surplusMs * 8) / frame) * frame;
      this.#surplusFrames = 0;
    } else if (this.#surplusFrames > (quiet ? SURPLUS_FRAMES : 2 * SURPLUS_FRAMES)) {
      this.#marks[PLAYOUT]! += frame;
      this.#surplusFrames = 0;
    } else if (this.#shortfallFrames > 0 && (quiet || this.#shortfallFrames > SHORTFALL_FRAMES || !this.#isDue())) {
      this.#shortfallFrames = 0;
      return true;
    }
    return false;
  }

  #fill(out: Uint8Array, parts: PartReader | undefined): Pulled {
    const frame = out.length;
    const start = this.#marks[PLAYOUT]!;
    // Units of the frame, small whole numbers: what began before it lies below zero, no further than a packet can reach.
    let position = 0;
    let audio = 0;
    let lost = false;
    while (position < frame) {
      const sequence = this.#nextPresent(this.#head);
      const slot = sequence % SLOTS;
      const from = sequence < 0 ? frame : Math.max(-MAX_UNITS, Math.min(frame, this.#marks[slot * 2 + 1]! - start)) | 0;
      if (from > position || sequence < 0) {
        // Sequence numbers without a gap around missing time: the sender was silent on purpose.
        if (sequence !== this.#head && !this.#comfort) {
          if (!lost) this.lostFrom = position;
          this.lostTo = from;
          lost = true;
          const adjoins = sequence >= 0 && this.#marks[slot * 2 + 1]! - start === from;
          const next = adjoins ? this.#payloadOf(slot) : undefined;
          const bytes = next === undefined ? 0 : this.#slots[slot * SLOT_FIELDS + BYTES_FIELD]!;
          parts?.miss(from - position, position, next, bytes);
        }
        position = from;
        continue;
      }
      const to = from + this.#unitsOf(slot);
      if (to > position) {
        const until = Math.min(to, frame);
        this.#read(slot, sequence, out, parts, from, position, until);
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

  /** The part of a packet that begins at unit `from` of the frame which belongs at its units `at` to `until`. */
  #read(
    slot: number,
    sequence: number,
    out: Uint8Array,
    parts: PartReader | undefined,
    from: number,
    at: number,
    until: number,
  ): void {
    const payload = this.#payloadOf(slot);
    const bytes = this.#slots[slot * SLOT_FIELDS + BYTES_FIELD]!;
    if (parts !== undefined) {
      const format = this.#slots[slot * SLOT_FIELDS + FORMAT_FIELD]!;
      parts.take(payload, bytes, format, sequence, at - from, until - at, at);
    } else if (from === 0 && at === 0 && until === out.length && payload.length === until) out.set(payload);
    else for (let i = at; i < until; i++) out[i] = payload[i - from]!;
  }

  /** Whether the packet of the playout time is here; where it is not, waiting for it costs nothing that is not lost anyway. */
  #isDue(): boolean {
    const next = this.#nextPresent(this.#head);
    return next >= 0 && this.#marks[(next % SLOTS) * 2 + 1]! <= this.#marks[PLAYOUT]!;
  }

  /** The next packet at or after a sequence number, or -1. */
  #nextPresent(sequence: number): number {
    if (this.#waiting === 0) return -1;
    for (let s = sequence; s <= this.#highest; s++) {
      const slot = s % SLOTS;
      if (this.#marks[slot * 2] === s && this.#unitsOf(slot) >= 0) return s;
    }
    return -1;
  }
}
