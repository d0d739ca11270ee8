import { fingerprint } from './fingerprint.ts';
import type { Fingerprint } from './fingerprint.ts';
import { BLOCK, closest } from './fingerprint-library.ts';
import type { FingerprintLibrary } from './fingerprint-library.ts';
import { ProgressDetector } from './detector.ts';
import type { Detection } from './detector.ts';
import { musicLogit } from './sound-kind.ts';
import { analyseFrame, FRAME_SAMPLES } from './spectrum.ts';
import type { FrameSound } from './spectrum.ts';

/** What is wrong, or may be, with a recording that is to be taught. */
export type LessonFault = 'silent' | 'too-short' | 'music-only' | 'clipped' | 'faint' | 'long';

/** The part of a recording that holds an announcement. */
export interface Lesson {
  /** Int16 mono, 8 kHz, from the first to the last sound that is neither tone nor music. */
  readonly pcm: Int16Array;
  readonly fromMs: number;
  readonly toMs: number;
  /** `silent`, `too-short` and `music-only` cannot be taught; the others are warnings. */
  readonly faults: readonly LessonFault[];
}

/** How much a taught announcement is like another sound. */
export interface Likeness {
  readonly name: string;
  readonly label: string;
  /** Bit errors of the likest 1.9 s: under 0.36 alike, from 0.41 on unrelated. */
  readonly bitErrorRatio: number;
  /** Share of the sound that the announcement has too, 0–1. */
  readonly sharedRatio: number;
}

const FRAME_MS = 20;
/** A second of sound, judged together. */
const PART_FRAMES = 50;
/** Above this a second is music; between announcement and melody a doubt stays speech. */
const MUSIC_LOGIT = 2.5;
const MIN_SOUNDING_FRAMES = 100;
const LONG_MS = 60_000;
const FAINT_DB = -42;
const CLIPPED_RATIO = 0.004;
/** Of two recordings of the same announcement more than this is common; announcements of one voice share a phrase. */
const LIKE_RATIO = 0.36;

/** Cuts a recording (Int16 mono, 8 kHz) to its announcement: silence, tones and music around it go. */
export function cutLesson(pcm: Int16Array): Lesson {
  const sounds: FrameSound[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES)
    sounds.push(analyseFrame(pcm.subarray(at, at + FRAME_SAMPLES)));
  const tonal = tonalFrames(sounds);
  const sounding = sounds.map((sound, i) => !sound.silent && !tonal[i]);
  const musical = musicalFrames(sounds);
  const wanted = sounding.map((sounds_, i) => sounds_ && !musical[i]);
  const first = wanted.indexOf(true);
  const last = wanted.lastIndexOf(true);
  const count = wanted.filter(Boolean).length;
  const faults: LessonFault[] = [];
  if (!sounding.includes(true)) faults.push('silent');
  else if (count < MIN_SOUNDING_FRAMES) faults.push(musical.includes(true) ? 'music-only' : 'too-short');
  if (first < 0) return { pcm: new Int16Array(0), fromMs: 0, toMs: 0, faults };
  const part = pcm.slice(first * FRAME_SAMPLES, Math.min((last + 1) * FRAME_SAMPLES, (first * FRAME_MS + LONG_MS) * 8));
  if ((last + 1 - first) * FRAME_MS > LONG_MS) faults.push('long');
  if (part.filter((sample) => Math.abs(sample) > 32_000).length > part.length * CLIPPED_RATIO) faults.push('clipped');
  const levels = sounds.filter((_, i) => wanted[i]).map(({ levelDb }) => levelDb);
  if (levels.toSorted((a, b) => a - b)[Math.floor(levels.length * 0.8)]! < FAINT_DB) faults.push('faint');
  return { pcm: part, fromMs: first * FRAME_MS, toMs: (last + 1) * FRAME_MS, faults };
}

/** The taught announcements that a fingerprint is like, the likest first. */
export function likenesses(print: Fingerprint, library: FingerprintLibrary): Likeness[] {
  const found = library.entries.map(({ name, label, print: known }) => {
    let best = 0.5;
    let blocks = 0;
    let shared = 0;
    for (let at = 0; at + BLOCK <= print.bits.length; at += BLOCK / 4) {
      if (!isActive(print, at)) continue;
      blocks++;
      const place = closest(known.bits, print.bits.subarray(at, at + BLOCK), 0.5);
      if (place === undefined) continue;
      best = Math.min(best, place.bitErrorRatio);
      if (place.bitErrorRatio < LIKE_RATIO) shared++;
    }
    return { name, label, bitErrorRatio: rounded(best), sharedRatio: rounded(shared / Math.max(1, blocks)) };
  });
  return found.toSorted((a, b) => b.sharedRatio - a.sharedRatio || a.bitErrorRatio - b.bitErrorRatio);
}

/** What the detectors make of a recording, as early media of a call: everything that they would tell, in order. */
export function listen(pcm: Int16Array, fingerprints: FingerprintLibrary): Detection[] {
  const detector = new ProgressDetector({ fingerprints, plan: 'cn' });
  const found: Detection[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= pcm.length; at += FRAME_SAMPLES)
    found.push(...detector.push(pcm.subarray(at, at + FRAME_SAMPLES), at / 8));
  return found;
}

/** Whether two recordings are of one announcement: most of the shorter one is in the other. */
export function sameAnnouncement(a: Fingerprint, b: Fingerprint): boolean {
  const [shorter, longer] = a.bits.length <= b.bits.length ? [a, b] : [b, a];
  const places: number[] = [];
  for (let at = 0; at + BLOCK <= shorter.bits.length; at += BLOCK / 2) {
    if (!isActive(shorter, at)) continue;
    places.push(closest(longer.bits, shorter.bits.subarray(at, at + BLOCK), 0.5)?.bitErrorRatio ?? 0.5);
  }
  return places.length > 0 && places.filter((ratio) => ratio < LIKE_RATIO).length >= places.length * 0.7;
}

/** The fingerprint of a lesson, or undefined where it is too short for one. */
export function lessonPrint(lesson: Lesson): Fingerprint | undefined {
  const print = fingerprint(lesson.pcm);
  return print.bits.length < BLOCK ? undefined : print;
}

function isActive({ active }: Fingerprint, at: number): boolean {
  let count = 0;
  for (let i = at; i < at + BLOCK; i++) count += active[i]!;
  return count >= BLOCK * 0.6;
}

/** Frames within a tone of at least 160 ms: a vowel is pure for a frame or two as well. */
function tonalFrames(sounds: readonly FrameSound[]): boolean[] {
  const tonal = sounds.map(() => false);
  let from = 0;
  for (let i = 1; i <= sounds.length; i++) {
    const before = sounds[i - 1]!.toneHz;
    const now = sounds[i]?.toneHz;
    if (before !== undefined && now !== undefined && Math.abs(now - before) <= 25) continue;
    if (before !== undefined && i - from >= 8) tonal.fill(true, from, i);
    from = i;
  }
  return tonal;
}

/** Frames of seconds that are music, judged with what is around them. */
function musicalFrames(sounds: readonly FrameSound[]): boolean[] {
  const musical = sounds.map(() => false);
  for (let at = 0; at < sounds.length; at += PART_FRAMES) {
    const around = sounds.slice(Math.max(0, at - PART_FRAMES), at + 2 * PART_FRAMES);
    if (around.filter(({ silent }) => !silent).length < PART_FRAMES) continue;
    if (musicLogit(around) > MUSIC_LOGIT) musical.fill(true, at, Math.min(sounds.length, at + PART_FRAMES));
  }
  return musical;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
