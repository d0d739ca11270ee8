import { AppError } from '#platform/error.ts';
import { decodeG711, LINE_RATE_HZ } from '#voice/g711.ts';
import { resample } from '#voice/resample.ts';

/** A recording that somebody sent: 8 kHz Int16 of each channel. */
export interface SoundFile {
  readonly channels: readonly Int16Array[];
}

const PCM = 1;
const FLOAT = 3;
const ALAW = 6;
const ULAW = 7;
const EXTENSIBLE = 0xfffe;
const LONGEST_SECONDS = 600;

/**
 * Reads a WAV file of any rate, mono or stereo: PCM of 8, 16, 24 or 32 bits, 32-bit float, A-law or µ-law.
 * @throws AppError `invalid-input`
 */
export function readSoundFile(bytes: Uint8Array): SoundFile {
  const { format, data } = chunksOf(bytes);
  const tag = format.getUint16(0, true);
  const kind = tag === EXTENSIBLE && format.byteLength >= 26 ? format.getUint16(24, true) : tag;
  const count = format.getUint16(2, true);
  const rateHz = format.getUint32(4, true);
  const bits = format.getUint16(14, true);
  if (count < 1 || count > 2) throw unusable({ zh: `它有 ${count} 个声道`, en: `it has ${count} channels` });
  if (rateHz < 4000 || rateHz > 192_000)
    throw unusable({ zh: `采样率是 ${rateHz} Hz`, en: `its sample rate is ${rateHz} Hz` });
  const samples = samplesOf(kind, bits, data);
  const frames = Math.floor(samples.length / count);
  if (frames > rateHz * LONGEST_SECONDS)
    throw unusable({
      zh: '它超过 10 分钟，请先剪到提示音',
      en: 'it is longer than ten minutes; cut it to the announcement',
    });
  return {
    channels: Array.from({ length: count }, (_, channel) => {
      const own = new Float32Array(frames);
      for (let i = 0; i < frames; i++) own[i] = samples[i * count + channel]!;
      return Int16Array.from(resample(own, rateHz, LINE_RATE_HZ), (value) =>
        Math.max(-32_768, Math.min(32_767, Math.round(value))),
      );
    }),
  };
}

function samplesOf(kind: number, bits: number, data: Uint8Array): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const read = (bytes: number, sample: (at: number) => number): Float32Array =>
    Float32Array.from({ length: Math.floor(data.length / bytes) }, (_, i) => sample(i * bytes));
  if (kind === ALAW) return Float32Array.from(decodeG711('PCMA', data));
  if (kind === ULAW) return Float32Array.from(decodeG711('PCMU', data));
  if (kind === FLOAT && bits === 32) return read(4, (at) => view.getFloat32(at, true) * 32_767);
  if (kind === PCM && bits === 8) return read(1, (at) => (view.getUint8(at) - 128) * 256);
  if (kind === PCM && bits === 16) return read(2, (at) => view.getInt16(at, true));
  if (kind === PCM && bits === 24)
    return read(3, (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 256);
  if (kind === PCM && bits === 32) return read(4, (at) => view.getInt32(at, true) / 65_536);
  throw unusable({ zh: `编码是 ${kind}/${bits} 位`, en: `its encoding is ${kind} with ${bits} bits` });
}

/** A data chunk that claims more than there is, as streamed files do, ends with the file. */
function chunksOf(bytes: Uint8Array): { readonly format: DataView; readonly data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE')
    throw unusable({ zh: '它不是 WAV 文件', en: 'it is not a WAV file' });
  let format: DataView | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const end = Math.min(bytes.length, at + 8 + size);
    if (tag(at) === 'fmt ' && end - at >= 24)
      format = new DataView(bytes.buffer, bytes.byteOffset + at + 8, end - at - 8);
    if (tag(at) === 'data' && format !== undefined) return { format, data: bytes.subarray(at + 8, end) };
    at = at + 8 + size + (size % 2);
  }
  throw unusable({ zh: '文件里没有声音数据', en: 'there is no audio data in it' });
}

function unusable(detail: { readonly zh: string; readonly en: string }): AppError {
  return new AppError('invalid-input', {
    zh: `这个文件不能使用：${detail.zh}。请使用 WAV（PCM、浮点、A 律或 µ 律，单声道或双声道，任意采样率）。`,
    en: `The file cannot be used: ${detail.en}. Use WAV (PCM, float, A-law or µ-law; mono or stereo; any sample rate).`,
  });
}
