import { writeUint32 } from './packet.ts';

/** Events 0–15 of RFC 4733 §3.2, in order. */
const DIGITS = '0123456789*#ABCD';
const EVENT_BYTES = 4;
const VOLUME_DBM0 = 10;
/** 100 ms of tone and 60 ms between tones, in 20 ms frames. */
const TONE_FRAMES = 5;
const GAP_FRAMES = 3;
const END_PACKETS = 3;
const FRAME_MS = 20;
/** Updates come every 20 to 50 ms; an event without one for that long has ended unseen. */
const EVENT_SILENCE_MS = 150;

/** One key press. */
export interface DtmfEvent {
  readonly digit: string;
  readonly durationMs: number;
  readonly atMs: number;
  /** Heard as a tone, which is in the audio too. */
  readonly asTone?: true;
}

/** Reads telephone-events: many packets of one press, with its end three times, become one event (RFC 4733 §2.5.2). */
export class DtmfReceiver {
  readonly #onEvent: (event: DtmfEvent) => void;
  #timestamp = -1;
  #code = 0;
  #durationUnits = 0;
  #unitsPerMs = 8;
  #startedMs = 0;
  #updatedMs = 0;
  #open = false;

  constructor(onEvent: (event: DtmfEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes the payload of one packet; malformed payloads and other events than keys are ignored. `rateHz`: of its durations. */
  push(timestamp: number, payload: Uint8Array, nowMs: number, rateHz = 8000): void {
    if (payload.length < EVENT_BYTES) return;
    const code = payload[0]!;
    if (code >= DIGITS.length) return;
    const duration = (payload[2]! << 8) | payload[3]!;
    if (timestamp !== this.#timestamp) {
      // An older event that was reordered behind the next one has been reported already.
      if (this.#timestamp >= 0 && (timestamp - this.#timestamp) >>> 0 > 0x80000000) return;
      this.#finish();
      this.#timestamp = timestamp;
      this.#code = code;
      this.#durationUnits = 0;
      this.#unitsPerMs = rateHz / 1000;
      this.#startedMs = nowMs;
      this.#open = true;
    }
    if (!this.#open) return;
    this.#durationUnits = Math.max(this.#durationUnits, duration);
    this.#updatedMs = nowMs;
    if ((payload[1]! & 0x80) !== 0) this.#finish();
  }

  /** Ends an event whose end packets were all lost; to be called every frame. */
  poll(nowMs: number): void {
    if (this.#open && nowMs - this.#updatedMs > EVENT_SILENCE_MS) this.#finish();
  }

  /** Another source: its timestamps cannot be compared. */
  reset(): void {
    this.#finish();
    this.#timestamp = -1;
  }

  #finish(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onEvent({
      digit: DIGITS[this.#code]!,
      durationMs: Math.round(this.#durationUnits / this.#unitsPerMs),
      atMs: this.#startedMs,
    });
  }
}

/** Where a frame's telephone-event packet stands in its event. */
export interface DtmfFrame {
  /** RTP timestamp of the event's start. */
  timestamp: number;
  marker: boolean;
  /** How many copies to send: 3 of the end. */
  copies: number;
  /** The frame belongs to an event or the pause after it: no audio is sent. */
  muted: boolean;
}

/** Plays queued digits as telephone-events in place of audio. */
export class DtmfSender {
  #queue = '';
  #frame = -1;
  #code = 0;
  #timestamp = 0;
  readonly #out: DtmfFrame = { timestamp: 0, marker: false, copies: 0, muted: false };

  /** Appends digits; characters that are no keys are left out. */
  enqueue(digits: string): void {
    for (const digit of digits.toUpperCase()) if (DIGITS.includes(digit)) this.#queue += digit;
  }

  /** Advances by a frame that starts at `timestamp`; writes the event into `payload` and says what to send. `rateHz`: of its durations. */
  next(timestamp: number, payload: Uint8Array, rateHz = 8000): DtmfFrame {
    const out = this.#out;
    out.copies = 0;
    out.marker = false;
    if (this.#frame < 0 && this.#queue.length > 0) {
      this.#code = DIGITS.indexOf(this.#queue[0]!);
      this.#queue = this.#queue.slice(1);
      this.#frame = 0;
      this.#timestamp = timestamp;
    }
    out.muted = this.#frame >= 0;
    if (!out.muted) return out;
    if (this.#frame < TONE_FRAMES) {
      const last = this.#frame === TONE_FRAMES - 1;
      const duration = ((this.#frame + 1) * FRAME_MS * rateHz) / 1000;
      writeUint32(payload, 0, (this.#code << 24) | ((last ? 0x80 : 0) << 16) | (VOLUME_DBM0 << 16) | duration);
      out.timestamp = this.#timestamp;
      out.marker = this.#frame === 0;
      out.copies = last ? END_PACKETS : 1;
    }
    this.#frame++;
    if (this.#frame >= TONE_FRAMES + GAP_FRAMES) this.#frame = -1;
    return out;
  }
}
