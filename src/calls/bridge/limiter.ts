/** Up to here (−2.5 dBFS) a sum passes as it is. */
const KNEE = 24_576;
const HEADROOM = 32_767 - KNEE;

/**
 * A sum of samples as one 16-bit sample: unchanged below the knee, then bent ever flatter towards full scale, so that
 * two loud voices neither wrap around nor clip into a buzz. Odd and monotone, with the slope of 1 kept at the knee.
 */
export function limit(sum: number): number {
  if (sum <= KNEE && sum >= -KNEE) return sum;
  const over = sum < 0 ? -sum - KNEE : sum - KNEE;
  const bent = Math.round(KNEE + (HEADROOM * over) / (over + HEADROOM));
  return sum < 0 ? -bent : bent;
}
