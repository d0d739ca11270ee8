/** 256 ms at 8 kHz. */
export const WINDOW_SAMPLES = 2048;

const hann = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW_SAMPLES),
);
const cos = Float64Array.from({ length: WINDOW_SAMPLES / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / WINDOW_SAMPLES));
const sin = Float64Array.from({ length: WINDOW_SAMPLES / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / WINDOW_SAMPLES));
const reversed = Uint16Array.from({ length: WINDOW_SAMPLES }, (_, i) => {
  let r = 0;
  for (let bit = 0; bit < 11; bit++) r = (r << 1) | ((i >>> bit) & 1);
  return r;
});
const re = new Float64Array(WINDOW_SAMPLES);
const im = new Float64Array(WINDOW_SAMPLES);
const power = new Float64Array(WINDOW_SAMPLES / 2);

/** Power per bin of a Hann-windowed frame (radix-2 FFT). The result is reused by the next call. */
export function powerSpectrum(samples: Float64Array): Float64Array {
  for (let i = 0; i < WINDOW_SAMPLES; i++) {
    const j = reversed[i]!;
    re[j] = samples[i]! * hann[i]!;
    im[j] = 0;
  }
  for (let size = 2; size <= WINDOW_SAMPLES; size *= 2) {
    const half = size / 2;
    const step = WINDOW_SAMPLES / size;
    for (let start = 0; start < WINDOW_SAMPLES; start += size) {
      for (let k = 0; k < half; k++) {
        const wr = cos[k * step]!;
        const wi = -sin[k * step]!;
        const a = start + k;
        const b = a + half;
        const tr = wr * re[b]! - wi * im[b]!;
        const ti = wr * im[b]! + wi * re[b]!;
        re[b] = re[a]! - tr;
        im[b] = im[a]! - ti;
        re[a] = re[a]! + tr;
        im[a] = im[a]! + ti;
      }
    }
  }
  for (let i = 0; i < power.length; i++) power[i] = re[i]! * re[i]! + im[i]! * im[i]!;
  return power;
}
