import { AppError } from '#platform/error.ts';
import { decodeG711, LINE_RATE_HZ } from '#voice/g711.ts';
import { resample } from '#voice/resample.ts';
import { readWavFile, WAV_FORMATS } from '#voice/wav-file.ts';

/** A recording that somebody sent: 8 kHz Int16 of each channel. */
export interface SoundFile {
  readonly channels: readonly Int16Array[];
}

const LONGEST_SECONDS = 600;

/**
 * Reads a WAV file of any rate, mono or stereo: PCM of 8, 16, 24 or 32 bits, 32-bit float, A-law or µ-law.
 * @throws AppError `invalid-input`
 */
export function readSoundFile(bytes: Uint8Array): SoundFile {
  const file = readWavFile(bytes);
  if (file === 'not-wav') throw unusable({ zh: '它不是 WAV 文件', en: 'it is not a WAV file' });
  if (file === 'no-data') throw unusable({ zh: '文件里没有声音数据', en: 'there is no audio data in it' });
  const { format, channels: count, rateHz, bits, data } = file;
  if (count < 1 || count > 2) throw unusable({ zh: `它有 ${count} 个声道`, en: `it has ${count} channels` });
  if (rateHz < 4000 || rateHz > 192_000)
    throw unusable({ zh: `采样率是 ${rateHz} Hz`, en: `its sample rate is ${rateHz} Hz` });
  const encoding = encodingOf(format, bits);
  if (encoding === undefined)
    throw unusable({ zh: `编码是 ${format}/${bits} 位`, en: `its encoding is ${format} with ${bits} bits` });
  // Before anything is decoded: that takes many times the memory of the file, on the thread that signals calls.
  const frames = Math.floor(data.length / (encoding.bytes * count));
  if (frames > rateHz * LONGEST_SECONDS)
    throw unusable({
      zh: '它超过 10 分钟，请先剪到提示音',
      en: 'it is longer than ten minutes; cut it to the announcement',
    });
  const samples = encoding.decode(data);
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

/** Octets of a sample, and how they become samples on the 16-bit scale. */
interface Encoding {
  readonly bytes: number;
  readonly decode: (data: Uint8Array) => Float32Array;
}

function encodingOf(format: number, bits: number): Encoding | undefined {
  const { PCM, FLOAT, PCMA, PCMU } = WAV_FORMATS;
  if (format === PCMA) return { bytes: 1, decode: (data) => Float32Array.from(decodeG711('PCMA', data)) };
  if (format === PCMU) return { bytes: 1, decode: (data) => Float32Array.from(decodeG711('PCMU', data)) };
  if (format === FLOAT && bits === 32) return linear(4, (view, at) => view.getFloat32(at, true) * 32_767);
  if (format !== PCM) return undefined;
  if (bits === 8) return linear(1, (view, at) => (view.getUint8(at) - 128) * 256);
  if (bits === 16) return linear(2, (view, at) => view.getInt16(at, true));
  if (bits === 24) return linear(3, (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 256);
  if (bits === 32) return linear(4, (view, at) => view.getInt32(at, true) / 65_536);
  return undefined;
}

function linear(bytes: number, sample: (view: DataView, at: number) => number): Encoding {
  return {
    bytes,
    decode(data) {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      const samples = new Float32Array(Math.floor(data.length / bytes));
      for (let i = 0; i < samples.length; i++) samples[i] = sample(view, i * bytes);
      return samples;
    },
  };
}

function unusable(detail: { readonly zh: string; readonly en: string }): AppError {
  return new AppError('invalid-input', {
    zh: `这个文件不能使用：${detail.zh}。请使用 WAV（PCM、浮点、A 律或 µ 律，单声道或双声道，任意采样率）。`,
    en: `The file cannot be used: ${detail.en}. Use WAV (PCM, float, A-law or µ-law; mono or stereo; any sample rate).`,
  });
}
