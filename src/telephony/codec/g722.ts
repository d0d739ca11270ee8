/**
 * The lower sub-band coder of ITU-T G.722 at 64 kbit/s. Its 8 kHz samples are what the band-splitting filters make of
 * 0–4 kHz, so a platform that works at 8 kHz codes and decodes them alone: what it sends has an upper band of silence,
 * and of what it hears the upper band stays undecoded. Names of blocks are those of the Recommendation's clause 6.
 */

/** Decision levels of the 6-bit quantizer, for a scale factor of 1. */
const Q6 = table(
  '0 35 72 110 150 190 233 276 323 370 422 473 530 587 650 714 786 858 ' +
    '940 1023 1121 1219 1339 1458 1612 1765 1980 2195 2557 2919',
);
/** Output of the 4-bit inverse quantizer, by the upper four bits of a code. */
const QM4 = table('0 -20456 -12896 -8968 -6288 -4240 -2584 -1200 20456 12896 8968 6288 4240 2584 1200 0');
/** Positive half of the 6-bit inverse quantizer, by 61 − code from the largest on, and the two smallest negative ones. */
const QM6_MAGNITUDES = table(
  '24808 21904 19008 16704 14984 13512 12280 11192 10232 9360 8576 7856 7192 6576 6000 5456 4944 ' +
    '4464 4008 3576 3168 2776 2400 2032 1688 1360 1040 728',
);
const QM6 = Int32Array.of(
  ...table('-136 -136 -136 -136'),
  ...QM6_MAGNITUDES.map((one) => -one),
  ...QM6_MAGNITUDES,
  ...table('432 136 -432 -136'),
);
/** Codes by quantizer interval for negative and for other differences. */
const NEGATIVE_CODES = Uint8Array.from({ length: Q6.length + 1 }, (_, i) => (i < 3 ? 64 - i : 34 - i));
const POSITIVE_CODES = Uint8Array.from({ length: Q6.length + 1 }, (_, i) => 62 - i);
/** Multipliers of the logarithmic scale factor, by the upper four bits of a code. */
const WL = table('-60 3042 1198 538 334 172 58 -30 3042 1198 538 334 172 58 -30 -60');
/** 2048 · 2^(i / 32). */
const ILB = table(
  '2048 2093 2139 2186 2233 2282 2332 2383 2435 2489 2543 2599 2656 2714 2774 2834 2896 2960 ' +
    '3025 3091 3158 3228 3298 3371 3444 3520 3597 3676 3756 3838 3922 4008',
);
const MAX_LOG_SCALE = 18_432;
const FIRST_SCALE = 32;
/** The upper band's code of a signal of zero, in bits 7 and 6. */
const UPPER_SILENCE = 0xc0;

/** The adaptive predictor and scale factor that coder and decoder run alike. */
class LowerBand {
  /** Predicted next sample, 15 bits. */
  predicted = 0;
  scale = FIRST_SCALE;
  #logScale = 0;
  /** Pole section: reconstructed signals, partially reconstructed signals and coefficients, the latest first. */
  #r1 = 0;
  #p1 = 0;
  #p2 = 0;
  #a1 = 0;
  #a2 = 0;
  /** Zero section: differences, the latest first, and their coefficients. */
  readonly #d = new Int32Array(6);
  readonly #b = new Int32Array(6);
  /** What the zero section predicted. */
  #zeros = 0;

