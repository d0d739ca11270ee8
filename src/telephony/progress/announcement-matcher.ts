import { bitErrors, FingerprintStream, WINDOW_FRAMES } from './fingerprint.ts';
import { BLOCK } from './fingerprint-library.ts';
import type { Alignment, FingerprintLibrary, KnownAnnouncement } from './fingerprint-library.ts';
import type { FrameSound } from './spectrum.ts';

/** Share of a block that must not be silent before it is compared. */
const MIN_ACTIVE_RATIO = 0.6;
/** Bit errors of one block that are looked at more closely. */
const CANDIDATE_RATIO = 0.4;
/** Bit errors over all of an announcement that was heard until now. */
const MAX_BIT_ERROR_RATIO = 0.36;
/** One second that differs is another announcement with the same beginning or end; unrelated sound is at 0.5. */
const PART_HOPS = 48;
const MAX_PART_RATIO = 0.44;
/** All parts go over the same line: none is much worse than the others. */
const PART_MARGIN = 0.13;
/** A part that fits worse than this may have moved by some frames. */
const WELL_PLACED_RATIO = 0.15;
const SHIFTS = [-1, 1, -2, 2] as const;
/** And fits so much better where it went: less is chance. */
const MOVED_RATIO = 0.7;
/** The last half second shows first that another announcement goes on differently. */
const LAST_HOPS = 24;
const MAX_LAST_RATIO = 0.43;
/**
 * Announcements share phrases (您拨打的…, 请稍后再拨, "Sorry, the number you dialed"): so much must have been heard, of a
 * short one this share of it.
 */
const ENOUGH_HOPS = 170;
const ENOUGH_RATIO = 0.9;
/** A label decides only when no other one fits nearly as well. */
const AMBIGUITY_MARGIN = 0.06;
const LATER_MARGIN = 0.08;
/**
 * When the call ends first, the best one counts where so much of what is enough was heard, so well, and so much more than
 * of others (0.6 s).
 */
const GUESS_RATIO = 0.5;
const GUESS_BIT_ERROR_RATIO = 0.3;
const GUESS_MARGIN_HOPS = 30;
const GUESS_CONFIDENCE = 0.9;
/** It was still followed when the sound ended (0.5 s): else another one went on from a like beginning. */
const GUESS_UNTIL_HOPS = 25;
/** A block is compared every so many hops: 300 ms, during music 600 ms: within the shortest announcement all the same. */
const COMPARE_EVERY = 15;
const COMPARE_EVERY_IN_MUSIC = 30;
/** Where something may fit, it is followed every so many hops: a short announcement played once is told by its end. */
const FOLLOW_EVERY = 2;
/** 20 s of what was heard. */
const HISTORY = 1024;
/** What a hop was: silence, sound, or lost with its frames. */
const SOUND = 1;
const LOST = 2;
/** So many frames in a row that did not come are no sound of the announcement; fewer are concealed well. */
const MISSING_FRAMES = 3;

/** A taught announcement that was recognised. */
export interface Recognised {
  readonly label: string;
  readonly name: string;
  readonly confidence: number;
}

/** How an announcement agrees with what was heard, from that many hops before the block on. */
interface Compared {
  readonly ratio: number;
  readonly back: number;
}

/** Some sub-fingerprints of an announcement beside what was heard; `next` is the place before them. */
interface Part {
  readonly errors: number;
  readonly hops: number;
  readonly next: number;
}

/** What was heard of one announcement. */
interface Covered {
  readonly heard: Uint8Array;
  /** Without silence. */
  hops: number;
  bestRatio: number;
  /** How much had been heard when it was last followed. */
  until: number;
}

/** So many sub-fingerprints of one announcement tell it from others. */
function enoughOf({ activeHops }: KnownAnnouncement): number {
  return Math.min(ENOUGH_HOPS, ENOUGH_RATIO * activeHops);
}

/** Listens for the library's announcements in one stream. */
export class AnnouncementMatcher {
  readonly #library: FingerprintLibrary;
  readonly #stream = new FingerprintStream();
  readonly #bits = new Uint32Array(HISTORY);
  readonly #kinds = new Uint8Array(HISTORY);
  /** Hops whose window still holds a seam. */
  #seam = 0;
  #soundUntil = 0;
  #missing = 0;
  readonly #block = new Uint32Array(BLOCK);
  #count = 0;
  /** What the last search found, and when. */
  #candidates: readonly Alignment[] = [];
  #searchedAt = 0;
  /**
   * Parts of announcements that were heard: a repetition brings what was missed at first, and both add up.
   */
  readonly #covered = new Map<KnownAnnouncement, Covered>();
  /** Of what was recognised before: the line cannot make the next one sound much worse. */
  #bestRatio = MAX_BIT_ERROR_RATIO;

