/** Samples of one analysis frame: 20 ms at 8 kHz, so that bins lie 50 Hz apart. */
export const FRAME_SAMPLES = 160;
const BIN_HZ = 8000 / FRAME_SAMPLES;
const FIRST_BIN = 6;
const LAST_BIN = 46;

/** Below this mean square (about −55 dBFS) a frame counts as silent. */
const SILENCE_POWER = 3500;
/** Share of a frame's power that one cluster of three bins must hold to count as a pure tone. */
const PURE_RATIO = 0.8;
/** The same for two clusters together, each holding at least a fifth. */
const DUAL_RATIO = 0.85;

/** What one frame sounds like; `toneHz` is a pure tone or the lower one of a dual tone, to the nearest 25 Hz. */
export interface FrameSound {
  readonly silent: boolean;
  readonly toneHz: number | undefined;
  readonly secondHz: number | undefined;
}

const SILENT: FrameSound = { silent: true, toneHz: undefined, secondHz: undefined };
const powers = new Float64Array(LAST_BIN + 2);
const coefficients = Float64Array.from(
  { length: LAST_BIN + 2 },
  (_, bin) => 2 * Math.cos((2 * Math.PI * bin) / FRAME_SAMPLES),
);

/**
 * Goertzel over 300–2300 Hz of one frame (Int16 mono, 8 kHz, 160 samples). A pure tone between two bins spreads over
 * its neighbours, hence clusters of three.
 */
export function analyseFrame(pcm: Int16Array): FrameSound {
  let sum = 0;
  let mean = 0;
  for (let i = 0; i < FRAME_SAMPLES; i++) mean += pcm[i]!;
  mean /= FRAME_SAMPLES;
  for (let i = 0; i < FRAME_SAMPLES; i++) sum += (pcm[i]! - mean) ** 2;
  if (sum / FRAME_SAMPLES < SILENCE_POWER) return SILENT;
  for (let bin = FIRST_BIN; bin <= LAST_BIN; bin++)
    powers[bin] = goertzel(pcm, mean, coefficients[bin]!) / (sum * (FRAME_SAMPLES / 2));
  const first = strongest(undefined);
  const share = cluster(first);
  if (share >= PURE_RATIO) return { silent: false, toneHz: centre(first), secondHz: undefined };
  const second = strongest(first);
  const other = cluster(second);
  if (share + other >= DUAL_RATIO && other >= 0.2)
    return { silent: false, toneHz: centre(Math.min(first, second)), secondHz: centre(Math.max(first, second)) };
  return { silent: false, toneHz: undefined, secondHz: undefined };
}

function goertzel(pcm: Int16Array, mean: number, coefficient: number): number {
  let s1 = 0;
  let s2 = 0;
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    const s0 = pcm[i]! - mean + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  return s1 * s1 + s2 * s2 - coefficient * s1 * s2;
}

function strongest(apartFrom: number | undefined): number {
  let best = apartFrom === FIRST_BIN + 1 ? LAST_BIN - 1 : FIRST_BIN + 1;
  let power = -1;
  for (let bin = FIRST_BIN + 1; bin < LAST_BIN; bin++) {
    if (apartFrom !== undefined && Math.abs(bin - apartFrom) <= 2) continue;
    if (powers[bin]! > power) {
      power = powers[bin]!;
      best = bin;
    }
  }
  return best;
}

function cluster(bin: number): number {
  return powers[bin - 1]! + powers[bin]! + powers[bin + 1]!;
}

/** Centre of gravity of the cluster, to 25 Hz. */
function centre(bin: number): number {
  const [a, b, c] = [powers[bin - 1]!, powers[bin]!, powers[bin + 1]!].map(Math.sqrt) as [number, number, number];
  const shift = (c - a) / (a + b + c);
  return Math.round(((bin + shift) * BIN_HZ) / 25) * 25;
}
