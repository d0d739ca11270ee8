/** Active speech level of every prompt, synthesised or recorded: −20 dBFS RMS, in the middle of what carriers expect. */
const TARGET_RMS = 32768 * 10 ** (-20 / 20);
/** Frames below this share of the loudest frame are pauses and do not count for the level. */
const PAUSE_RATIO = 0.1;
/** Above this level the limiter bends the curve, so that peaks approach full scale without clipping. */
const KNEE = 0.7 * 32767;
const WINDOW = 80;
/** Silence left at both ends, in samples at 8 kHz (10 ms and 30 ms): plosives and decays are not cut. */
const KEEP_BEFORE = 80;
const KEEP_AFTER = 240;

function frameLevels(samples: Float32Array): Float32Array {
  const levels = new Float32Array(Math.ceil(samples.length / WINDOW));
  for (let frame = 0; frame < levels.length; frame += 1) {
    const start = frame * WINDOW;
    const end = Math.min(samples.length, start + WINDOW);
    let sum = 0;
    for (let index = start; index < end; index += 1) sum += samples[index]! ** 2;
    levels[frame] = Math.sqrt(sum / Math.max(1, end - start));
  }
  return levels;
}

function limit(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude <= KNEE) return value;
  const room = 32767 - KNEE;
  return Math.sign(value) * (KNEE + room * Math.tanh((magnitude - KNEE) / room));
}

/** Trims silence at both ends and brings speech to the common level; samples are 16-bit scale at 8 kHz. */
export function levelSpeech(samples: Float32Array): Int16Array {
  const levels = frameLevels(samples);
  const loudest = levels.reduce((most, level) => Math.max(most, level), 0);
  if (loudest < 1) return new Int16Array(0);
  const audible = loudest * 0.01;
  const first = levels.findIndex((level) => level > audible);
  const last = levels.findLastIndex((level) => level > audible);
  const start = Math.max(0, first * WINDOW - KEEP_BEFORE);
  const end = Math.min(samples.length, (last + 1) * WINDOW + KEEP_AFTER);
  let sum = 0;
  let count = 0;
  for (const level of levels) {
    if (level < loudest * PAUSE_RATIO) continue;
    sum += level * level;
    count += 1;
  }
  const gain = TARGET_RMS / Math.sqrt(sum / count);
  const out = new Int16Array(end - start);
  for (let index = 0; index < out.length; index += 1) out[index] = Math.round(limit(samples[start + index]! * gain));
  return out;
}
