/** A decoded recording: PCM of both sides at the file's rate, one Int16Array per channel. */
export interface DecodedWav {
  readonly rateHz: number;
  readonly channels: readonly Int16Array[];
}

const PCM = 1;
const ALAW = 6;
const MULAW = 7;

/**
 * Decodes a WAV file of A-law, µ-law or 16-bit PCM, which browsers do not all do. Undefined where it is no such file;
 * a file that was cut short gives what is there.
 */
export function decodeWav(file: ArrayBuffer): DecodedWav | undefined {
  const view = new DataView(file);
  if (view.byteLength < 12 || tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE') return undefined;
  let format:
    | { readonly code: number; readonly channels: number; readonly rateHz: number; readonly bits: number }
    | undefined;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(view, at) === 'fmt ' && size >= 16 && body + 16 <= view.byteLength) {
      format = {
        code: view.getUint16(body, true),
        channels: view.getUint16(body + 2, true),
        rateHz: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      };
    }
    if (tag(view, at) === 'data' && format !== undefined && format.channels > 0) {
      const bytes = Math.min(size, view.byteLength - body);
      const sample = sampleReader(view, format.code, format.bits);
      if (sample === undefined) return undefined;
      const frames = Math.floor(bytes / (sample.bytes * format.channels));
      const channels = Array.from({ length: format.channels }, () => new Int16Array(frames));
      for (let frame = 0, position = body; frame < frames; frame++) {
        for (const channel of channels) {
          channel[frame] = sample.read(position);
          position += sample.bytes;
        }
      }
      return { rateHz: format.rateHz, channels };
    }
    // Chunks begin at even offsets.
    at = body + size + (size % 2);
  }
  return undefined;
}

/** A 16-bit PCM WAV file, which every browser plays. */
export function encodePcmWav({ rateHz, channels }: DecodedWav): ArrayBuffer {
  const frames = channels[0]?.length ?? 0;
  const frameBytes = channels.length * 2;
  const view = new DataView(new ArrayBuffer(44 + frames * frameBytes));
  const write = (at: number, text: string): void => {
    for (let index = 0; index < text.length; index++) view.setUint8(at + index, text.charCodeAt(index));
  };
  write(0, 'RIFF');
  view.setUint32(4, 36 + frames * frameBytes, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, 16, true);
  write(36, 'data');
  view.setUint32(40, frames * frameBytes, true);
  for (let frame = 0, at = 44; frame < frames; frame++) {
    for (const channel of channels) {
      view.setInt16(at, channel[frame] ?? 0, true);
      at += 2;
    }
  }
  return view.buffer;
}

/** One A-law byte as 16-bit PCM (ITU-T G.711). */
export function alawToPcm(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code & 0x70) >> 4;
  const mantissa = (code & 0x0f) << 4;
  const magnitude = segment === 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}

/** One µ-law byte as 16-bit PCM (ITU-T G.711). */
export function mulawToPcm(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}

interface SampleReader {
  readonly bytes: number;
  readonly read: (at: number) => number;
}

function sampleReader(view: DataView, code: number, bits: number): SampleReader | undefined {
  if (code === PCM && bits === 16) return { bytes: 2, read: (at) => view.getInt16(at, true) };
  if (code !== ALAW && code !== MULAW) return undefined;
  const decode = code === ALAW ? alawToPcm : mulawToPcm;
  const table = Int16Array.from({ length: 256 }, (_, byte) => decode(byte));
  return { bytes: 1, read: (at) => table[view.getUint8(at)] ?? 0 };
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}
