import type { FrameSound } from './spectrum.ts';

/** A single tone that came and went: a mailbox asks for the message. */
export interface Beep {
  readonly hz: number;
  readonly ms: number;
}

const FRAME_MS = 20;
const HZ: readonly [number, number] = [300, 2500];
const MS: readonly [number, number] = [100, 2000];
/** Shorter than this, low tones may be hummed. */
const SHORT_MS = 200;
const SHORT_FROM_HZ = 600;
/**
 * A beep keeps its frequency and its level, which no voice does so well. Held high vowels come near: of 129 greetings of
 * one woman each third held one at 310–390 Hz within 24 Hz for 200 ms and more, but with 4 dB of change and more.
 */
const SPREAD_HZ = 16;
const SPREAD_RATIO = 0.014;
const SPREAD_DB = 2.5;
const VOICE_BELOW_HZ = 430;
const VOICE_SPREAD_HZ = 6;
const VOICE_SPREAD_DB = 1.2;
const PURE_RATIO = 0.82;
/** A frame that is lost or hit by a click does not end a tone. */
const GAP_FRAMES = 1;
/** Tones of exchanges lie here and come again within a second: such a one is no beep. */
const EXCHANGE_HZ: readonly [number, number] = [375, 500];
const ALONE_MS = 1000;

/** Waits for the end of single tones of 300–2500 Hz and 0.1–2 s. */
export class BeepDetector {
  #hz: number[] = [];
  #levels: number[] = [];
  #purity = 0;
  #gap = 0;
  /** A tone of an exchange's frequency that has to stay alone. */
  #pending: { readonly beep: Beep; waitedMs: number } | undefined;

  /** The tone that sounds now; undefined while none does. */
  get soundingHz(): number | undefined {
    return this.#hz.length === 0 ? undefined : this.#meanHz();
  }

  /** Takes the next 20 ms; returns a beep once it is over. */
  push(sound: FrameSound): Beep | undefined {
    const hz = sound.secondHz === undefined ? sound.toneHz : undefined;
    if (hz !== undefined && (this.#hz.length === 0 || Math.abs(hz - this.#meanHz()) <= 50)) {
      this.#hz.push(hz);
      this.#levels.push(sound.levelDb);
      this.#purity += sound.purityRatio;
      this.#gap = 0;
      return this.#wait();
    }
    if (this.#hz.length > 0 && this.#gap < GAP_FRAMES) {
      this.#gap++;
      return this.#wait();
    }
    const beep = this.#ended();
    this.#hz = hz === undefined ? [] : [hz];
    this.#levels = hz === undefined ? [] : [sound.levelDb];
    this.#purity = hz === undefined ? 0 : sound.purityRatio;
    this.#gap = 0;
    if (beep === undefined) return this.#wait();
    if (beep.hz < EXCHANGE_HZ[0] || beep.hz > EXCHANGE_HZ[1]) return beep;
    // The second of a row: the line is busy or rings.
    this.#pending = this.#pending === undefined ? { beep, waitedMs: 0 } : undefined;
    return undefined;
  }

  #wait(): Beep | undefined {
    if (this.#pending === undefined) return undefined;
    this.#pending.waitedMs += FRAME_MS;
    if (this.#pending.waitedMs < ALONE_MS) return undefined;
    const { beep } = this.#pending;
    this.#pending = undefined;
    return beep;
  }

  #ended(): Beep | undefined {
    const frames = this.#hz.length;
    const ms = frames * FRAME_MS;
    if (ms < MS[0] || ms > MS[1] + 2 * FRAME_MS || this.#purity < PURE_RATIO * frames) return undefined;
    // The first and the last frame hold the edges.
    const inner = this.#hz.slice(1, -1);
    const hz = inner.reduce((sum, each) => sum + each, 0) / inner.length;
    const spreadHz = range(inner);
    const spreadDb = range(this.#levels.slice(1, -1));
    if (hz < HZ[0] || hz > HZ[1] || spreadDb > SPREAD_DB) return undefined;
    if (spreadHz > Math.max(SPREAD_HZ, hz * SPREAD_RATIO)) return undefined;
    if (hz < VOICE_BELOW_HZ && (spreadHz > VOICE_SPREAD_HZ || spreadDb > VOICE_SPREAD_DB)) return undefined;
    if (ms < SHORT_MS && hz < SHORT_FROM_HZ) return undefined;
    return { hz: Math.round(hz), ms };
  }

  #meanHz(): number {
    let sum = 0;
    for (const hz of this.#hz) sum += hz;
    return sum / this.#hz.length;
  }
}

/** From the least to the most, without the one that is farthest from the middle: a packet may be lost. */
function range(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rest = sorted.length < 5 ? sorted : trimmed(sorted);
  return rest.at(-1)! - rest[0]!;
}

function trimmed(sorted: readonly number[]): readonly number[] {
  const middle = sorted[sorted.length >> 1]!;
  return middle - sorted[0]! > sorted.at(-1)! - middle ? sorted.slice(1) : sorted.slice(0, -1);
}
