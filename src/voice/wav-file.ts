/** What a WAV file holds, not decoded yet. */
export interface WavFile {
  /** The format tag (RFC 2361), that of the samples where it is an extensible one. */
  readonly format: number;
  readonly channels: number;
  readonly rateHz: number;
  /** Of one sample, as the file says. */
  readonly bits: number;
  /** Samples of all channels in turn. */
  readonly data: Uint8Array;
}

/** Format tags that are understood somewhere (RFC 2361). */
export const WAV_FORMATS = { PCM: 1, FLOAT: 3, PCMA: 6, PCMU: 7 } as const;
const EXTENSIBLE = 0xfffe;

/**
 * Walks the RIFF chunks; a data chunk that claims more than there is, as streamed files do, ends with the file.
 * `not-wav` is said of what begins as no such file, `no-data` where no samples come behind their format.
 */
export function readWavFile(bytes: Uint8Array): WavFile | 'not-wav' | 'no-data' {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return 'not-wav';
  let found: Omit<WavFile, 'data'> | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const end = Math.min(bytes.length, at + 8 + size);
    if (tag(at) === 'fmt ' && end - at >= 24) {
      const format = view.getUint16(at + 8, true);
      found = {
        format: format === EXTENSIBLE && end - at >= 34 ? view.getUint16(at + 32, true) : format,
        channels: view.getUint16(at + 10, true),
        rateHz: view.getUint32(at + 12, true),
        bits: view.getUint16(at + 22, true),
      };
    }
    if (tag(at) === 'data' && found !== undefined) return { ...found, data: bytes.subarray(at + 8, end) };
    at = at + 8 + size + (size % 2);
  }
  return 'no-data';
}

/** A WAV file of 16-bit mono samples at 8 kHz (RIFF, PCM). */
export function wavOf(pcm: Int16Array): Uint8Array {
  const bytes = Buffer.alloc(44 + pcm.length * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + pcm.length * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(pcm.length * 2, 40);
  for (let i = 0; i < pcm.length; i++) bytes.writeInt16LE(pcm[i]!, 44 + i * 2);
  return bytes;
}
