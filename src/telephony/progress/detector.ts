import { CadenceTracker } from './cadence.ts';
import type { TonePlan } from './cadence.ts';
import { AnnouncementMatcher } from './fingerprint.ts';
import type { FingerprintLibrary } from './fingerprint.ts';
import { analyseFrame, FRAME_SAMPLES } from './spectrum.ts';

/** Something recognised in early media. An announcement's label is the outcome code it stands for. */
export interface Detection {
  readonly kind: 'tone' | 'announcement';
  readonly label: string;
  readonly confidence: number;
  /** On the clock that `push` was given. */
  readonly atMs: number;
}

/** How sure a complete cadence makes us. */
const CADENCE_CONFIDENCE = 0.9;

/** Listens to the early media of one call: tone cadences and known announcements. */
export class ProgressDetector {
  readonly #cadence: CadenceTracker;
  readonly #announcements: AnnouncementMatcher;
  readonly #heard = new Map<string, Detection>();

  constructor(options: { readonly fingerprints: FingerprintLibrary; readonly plan: TonePlan }) {
    this.#cadence = new CadenceTracker(options.plan);
    this.#announcements = new AnnouncementMatcher(options.fingerprints);
  }

  /** Takes 20 ms (Int16 mono, 8 kHz, 160 samples); returns what became certain with it, each thing once. */
  push(pcm: Int16Array, atMs: number): Detection[] {
    if (pcm.length !== FRAME_SAMPLES) return [];
    const found: Detection[] = [];
    const tone = this.#cadence.push(analyseFrame(pcm));
    if (tone !== undefined) found.push({ kind: 'tone', label: tone, confidence: CADENCE_CONFIDENCE, atMs });
    const announcement = this.#announcements.push(pcm);
    if (announcement !== undefined && !this.#heard.has(announcement.label)) {
      const detection: Detection = { kind: 'announcement', ...announcement, atMs };
      this.#heard.set(announcement.label, detection);
      found.push(detection);
    }
    return found;
  }
}
