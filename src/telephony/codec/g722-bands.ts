/**
 * The two sub-band coders of ITU-T G.722 at 64 kbit/s: ADPCM with 6 bits a sample for 0–4 kHz and with 2 bits for
 * 4–8 kHz, each at 8 kHz. Names of blocks are those of the Recommendation's clause 6.
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
/** Output of the 2-bit inverse quantizer of the upper band. */
const QM2 = table('-7408 -1616 7408 1616');
/** Multipliers of its logarithmic scale factor, by its code. */
const WH = table('798 -214 798 -214');
/** Its one decision level, for a scale factor of 1. */
const Q2 = 564;
const LOWER: Adaptation = { firstScale: 32, octaves: 8, maxLogScale: 18_432 };
const UPPER: Adaptation = { firstScale: 8, octaves: 10, maxLogScale: 22_528 };

/** Where a band's scale factor begins and how far it goes. */
interface Adaptation {
  readonly firstScale: number;
  readonly octaves: number;
  readonly maxLogScale: number;
}

/** The adaptive predictor and scale factor that coder and decoder run alike. */
class Band {
  /** The next sample, 15 bits. */
  predicted = 0;
  scale: number;
  readonly #octaves: number;
  readonly #maxLogScale: number;
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

  constructor(adaptation: Adaptation) {
    this.scale = adaptation.firstScale;
    this.#octaves = adaptation.octaves;
    this.#maxLogScale = adaptation.maxLogScale;
  }

  /** Blocks LOGSCL or LOGSCH, SCALEL or SCALEH, and 4L or 4H. */
  adapt(difference: number, multiplier: number): void {
    let log = ((this.#logScale * 127) >> 7) + multiplier;
    if (log < 0) log = 0;
    else if (log > this.#maxLogScale) log = this.#maxLogScale;
    this.#logScale = log;
    const shift = this.#octaves - (log >> 11);
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

/** Codes both bands of one direction. */
export class BandEncoder {
  readonly #lower = new Band(LOWER);
  readonly #upper = new Band(UPPER);

  /** The octet of a sample of each band, 15 bits each (blocks SUBTRA, QUANTL, INVQAL and SUBTRH, QUANTH, INVQAH). */
  encode(lower: number, upper: number): number {
    return (this.#encodeUpper(upper) << 6) | this.#encodeLower(lower);
  }

  #encodeLower(sample: number): number {
    const band = this.#lower;
    const { scale } = band;
    const difference = saturate(sample - band.predicted);
    const magnitude = difference < 0 ? ~difference : difference;
    // The interval by halving: levels grow with their number.
    let low = 0;
    let high = Q6.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (magnitude >= (Q6[middle]! * scale) >> 12) low = middle;
      else high = middle;
    }
    const code = difference < 0 ? NEGATIVE_CODES[low + 1]! : POSITIVE_CODES[low + 1]!;
    band.adapt((scale * QM4[code >> 2]!) >> 15, WL[code >> 2]!);
    return code;
  }

  #encodeUpper(sample: number): number {
    const band = this.#upper;
    const { scale } = band;
    const difference = saturate(sample - band.predicted);
    const magnitude = difference < 0 ? ~difference : difference;
    const large = magnitude >= (Q2 * scale) >> 12;
    const code = difference < 0 ? (large ? 0 : 1) : large ? 2 : 3;
    band.adapt((scale * QM2[code]!) >> 15, WH[code]!);
    return code;
  }
}

/** Decodes both bands of one direction. */
export class BandDecoder {
  /** The last decoded sample of each band, 15 bits. */
  lower = 0;
  upper = 0;
  readonly #lower = new Band(LOWER);
  readonly #upper = new Band(UPPER);

  /** Blocks INVQBL, RECONS, LIMIT and INVQAH, RECONS, LIMIT. */
  decode(octet: number): void {
    const low = this.#lower;
    const lowCode = octet & 63;
    this.lower = limit(low.predicted + ((low.scale * QM6[lowCode]!) >> 15));
    low.adapt((low.scale * QM4[lowCode >> 2]!) >> 15, WL[lowCode >> 2]!);
    const high = this.#upper;
    const highCode = octet >> 6;
    const difference = (high.scale * QM2[highCode]!) >> 15;
    this.upper = limit(high.predicted + difference);
    high.adapt(difference, WH[highCode]!);
  }
}

function limit(sample: number): number {
  return sample > 16_383 ? 16_383 : sample < -16_384 ? -16_384 : sample;
}

function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}

function table(text: string): Int32Array {
  return Int32Array.from(text.split(' '), Number);
}