  /** Blocks LOGSCL, SCALEL and 4L with the upper four bits of a code. */
  adapt(code: number): void {
    const difference = (this.scale * QM4[code]!) >> 15;
    let log = ((this.#logScale * 127) >> 7) + WL[code]!;
    if (log < 0) log = 0;
    else if (log > MAX_LOG_SCALE) log = MAX_LOG_SCALE;
    this.#logScale = log;
    const shift = 8 - (log >> 11);
    const mantissa = ILB[(log >> 6) & 31]!;
    this.scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
    this.#predict(difference);
  }

  #predict(difference: number): void {
    const reconstructed = saturate(this.predicted + difference);
    const partial = saturate(this.#zeros + difference);
    this.#updatePoles(partial);
    let zeros = 0;
    const d = this.#d;
    const b = this.#b;
    const step = difference === 0 ? 0 : 128;
    for (let i = 5; i >= 0; i--) {
      const before = d[i]!;
      const grown = (before ^ difference) < 0 ? -step : step;
      const weight = saturate(((b[i]! * 32_640) >> 15) + grown);
      b[i] = weight;
      const latest = i === 0 ? difference : d[i - 1]!;
      d[i] = latest;
      zeros += (weight * saturate(latest + latest)) >> 15;
    }
    this.#zeros = saturate(zeros);
    const poles =
      ((this.#a1 * saturate(reconstructed + reconstructed)) >> 15) + ((this.#a2 * saturate(this.#r1 + this.#r1)) >> 15);
    this.#r1 = reconstructed;
    this.predicted = saturate(saturate(poles) + this.#zeros);
  }

  /** Blocks UPPOL2 and UPPOL1. */
  #updatePoles(partial: number): void {
    const like1 = (partial ^ this.#p1) >= 0;
    const like2 = (partial ^ this.#p2) >= 0;
    const scaled = saturate(this.#a1 << 2);
    const lead = like1 ? Math.min(32_767, -scaled) : scaled;
    let a2 = (like2 ? 128 : -128) + (lead >> 7) + ((this.#a2 * 32_512) >> 15);
    if (a2 > 12_288) a2 = 12_288;
    else if (a2 < -12_288) a2 = -12_288;
    const bound = 15_360 - a2;
    let a1 = saturate((like1 ? 192 : -192) + ((this.#a1 * 32_640) >> 15));
    if (a1 > bound) a1 = bound;
    else if (a1 < -bound) a1 = -bound;
    this.#a1 = a1;
    this.#a2 = a2;
    this.#p2 = this.#p1;
    this.#p1 = partial;
  }
}

/** Codes 8 kHz speech for one direction of a call. */
export class G722Encoder {
  readonly #band = new LowerBand();

  /** One octet a sample; `out` holds at least as many. */
  encode(pcm: Int16Array, out: Uint8Array): void {
    for (let i = 0; i < pcm.length; i++) out[i] = UPPER_SILENCE | this.encodeSample(pcm[i]! >> 1);
  }

  /** The 6-bit code of a sample of 15 bits (blocks SUBTRA, QUANTL, INVQAL). */
  encodeSample(sample: number): number {
    const band = this.#band;
    const difference = saturate(sample - band.predicted);
    const magnitude = difference < 0 ? ~difference : difference;
    const { scale } = band;
    // The interval by halving: levels grow with their number.
    let low = 0;
    let high = Q6.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (magnitude >= (Q6[middle]! * scale) >> 12) low = middle;
      else high = middle;
    }
    const code = difference < 0 ? NEGATIVE_CODES[low + 1]! : POSITIVE_CODES[low + 1]!;
    band.adapt(code >> 2);
    return code;
  }
}

/** Decodes one direction of a call to 8 kHz speech. */
export class G722Decoder {
  readonly #band = new LowerBand();

  /** Decodes the octets from `from` up to `to` into `out` from `at` on. */
  decode(octets: Uint8Array, from: number, to: number, out: Int16Array, at: number): void {
    for (let i = from; i < to; i++) out[at++] = this.decodeSample(octets[i]! & 0x3f) << 1;
  }

  /** The sample of 15 bits of a 6-bit code (blocks INVQBL, RECONS, LIMIT). */
  decodeSample(code: number): number {
    const band = this.#band;
    let sample = band.predicted + ((band.scale * QM6[code]!) >> 15);
    if (sample > 16_383) sample = 16_383;
    else if (sample < -16_384) sample = -16_384;
    band.adapt(code >> 2);
    return sample;
  }
}

function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}

function table(text: string): Int32Array {
  return Int32Array.from(text.split(' '), Number);
}
