import { AnnouncementMatcher } from './announcement-matcher.ts';
import { CadenceTracker } from './cadence.ts';
import type { TonePlan } from './cadence.ts';
import type { FingerprintLibrary } from './fingerprint-library.ts';
import { SoundJudge } from './sound-kind.ts';
import { analyseFrame, FRAME_SAMPLES } from './spectrum.ts';

/**
 * Something recognised in early media. An announcement's label is the outcome code it stands for, `name` which of the
 * taught ones it is; a sound's is `speech`, `music`, `ringback` or `silence`, what the line has carried lately.
 */
export interface Detection {
  readonly kind: 'tone' | 'announcement' | 'sound';
  readonly label: string;
  readonly name?: string;
  readonly confidence: number;
  /** On the clock that `push` was given. */
  readonly atMs: number;
}

/** How sure a complete cadence makes us. */
const CADENCE_CONFIDENCE = 0.9;

const FRAME_MS = 20;
/** 1.5 s: no announcement is shorter. */
const UNKNOWN_SPEECH_FRAMES = 75;

/** Listens to the early media of one call: tone cadences, known announcements, speech and music. */
export class ProgressDetector {
  readonly #cadence: CadenceTracker;
  readonly #announcements: AnnouncementMatcher;
  readonly #sound = new SoundJudge();
  readonly #heard = new Set<string>();
  #soundingFrames = 0;
  #lastMs: number | undefined;

  constructor(options: { readonly fingerprints: FingerprintLibrary; readonly plan: TonePlan }) {
    this.#cadence = new CadenceTracker(options.plan);
    this.#announcements = new AnnouncementMatcher(options.fingerprints);
  }

  /** Whether the line carried something like an announcement that is not taught, rather than tones, music or silence. */
  get hasUnknownSpeech(): boolean {
    return this.#heard.size === 0 && this.#soundingFrames >= UNKNOWN_SPEECH_FRAMES && this.#sound.kind !== 'music';
  }

  /**
   * Takes 20 ms (Int16 mono, 8 kHz, 160 samples; zeros where nothing came, and then or where it is concealed `missing`); returns what became certain with it: tones
   * and announcements once each, sounds whenever they change.
   */
  push(pcm: Int16Array, atMs: number, missing = false): Detection[] {
    if (pcm.length !== FRAME_SAMPLES) return [];
    const found: Detection[] = [];
    // A loop that was late gave frames up: time went on without them.
    const lost = this.#lastMs === undefined ? 0 : Math.round((atMs - this.#lastMs) / FRAME_MS) - 1;
    this.#lastMs = atMs;
    if (lost > 0) this.#announcements.lose(lost);
    const sound = analyseFrame(pcm);
    if (!sound.silent && sound.toneHz === undefined) this.#soundingFrames++;
    const tone = this.#cadence.push(sound);
    if (tone !== undefined) found.push({ kind: 'tone', label: tone, confidence: CADENCE_CONFIDENCE, atMs });
    const announcement = this.#announcements.push(pcm, sound, this.#sound.kind === 'music', missing);
    if (announcement !== undefined && !this.#heard.has(announcement.label)) {
      this.#heard.add(announcement.label);
      found.push({ kind: 'announcement', ...announcement, atMs });
    }
    const judged = this.#sound.push(sound, tone === 'ringback');
    if (judged !== undefined) found.push({ kind: 'sound', ...judged, atMs });
    return found;
  }

  /** The line was cut: what it most probably announced, where nothing was certain; less was heard of it, so less is sure. */
  finish(atMs: number): Detection | undefined {
    const announcement = this.#heard.size === 0 ? this.#announcements.finish() : undefined;
    return announcement === undefined ? undefined : { kind: 'announcement', ...announcement, atMs };
  }
}
