import { FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import type { AudioCodec, G711Codec } from '#telephony/sdp/media.ts';

/** 20 ms of one party as they came from the wire. */
export interface SpokenFrame {
  codec: G711Codec;
  /** False where the party sends nothing at all. */
  present: boolean;
  /** 160 octets. */
  readonly payload: Uint8Array;
  /** The wideband codec in which they came; undefined where `wire` holds nothing. */
  wireCodec: AudioCodec | undefined;
  wire: Uint8Array;
}

/** A frame in the wideband codec of its wire. */
export interface WireFrame {
  readonly codec: AudioCodec;
  readonly bytes: Uint8Array;
}

/** Frames that a line remembers; a listener never lags further behind. */
const KEPT = 4;
/** A listener that has been a frame behind for so long skips one: half a second of lateness after a stall at most. */
const LAG_FRAMES = 25;

/** What one party says, frame by frame. Every listener reads it at its own place, in its own phase of the tick. */
export class FrameLine {
  /** Frames written so far. */
  written = 0;
  readonly #frames: readonly SpokenFrame[] = Array.from({ length: KEPT }, () => ({
    codec: 'PCMA' as G711Codec,
    present: false,
    payload: new Uint8Array(FRAME_SAMPLES),
    wireCodec: undefined,
    wire: new Uint8Array(0),
  }));

  write(codec: G711Codec, payload: Uint8Array, present: boolean, wire?: WireFrame): void {
    const frame = this.#frames[this.written++ % KEPT]!;
    frame.codec = codec;
    frame.present = present;
    frame.payload.set(payload);
    frame.wireCodec = wire?.codec;
    if (wire !== undefined) frame.wire = wire.bytes.slice();
  }

  /** A frame that is still kept. */
  at(index: number): SpokenFrame {
    return this.#frames[index % KEPT]!;
  }
}

/**
 * One listener's place on a line. Both tick every 20 ms, so a frame waits for its reader as long as the phases lie
 * apart: less than 20 ms. A stalled loop may leave more behind; that is caught up with by leaving out one frame.
 */
export class LineReader {
  readonly line: FrameLine;
  #at: number;
  #behind = 0;

  /** Begins with the frame that was written last. */
  constructor(line: FrameLine) {
    this.line = line;
    this.#at = Math.max(0, line.written - 1);
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.line.written - this.#at;
  }

  /** The next frame, or undefined where none has come since the last one. Valid until the line is written again. */
  take(): SpokenFrame | undefined {
    const waiting = this.line.written - this.#at;
    if (waiting <= 0) return undefined;
    this.#behind = waiting > 1 ? this.#behind + 1 : 0;
    if (waiting >= KEPT || this.#behind > LAG_FRAMES) {
      this.#at = this.line.written - 1;
      this.#behind = 0;
    }
    return this.line.at(this.#at++);
  }
}
