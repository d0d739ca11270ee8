import { powerSpectrum } from './fft.ts';

/** Samples of one analysis frame: 20 ms at 8 kHz. */
export const FRAME_SAMPLES = 160;

/** Padded with zeros to this many points, so that bins lie 31.25 Hz apart and a peak is found to about 2 Hz. */
const POINTS = 256;
const BIN_HZ = 8000 / POINTS;
const FIRST_BIN = Math.round(250 / BIN_HZ);
const LAST_BIN = Math.round(2800 / BIN_HZ);
/** Half the main lobe of a Hann window of 20 ms: 100 Hz. */
const LOBE_BINS = 3;
const MIDDLE_BINS = 5;

/** Quieter frames (mean square on the 16-bit scale, −52 dBFS or about −46 dBm0) count as silent. */
const SILENCE_POWER = 6800;
/** Share of a frame's power that one main lobe must hold to count as a tone: noise may be 5 dB below it. */
const PURE_RATIO = 0.76;
/** The same for two lobes together, each holding at least an eighth. */
const DUAL_RATIO = 0.76;
const DUAL_SHARE = 0.125;
/** Where two tones 40 or 50 Hz apart are out of phase in mid-frame, their common peak splits into two this close. */
const CLOSE_HZ = 130;

/** What one frame sounds like. */
export interface FrameSound {
  readonly silent: boolean;
  /** A pure tone, or the lower one of a dual tone; tones less than 100 Hz apart count as one between them. */
  readonly toneHz: number | undefined;
  readonly secondHz: number | undefined;
  /** Root mean square in dB below full scale; −100 for digital silence. */
  readonly levelDb: number;
  /** The strongest frequency between 250 and 2800 Hz, whether or not it is a tone; 0 where silent. */
  readonly peakHz: number;
  /** Share of the frame's power that lies around the strongest frequency. */
  readonly purityRatio: number;
}

const spectrum = powerSpectrum(POINTS, FRAME_SAMPLES);
const centred = new Float64Array(FRAME_SAMPLES);

/** Looks for one or two tones in a frame (Int16 mono, 8 kHz, 160 samples). */
export function analyseFrame(pcm: Int16Array): FrameSound {
  let sum = 0;
  let mean = 0;
  for (let i = 0; i < FRAME_SAMPLES; i++) mean += pcm[i]!;
  mean /= FRAME_SAMPLES;
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    const sample = pcm[i]! - mean;
    centred[i] = sample;
    sum += sample * sample;
  }
  const meanSquare = sum / FRAME_SAMPLES;
  const levelDb = meanSquare <= 0 ? -100 : Math.max(-100, 10 * Math.log10(meanSquare) - 90.3);
  if (meanSquare < SILENCE_POWER)
    return { silent: true, toneHz: undefined, secondHz: undefined, levelDb, peakHz: 0, purityRatio: 0 };
  const power = spectrum.of(centred);
  let total = 0;
  for (let bin = 1; bin < POINTS / 2; bin++) total += power[bin]!;
  const first = strongest(power, undefined);
  const share = lobe(power, first, undefined) / total;
  const peakHz = centre(power, first);
  const sound = { silent: false, levelDb, peakHz, purityRatio: share } as const;
  if (share >= PURE_RATIO) return { ...sound, toneHz: middle(power, first), secondHz: undefined };
  const second = strongest(power, first);
  const other = lobe(power, second, first) / total;
  if (share + other >= DUAL_RATIO && other >= DUAL_SHARE) {
    const otherHz = centre(power, second);
    if (Math.abs(otherHz - peakHz) < CLOSE_HZ) return { ...sound, toneHz: (otherHz + peakHz) / 2, secondHz: undefined };
    return { ...sound, toneHz: Math.min(peakHz, otherHz), secondHz: Math.max(peakHz, otherHz) };
  }
  return { ...sound, toneHz: undefined, secondHz: undefined };
}

function strongest(power: Float64Array, apartFrom: number | undefined): number {
  let best = FIRST_BIN;
  let most = -1;
  for (let bin = FIRST_BIN; bin <= LAST_BIN; bin++) {
    if (apartFrom !== undefined && Math.abs(bin - apartFrom) <= LOBE_BINS) continue;
    if (power[bin]! > most) {
      most = power[bin]!;
      best = bin;
    }
  }
  return best;
}

/** Power around a bin, without what belongs to the lobe of another one. */
function lobe(power: Float64Array, bin: number, apartFrom: number | undefined): number {
  let sum = 0;
  for (let b = Math.max(1, bin - LOBE_BINS); b <= bin + LOBE_BINS; b++) {
    if (apartFrom === undefined || Math.abs(b - apartFrom) > LOBE_BINS) sum += power[b]!;
  }
  return sum;
}

/** Where two tones are close together, between them rather than at the louder one. */
function middle(power: Float64Array, bin: number): number {
  let sum = 0;
  let moment = 0;
  for (let b = bin - MIDDLE_BINS; b <= bin + MIDDLE_BINS; b++) {
    sum += power[b]!;
    moment += power[b]! * b;
  }
  return (moment / sum) * BIN_HZ;
}

/** The peak between bins, by a parabola through the logarithms. */
function centre(power: Float64Array, bin: number): number {
  const a = Math.log(power[bin - 1]! + 1);
  const b = Math.log(power[bin]! + 1);
  const c = Math.log(power[bin + 1]! + 1);
  const curve = a - 2 * b + c;
  const shift = curve < 0 ? (a - c) / (2 * curve) : 0;
  return (bin + Math.max(-0.5, Math.min(0.5, shift))) * BIN_HZ;
}
