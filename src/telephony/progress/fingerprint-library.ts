import { bitErrors, fingerprint } from './fingerprint.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Sub-fingerprints compared at once: 1.92 s. */
export const BLOCK = 96;
/** Every twelfth, then every fourth sub-fingerprint (256 and 768 bits): within these of the whole block's ratio. */
const COARSE = [
  { stride: 12, margin: 0.06 },
  { stride: 4, margin: 0.05 },
] as const;

/** One taught announcement. */
export interface KnownAnnouncement {
  /** Unique in a library. */
  readonly name: string;
  /** The outcome code that it stands for; several announcements may carry the same. */
  readonly label: string;
  readonly print: Fingerprint;
  /** Sub-fingerprints that are not silence. */
  readonly activeHops: number;
}

/** Where a block fits into a known announcement. */
export interface Alignment {
  readonly known: KnownAnnouncement;
  /** The block's first sub-fingerprint is this one of the announcement. */
  readonly offset: number;
  readonly bitErrorRatio: number;
}

/** Known announcements by what they stand for. Immutable after loading; shared by all calls of a worker. */
export class FingerprintLibrary {
  readonly #entries: KnownAnnouncement[] = [];

  /** Recordings (Int16 mono, 8 kHz) under two seconds are refused. */
  add(label: string, pcm: Int16Array, name: string = label): boolean {
    return this.addPrint(label, fingerprint(pcm), name);
  }

  /** False where the fingerprint is too short to be told from anything. */
  addPrint(label: string, print: Fingerprint, name: string): boolean {
    if (print.bits.length < BLOCK) return false;
    let activeHops = 0;
    for (const flag of print.active) activeHops += flag;
    this.#entries.push({ name, label, print, activeHops });
    return true;
  }

  get size(): number {
    return this.#entries.length;
  }

  get entries(): readonly KnownAnnouncement[] {
    return this.#entries;
  }

  toJson(): unknown {
    return this.#entries.map(({ name, label, print }) => ({ name, label, ...printToJson(print) }));
  }

  static fromJson(json: unknown): FingerprintLibrary {
    const library = new FingerprintLibrary();
    if (!Array.isArray(json)) return library;
    for (const entry of json as { name: string; label: string; bits: string; active: string }[])
      library.addPrint(entry.label, printFromJson(entry), entry.name);
    return library;
  }

  /** The best place of a block in each announcement, where its bit errors are below the limit. */
  alignments(block: Uint32Array, limitRatio: number): Alignment[] {
    const found: Alignment[] = [];
    for (const known of this.#entries) {
      const place = closest(known.print.bits, block, limitRatio);
      if (place !== undefined) found.push({ known, ...place });
    }
    return found;
  }
}

/** A fingerprint as JSON: little-endian words and flags in base64. */
export function printToJson({ bits, active }: Fingerprint): { readonly bits: string; readonly active: string } {
  const words = Buffer.alloc(bits.length * 4);
  for (const [i, word] of bits.entries()) words.writeUInt32LE(word, i * 4);
  return { bits: words.toString('base64'), active: Buffer.from(active).toString('base64') };
}

/** Reads what `printToJson` wrote. */
export function printFromJson(json: { readonly bits: string; readonly active: string }): Fingerprint {
  const words = Buffer.from(json.bits, 'base64');
  const bits = Uint32Array.from({ length: words.length >> 2 }, (_, i) => words.readUInt32LE(i * 4));
  return { bits, active: Uint8Array.from(Buffer.from(json.active, 'base64')) };
}

/** The place of least bit errors of a block in a fingerprint, or undefined where none is below the limit. */
export function closest(
  bits: Uint32Array,
  block: Uint32Array,
  limitRatio: number,
): { readonly offset: number; readonly bitErrorRatio: number } | undefined {
  let found = limitRatio;
  let at = -1;
  for (let offset = 0; offset + BLOCK <= bits.length; offset++) {
    // A part of the block tells nearly all wrong places apart from right ones.
    if (errorRatio(bits, offset, block, COARSE[0].stride) > found + COARSE[0].margin) continue;
    if (errorRatio(bits, offset, block, COARSE[1].stride) > found + COARSE[1].margin) continue;
    const ratio = errorRatio(bits, offset, block, 1);
    if (ratio < found) {
      found = ratio;
      at = offset;
    }
  }
  return at < 0 ? undefined : { offset: at, bitErrorRatio: found };
}

function errorRatio(bits: Uint32Array, offset: number, block: Uint32Array, stride: number): number {
  let errors = 0;
  for (let i = 0; i < BLOCK; i += stride) errors += bitErrors(bits[offset + i]!, block[i]!);
  return (errors * stride) / (BLOCK * 32);
}