  constructor(library: FingerprintLibrary) {
    this.#library = library;
  }

  /**
   * Takes 20 ms (Int16 mono, 8 kHz) and what they sound like; `music` where the line carries that at present, `missing`
   * where nothing came.
   */
  push(pcm: Int16Array, sound: FrameSound, music: boolean, missing = false): Recognised | undefined {
    if (this.#library.size === 0) return undefined;
    this.#missing = missing ? this.#missing + 1 : 0;
    if (this.#missing >= MISSING_FRAMES) this.#seam = WINDOW_FRAMES;
    const sub = this.#stream.push(pcm, sound);
    if (sub === undefined) return undefined;
    this.#note(sub.bits, this.#seam > 0 ? LOST : sub.active ? SOUND : 0);
    this.#seam = Math.max(0, this.#seam - 1);
    if (this.#count < BLOCK) return undefined;
    const every = music ? COMPARE_EVERY_IN_MUSIC : COMPARE_EVERY;
    if (this.#count % every === 0) {
      this.#candidates = this.#loadBlock() ? this.#library.alignments(this.#block, CANDIDATE_RATIO) : [];
      this.#searchedAt = this.#count;
      return this.#decide(this.#candidates);
    }
    const since = this.#count - this.#searchedAt;
    if (this.#candidates.length === 0 || since % FOLLOW_EVERY !== 0) return undefined;
    const moved = this.#candidates
      .map((candidate) => ({ ...candidate, offset: candidate.offset + since }))
      .filter(({ known, offset }) => offset + BLOCK <= known.print.bits.length);
    return this.#decide(moved);
  }

  /**
   * That many frames were given up: what follows keeps its place, and what is missing speaks neither for nor against.
   */
  lose(frames: number): void {
    if (this.#library.size === 0 || this.#count === 0) return;
    for (let i = 0; i < Math.min(frames, HISTORY); i++) this.#note(0, LOST);
    this.#seam = WINDOW_FRAMES;
    this.#candidates = [];
  }

  /**
   * What was most probably announced when the line was cut before that was certain, with a confidence that falls with the
   * part that was missed; undefined where too little was heard, or of another one nearly as much.
   */
  finish(): Recognised | undefined {
    if (this.#count < BLOCK) return undefined;
    const certain = this.#loadBlock()
      ? this.#decide(this.#library.alignments(this.#block, CANDIDATE_RATIO))
      : undefined;
    if (certain !== undefined) return certain;
    const byLabel = new Map<string, { readonly known: KnownAnnouncement; readonly hops: number }>();
    for (const [known, { hops, bestRatio, until }] of this.#covered)
      if (
        bestRatio <= GUESS_BIT_ERROR_RATIO &&
        until + GUESS_UNTIL_HOPS >= this.#soundUntil &&
        hops > (byLabel.get(known.label)?.hops ?? 0)
      )
        byLabel.set(known.label, { known, hops });
    const [best, second] = [...byLabel.values()].toSorted((a, b) => b.hops - a.hops);
    if (best === undefined || best.hops - (second?.hops ?? 0) < GUESS_MARGIN_HOPS) return undefined;
    const share = Math.min(1, best.hops / enoughOf(best.known));
    if (share < GUESS_RATIO) return undefined;
    const { label, name } = best.known;
    return { label, name, confidence: Math.round(1000 * GUESS_CONFIDENCE * share) / 1000 };
  }

  #note(bits: number, kind: number): void {
    this.#bits[this.#count % HISTORY] = bits;
    this.#kinds[this.#count % HISTORY] = kind;
    this.#count++;
    if (kind === SOUND) this.#soundUntil = this.#count;
  }

  #loadBlock(): boolean {
    let active = 0;
    for (let i = 0; i < BLOCK; i++) {
      const at = (this.#count - BLOCK + i) % HISTORY;
      this.#block[i] = this.#bits[at]!;
      if (this.#kinds[at] === SOUND) active++;
    }
    return active >= BLOCK * MIN_ACTIVE_RATIO;
  }

  #decide(alignments: readonly Alignment[]): Recognised | undefined {
    const ratios = new Map<string, { readonly known: KnownAnnouncement; readonly ratio: number; enough: boolean }>();
    for (const alignment of alignments) {
      const { known } = alignment;
      const heard = this.#compareAll(alignment);
      if (heard === undefined) continue;
      const enough = this.#cover(alignment, heard) >= enoughOf(known);
      const before = ratios.get(known.label);
      if (before === undefined || heard.ratio < before.ratio)
        ratios.set(known.label, { known, ratio: heard.ratio, enough });
    }
    const [best, second] = [...ratios.values()].toSorted((a, b) => a.ratio - b.ratio);
    if (
      best === undefined ||
      !best.enough ||
      best.ratio > Math.min(MAX_BIT_ERROR_RATIO, this.#bestRatio + LATER_MARGIN)
    )
      return undefined;
    if (second !== undefined && second.ratio - best.ratio < AMBIGUITY_MARGIN) return undefined;
    const { label, name } = best.known;
    this.#bestRatio = Math.min(this.#bestRatio, best.ratio);
    return { label, name, confidence: Math.round(Math.min(0.99, 1 - best.ratio * 0.5) * 1000) / 1000 };
  }

  /** Notes a part as heard; returns how many sub-fingerprints of the announcement were, silence not counted. */
  #cover({ known, offset }: Alignment, { ratio, back }: Compared): number {
    const { active } = known.print;
    const covered = this.#covered.get(known) ?? {
      heard: new Uint8Array(active.length),
      hops: 0,
      bestRatio: ratio,
      until: 0,
    };
    this.#covered.set(known, covered);
    covered.bestRatio = Math.min(covered.bestRatio, ratio);
    covered.until = this.#count;
    const beginning = this.#count - BLOCK - offset;
    for (let place = offset - back; place < offset + BLOCK; place++) {
      if (covered.heard[place] === 1 || this.#kinds[(beginning + place) % HISTORY] === LOST) continue;
      covered.heard[place] = 1;
      covered.hops += active[place]!;
    }
    return covered.hops;
  }

  /**
   * Everything heard until now that the announcement has too, from the block backwards; undefined where a part differs. A
   * jitter buffer that adapts moves what follows by a frame or two: parts are sought a little around their place.
   */
  #compareAll({ known, offset }: Alignment): Compared | undefined {
    const back = Math.min(offset, Math.min(this.#count, HISTORY) - BLOCK);
    const first = offset - back;
    let beginning = this.#count - BLOCK - offset;
    const last = this.#part(known, beginning, offset + BLOCK - 1, first, LAST_HOPS);
    if (last.hops === LAST_HOPS && last.errors > LAST_HOPS * 32 * MAX_LAST_RATIO) return undefined;
    let errors = 0;
    let hops = 0;
    let worst = 0;
    for (let place = offset + BLOCK - 1; place >= first;) {
      let part = this.#part(known, beginning, place, first, PART_HOPS);
      if (part.errors > part.hops * 32 * WELL_PLACED_RATIO) {
        const here = beginning;
        for (const shift of SHIFTS) {
          const moved = this.#part(known, here + shift, place, first, PART_HOPS);
          if (moved.hops < part.hops || moved.errors >= part.errors * MOVED_RATIO) continue;
          part = moved;
          beginning = here + shift;
        }
      }
      errors += part.errors;
      hops += part.hops;
      place = part.next;
      if (part.hops < PART_HOPS) continue;
      if (part.errors > PART_HOPS * 32 * MAX_PART_RATIO) return undefined;
      worst = Math.max(worst, part.errors);
    }
    if (hops === 0) return undefined;
    const others = hops - PART_HOPS;
    if (others > 0 && worst / PART_HOPS - (errors - worst) / others > 32 * PART_MARGIN) return undefined;
    return { ratio: errors / (hops * 32), back };
  }

  /** Bit errors of so many sub-fingerprints that are neither silent nor lost, from a place backwards, not beyond `first`. */
  #part({ print }: KnownAnnouncement, beginning: number, from: number, first: number, most: number): Part {
    let errors = 0;
    let hops = 0;
    let place = from;
    for (; place >= first && hops < most; place--) {
      const i = beginning + place;
      if (print.active[place] !== 1 || i < 0 || i >= this.#count || this.#kinds[i % HISTORY] === LOST) continue;
      errors += bitErrors(print.bits[place]!, this.#bits[i % HISTORY]!);
      hops++;
    }
    return { errors, hops, next: place };
  }
}
