import { powerSpectrum } from '#telephony/progress/fft.ts';

const WINDOW_SAMPLES = 2048;
const spectrum = powerSpectrum(WINDOW_SAMPLES);

/** How near a recording is to what was said. */
export interface SpeechScore {
  /** Share of the pieces with speech that sound as they should: less than 6 dB of spectral distance. */
  readonly intactRatio: number;
  /** Mean log-spectral distance of those pieces over 16 bands, each piece limited to 20 dB. */
  readonly distanceDb: number;
  /** Pieces of the original that hold speech. */
  readonly pieces: number;
}

/** 32 ms: a phoneme, and no less than the jitter buffer inserts or leaves out at once. */
const PIECE_SAMPLES = 256;
/** How far from its place a piece is looked for: the jitter buffer moves by whole frames. */
const SEARCH_SAMPLES = 480;
const INTACT_DB = 6;
const LIMIT_DB = 20;
/** A band counts from 30 dB below the loudest of its piece: what is quieter, G.711 drowns. */
const FLOOR_RATIO = 1e-3;
/** Edges of the bands in Hz, about as wide as those of the ear (Zwicker). */
const EDGES_HZ = [100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700];

/**
 * Compares a recording with the original, both Int16 at 8 kHz: every 32 ms with speech is looked for where it should be
 * (by correlation, ± 60 ms around the place of the piece before it), and its spectrum is compared band by band. The
 * whole recording may begin anywhere.
 */
export function scoreSpeech(original: Int16Array, heard: Int16Array): SpeechScore {
  let shift = globalShift(original, heard);
  const loud = Math.max(...pieceStarts(original).map((start) => energy(original, start)));
  const distances = pieceStarts(original)
    .filter((start) => energy(original, start) > loud * 1e-3)
    .map((start) => {
      const found = bestShift(original, heard, start, shift);
      // A piece that is not there tells nothing about its place.
      if (found.likeness > 0.6) shift = found.shift;
      return distanceDb(original, start, heard, start + shift);
    });
  return {
    intactRatio: distances.filter((distance) => distance < INTACT_DB).length / distances.length,
    distanceDb: distances.reduce((sum, distance) => sum + distance, 0) / distances.length,
    pieces: distances.length,
  };
}

function pieceStarts(pcm: Int16Array): readonly number[] {
  return Array.from({ length: Math.floor(pcm.length / PIECE_SAMPLES) }, (_, i) => i * PIECE_SAMPLES);
}

function energy(pcm: Int16Array, start: number): number {
  let sum = 0;
  for (let i = start; i < start + PIECE_SAMPLES; i++) sum += (pcm[i] ?? 0) ** 2;
  return sum;
}

/** Where the recording begins: the shift at which the envelopes in steps of 20 ms fit best. */
function globalShift(original: Int16Array, heard: Int16Array): number {
  const step = 160;
  const envelope = (pcm: Int16Array): readonly number[] =>
    Array.from({ length: Math.floor(pcm.length / step) }, (_, i) => {
      let sum = 0;
      for (let k = i * step; k < (i + 1) * step; k++) sum += Math.abs(pcm[k]!);
      return sum;
    });
  const [a, b] = [envelope(original), envelope(heard)];
  let best = { shift: 0, fit: -1 };
  for (let shift = -25; shift < b.length; shift++) {
    const fit = a.reduce((sum, value, i) => sum + value * (b[i + shift] ?? 0), 0);
    if (fit > best.fit) best = { shift, fit };
  }
  return best.shift * step;
}

/** The place of one piece near where it is expected, and how alike it is there: 1 for the same wave. */
function bestShift(
  original: Int16Array,
  heard: Int16Array,
  start: number,
  expected: number,
): { readonly shift: number; readonly likeness: number } {
  const own = energy(original, start);
  let best = { shift: expected, likeness: -1 };
  // Every second place is near enough for voices, which have little above 2 kHz.
  for (let shift = expected - SEARCH_SAMPLES; shift <= expected + SEARCH_SAMPLES; shift += 2) {
    let product = 0;
    let other = 1;
    for (let i = 0; i < PIECE_SAMPLES; i++) {
      const sample = heard[start + shift + i] ?? 0;
      product += original[start + i]! * sample;
      other += sample * sample;
    }
    const likeness = product / Math.sqrt(own * other);
    if (likeness > best.likeness) best = { shift, likeness };
  }
  return best;
}

function distanceDb(original: Int16Array, start: number, heard: Int16Array, at: number): number {
  const [a, b] = [bandPowers(original, start), bandPowers(heard, at)];
  const floor = Math.max(...a) * FLOOR_RATIO;
  const squares = a.map((power, i) => (10 * Math.log10((power + floor) / (b[i]! + floor))) ** 2);
  return Math.min(LIMIT_DB, Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / squares.length));
}

function bandPowers(pcm: Int16Array, start: number): readonly number[] {
  const samples = new Float64Array(WINDOW_SAMPLES);
  for (let i = 0; i < PIECE_SAMPLES; i++)
    samples[(WINDOW_SAMPLES - PIECE_SAMPLES) / 2 + i] =
      (pcm[start + i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / PIECE_SAMPLES));
  const power = spectrum.of(samples);
  const binHz = 8_000 / WINDOW_SAMPLES;
  return EDGES_HZ.slice(1).map((high, i) => {
    let sum = 0;
    for (let bin = Math.ceil(EDGES_HZ[i]! / binHz); bin * binHz < high; bin++) sum += power[bin]!;
    return sum + 1;
  });
}
