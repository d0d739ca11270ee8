import { BandDecoder, BandEncoder } from './g722-bands.ts';

/** The band-splitting filter of ITU-T G.722 (clause 3.1), for 16 kHz, as 8192ths; the upper band's has every second sign turned. */
const QMF = mirrored([3, -11, -11, 53, 12, -156, 32, 362, -210, -805, 951, 3876]);
/** A half-band low pass at 16 kHz: even to 3.4 kHz, −60 dB from 4.6 kHz on. */
const HALF_BAND = halfBand(47, 6);
/** What a sample at 8 kHz adds to later ones of each band: interpolation and splitting in one. Backwards, the newest last. */
const LOWER = kernel(1);
const UPPER = kernel(-1);
const TAPS = LOWER.length;
/** As many samples as are filtered at once; history is moved as rarely. */
const BLOCK = 160;

/**
 * Codes 8 kHz speech as G.722, whose own rate is 16 kHz, for one direction of a call. Both bands are coded, as the
 * filters overlap: without its share in the upper band a sound at 3 kHz would have a mirror image at 5 kHz, only 21 dB
 * below it.
 */
export class G722Encoder {
  readonly #bands = new BandEncoder();
  readonly #history = new Float64Array(TAPS - 1 + BLOCK);

  /** One octet a sample, 160 at most; `out` holds at least as many. */
  encode(pcm: Int16Array, out: Uint8Array): void {
    const history = this.#history;
    const { length } = pcm;
    for (let i = 0; i < length; i++) history[TAPS - 1 + i] = pcm[i]!;
    for (let i = 0; i < length; i++) {
      let lower = 0.5;
      let upper = 0.5;
      for (let k = 0; k < TAPS; k++) {
        const sample = history[i + k]!;
        lower += sample * LOWER[k]!;
        upper += sample * UPPER[k]!;
      }
      out[i] = this.#bands.encode(Math.floor(lower), Math.floor(upper));
    }
    history.copyWithin(0, length, length + TAPS - 1);
  }
}

/**
 * Decodes G.722 to 8 kHz speech for one direction of a call. The upper band is decoded too: it takes away what the lower
 * one has of sounds beyond 4 kHz, mirrored into the audible by the splitting.
 */
export class G722Decoder {
  readonly #bands = new BandDecoder();
  readonly #lower = new Float64Array(TAPS - 1 + BLOCK);
  readonly #upper = new Float64Array(TAPS - 1 + BLOCK);

  /** Decodes the octets from `from` up to `to`, 160 at most, into `out` from `at` on. */
  decode(octets: Uint8Array, from: number, to: number, out: Int16Array, at: number): void {
    const bands = this.#bands;
    const lower = this.#lower;
    const upper = this.#upper;
    const length = to - from;
    for (let i = 0; i < length; i++) {
      bands.decode(octets[from + i]!);
      lower[TAPS - 1 + i] = bands.lower;
      upper[TAPS - 1 + i] = bands.upper;
    }
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += lower[i + k]! * LOWER[k]! - upper[i + k]! * UPPER[k]!;
      // Half of the amplitude went with each of the missing samples at 16 kHz, half with the bands' 15 bits.
      const sample = Math.round(4 * sum);
      out[at + i] = sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample;
    }
    lower.copyWithin(0, length, length + TAPS - 1);
    upper.copyWithin(0, length, length + TAPS - 1);
  }
}

function mirrored(half: readonly number[]): Float64Array {
  return Float64Array.from([...half, ...half.toReversed()], (one) => one / 8192);
}

/** A windowed sinc (Kaiser) of that many taps whose cut-off is a quarter of the rate. */
function halfBand(taps: number, beta: number): Float64Array {
  const centre = (taps - 1) / 2;
  const weights = Float64Array.from({ length: taps }, (_, i) => {
    const t = i - centre;
    const sinc = t === 0 ? 0.5 : Math.sin((Math.PI * t) / 2) / (Math.PI * t);
    return sinc * bessel(beta * Math.sqrt(1 - (t / centre) ** 2));
  });
  const sum = weights.reduce((total, one) => total + one, 0);
  return weights.map((one) => one / sum);
}

/** The modified Bessel function of the first kind and order zero. */
function bessel(x: number): number {
  let sum = 1;
  for (let k = 1, term = 1; k < 32; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

/** Every second tap of half-band and splitting filter one behind the other, backwards; `sign` −1 for the upper band. */
function kernel(sign: 1 | -1): Float64Array {
  const both = new Float64Array(HALF_BAND.length + QMF.length);
  for (const [i, a] of HALF_BAND.entries()) for (const [k, b] of QMF.entries()) both[i + k]! += a * b * sign ** k;
  return Float64Array.from({ length: both.length >> 1 }, (_, i) => both[2 * i]!).toReversed();
}
