/** Power spectra of windows of one size. Not shared between threads; the result of a call is reused by the next. */
export interface PowerSpectrum {
  readonly size: number;
  /** Power of bins 0 to size / 2 − 1 of the Hann-windowed samples; with fewer samples the rest counts as zero. */
  of(samples: ArrayLike<number>): Float64Array;
}

/**
 * A real FFT of `size` points (a power of two) under a Hann window over the first `windowSamples`: the even and odd
 * samples are the real and imaginary parts of one complex transform of half the size.
 */
export function powerSpectrum(size: number, windowSamples: number = size): PowerSpectrum {
  const half = size / 2;
  const bits = Math.log2(half);
  const hann = Float64Array.from(
    { length: windowSamples },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / windowSamples),
  );
  const cos = Float64Array.from({ length: half }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sin = Float64Array.from({ length: half }, (_, i) => Math.sin((2 * Math.PI * i) / size));
  const reversed = Uint16Array.from({ length: half }, (_, i) => {
    let r = 0;
    for (let bit = 0; bit < bits; bit++) r = (r << 1) | ((i >>> bit) & 1);
    return r;
  });
  const re = new Float64Array(half);
  const im = new Float64Array(half);
  const power = new Float64Array(half);
  const even = windowSamples - (windowSamples % 2);

  const load = (samples: ArrayLike<number>): void => {
    re.fill(0);
    im.fill(0);
    for (let i = 0; i < even; i += 2) {
      const j = reversed[i >> 1]!;
      re[j] = samples[i]! * hann[i]!;
      im[j] = samples[i + 1]! * hann[i + 1]!;
    }
  };
  const transform = (): void => {
    for (let span = 2; span <= half; span *= 2) {
      const wing = span / 2;
      const step = size / span;
      for (let start = 0; start < half; start += span) {
        for (let k = 0; k < wing; k++) {
          const wr = cos[k * step]!;
          const wi = -sin[k * step]!;
          const a = start + k;
          const b = a + wing;
          const tr = wr * re[b]! - wi * im[b]!;
          const ti = wr * im[b]! + wi * re[b]!;
          re[b] = re[a]! - tr;
          im[b] = im[a]! - ti;
          re[a] = re[a]! + tr;
          im[a] = im[a]! + ti;
        }
      }
    }
  };

  return {
    size,
    of(samples) {
      load(samples);
      transform();
      power[0] = (re[0]! + im[0]!) ** 2;
      for (let k = 1; k < half; k++) {
        const mirror = half - k;
        const evenRe = (re[k]! + re[mirror]!) / 2;
        const evenIm = (im[k]! - im[mirror]!) / 2;
        const oddRe = (im[k]! + im[mirror]!) / 2;
        const oddIm = (re[mirror]! - re[k]!) / 2;
        const real = evenRe + cos[k]! * oddRe + sin[k]! * oddIm;
        const imaginary = evenIm + cos[k]! * oddIm - sin[k]! * oddRe;
        power[k] = real * real + imaginary * imaginary;
      }
      return power;
    },
  };
}
