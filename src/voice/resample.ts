/** Zero crossings of the sinc on each side; with the Kaiser window below the stop band is under −70 dB. */
const ZERO_CROSSINGS = 24;
const KAISER_BETA = 8;
/** Pass band edge as a share of the lower Nyquist frequency, so that the transition ends at Nyquist. */
const PASS_RATIO = 0.92;

interface Bank {
  /** Output phases before the pattern repeats. */
  readonly up: number;
  readonly down: number;
  readonly half: number;
  /** One row of 2 × half taps for each phase. */
  readonly taps: Float32Array;
}

const banks = new Map<string, Bank>();

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Modified Bessel function of the first kind, order zero. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function bankFor(fromHz: number, toHz: number): Bank {
  const key = `${fromHz}:${toHz}`;
  const known = banks.get(key);
  if (known !== undefined) return known;
  const divisor = gcd(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const cutoff = PASS_RATIO * Math.min(1, toHz / fromHz);
  const half = Math.ceil(ZERO_CROSSINGS / cutoff);
  const taps = new Float32Array(up * 2 * half);
  for (let phase = 0; phase < up; phase += 1) {
    let sum = 0;
    const row = phase * 2 * half;
    for (let tap = 0; tap < 2 * half; tap += 1) {
      const x = tap - (half - 1) - phase / up;
      const inside = 1 - (x / half) ** 2;
      const window = inside <= 0 ? 0 : bessel0(KAISER_BETA * Math.sqrt(inside)) / bessel0(KAISER_BETA);
      const angle = Math.PI * cutoff * x;
      const value = (Math.abs(angle) < 1e-9 ? 1 : Math.sin(angle) / angle) * window;
      taps[row + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < 2 * half; tap += 1) taps[row + tap] = taps[row + tap]! / sum;
  }
  const bank = { up, down, half, taps };
  banks.set(key, bank);
  return bank;
}

/**
 * Changes the sample rate of a whole recording through a Kaiser-windowed sinc low-pass (polyphase FIR), so that nothing
 * above the new Nyquist frequency folds back. Samples before the start and after the end count as zero.
 */
export function resample(samples: Float32Array, fromHz: number, toHz: number): Float32Array {
  if (fromHz === toHz) return samples;
  const { up, down, half, taps } = bankFor(fromHz, toHz);
  const out = new Float32Array(Math.floor((samples.length * up) / down));
  for (let index = 0; index < out.length; index += 1) {
    const position = index * down;
    const base = Math.floor(position / up) - (half - 1);
    const row = (position % up) * 2 * half;
    const first = Math.max(0, -base);
    const last = Math.min(2 * half, samples.length - base);
    let sum = 0;
    for (let tap = first; tap < last; tap += 1) sum += taps[row + tap]! * samples[base + tap]!;
    out[index] = sum;
  }
  return out;
}
