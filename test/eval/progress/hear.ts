/** Runs the detectors over one line and names what they made of it. */
import { ProgressDetector } from '#telephony/progress/detector.ts';
import type { Detection } from '#telephony/progress/detector.ts';
import type { FingerprintLibrary } from '#telephony/progress/fingerprint-library.ts';
import type { EarlyCase } from './early-media.ts';
import { overLine } from './line.ts';
import type { Line } from './line.ts';
import { seeded } from './material.ts';

/** The lines that every case goes over. */
export const LINES: readonly Line[] = (
  [
    ['clean A-law', {}],
    ['clean µ-law', { codecs: ['PCMU'] }],
    ['A-law → µ-law → A-law', { codecs: ['PCMA', 'PCMU', 'PCMA'] }],
    ['20 dB quieter', { gainDb: -20 }],
    ['16 dB louder, clipped', { gainDb: 16 }],
    ['noise at 20 dB', { snrDb: 20 }],
    ['noise at 15 dB', { snrDb: 15 }],
    ['noise at 10 dB', { snrDb: 10 }],
    ['1 % loss', { lossRatio: 0.01, jitterMs: 10 }],
    ['5 % loss', { lossRatio: 0.05, jitterMs: 30 }],
    ['10 % loss', { lossRatio: 0.1, jitterMs: 30 }],
    [
      'all: −10 dB, noise at 15 dB, transcoded, 5 % loss',
      { codecs: ['PCMA', 'PCMU'], gainDb: -10, snrDb: 15, lossRatio: 0.05, jitterMs: 30 },
    ],
  ] satisfies readonly (readonly [string, Partial<Line>])[]
).map(([name, line]) => ({ name, codecs: ['PCMA'], gainDb: 0, snrDb: undefined, lossRatio: 0, jitterMs: 0, ...line }));

/** One case heard over one line. */
export interface Heard {
  readonly expected: string;
  readonly got: string;
  readonly line: string;
  readonly name: string;
  readonly detections: readonly Detection[];
  /** What would count when the call ended here, where no announcement was certain. */
  readonly guess: string | undefined;
  readonly frames: number;
  /** Time in the detectors alone. */
  readonly detectorMs: number;
}

/** Tones are judged by themselves, whatever their level: a line's gain is theirs already. */
const TONE_RANK = ['sit', 'busy', 'congestion', 'fax', 'ringback'];

/** Hears a case; the seed decides its level, its beginning and the line's accidents. */
export function hear(one: EarlyCase, line: Line, fingerprints: FingerprintLibrary, seed: number): Heard {
  const detector = new ProgressDetector({ fingerprints, plan: one.plan });
  const detections: Detection[] = [];
  let frames = 0;
  let detectorMs = 0;
  let endMs = 0;
  const isTone = !one.expected.startsWith('taught') && !['speech', 'music', 'silence'].includes(one.expected);
  for (const { pcm, atMs, missing } of overLine(one.make(seeded(seed)), isTone ? { ...line, gainDb: 0 } : line, seed)) {
    const startMs = performance.now();
    const found = detector.push(pcm, atMs, missing);
    detectorMs += performance.now() - startMs;
    detections.push(...found);
    frames++;
    endMs = atMs;
  }
  const guess = detector.finish(endMs)?.label;
  return {
    expected: one.expected,
    got: one.ends === true && guess !== undefined ? `taught:${guess}` : verdict(detections),
    guess,
    line: line.name,
    name: one.name,
    detections,
    frames,
    detectorMs,
  };
}

/** An announcement outranks a tone, a tone the kind of sound; the last kind counts. */
function verdict(detections: readonly Detection[]): string {
  const announced = detections.filter(({ kind }) => kind === 'announcement').at(-1);
  if (announced !== undefined) return `taught:${announced.label}`;
  const tones = detections.filter(({ kind }) => kind === 'tone').map(({ label }) => label);
  for (const rank of TONE_RANK) {
    const tone = tones.find((label) => label.startsWith(rank));
    if (tone !== undefined) return tone;
  }
  return detections.filter(({ kind }) => kind === 'sound').at(-1)?.label ?? 'unknown';
}
