import { AppError } from '#platform/error.ts';
import { decodeG711, type G711Codec } from '../g711.ts';
import { readWavFile, WAV_FORMATS } from '../wav-file.ts';

/** A decoded WAV file; samples are on the 16-bit scale, channels mixed into one. */
export interface WavAudio {
  readonly rateHz: number;
  readonly samples: Float32Array;
  /** The file's own bytes when it is mono G.711, ready to send at 8 kHz. */
  readonly g711: { readonly codec: G711Codec; readonly bytes: Uint8Array } | undefined;
}

const G711_FORMATS: Readonly<Record<number, G711Codec>> = { [WAV_FORMATS.PCMA]: 'PCMA', [WAV_FORMATS.PCMU]: 'PCMU' };
const RATES_HZ = [8000, 16_000, 24_000, 44_100, 48_000] as const;

function unusable(detail: { readonly zh: string; readonly en: string }): AppError {
  return new AppError('invalid-input', {
    zh: `录音文件不能使用：${detail.zh}。请使用 WAV（8、16、24、44.1 或 48 kHz，16 位 PCM 或 G.711，单声道或双声道）`,
    en: `The recording cannot be used: ${detail.en}. Use WAV at 8, 16, 24, 44.1 or 48 kHz, 16-bit PCM or G.711, mono or stereo`,
  });
}

/** @throws AppError `invalid-input` for what is not one of the accepted kinds */
export function parseWav(bytes: Uint8Array): WavAudio {
  const file = readWavFile(bytes);
  if (file === 'not-wav') throw unusable({ zh: '不是 WAV 文件', en: 'it is not a WAV file' });
  if (file === 'no-data') throw unusable({ zh: '文件里没有声音数据', en: 'there is no audio data in it' });
  const { format, channels, rateHz, bits, data } = file;
  const codec = G711_FORMATS[format];
  if (!(RATES_HZ as readonly number[]).includes(rateHz))
    throw unusable({ zh: `采样率是 ${rateHz} Hz`, en: `its sample rate is ${rateHz} Hz` });
  if (channels !== 1 && channels !== 2)
    throw unusable({ zh: `有 ${channels} 个声道`, en: `it has ${channels} channels` });
  if (codec === undefined && (format !== WAV_FORMATS.PCM || bits !== 16))
    throw unusable({ zh: `编码是 ${format}/${bits} 位`, en: `its encoding is ${format} with ${bits} bits` });
  const interleaved = codec === undefined ? pcm16(data) : decodeG711(codec, data);
  const samples = new Float32Array(Math.floor(interleaved.length / channels));
  for (let index = 0; index < samples.length; index += 1)
    samples[index] = channels === 1 ? interleaved[index]! : (interleaved[2 * index]! + interleaved[2 * index + 1]!) / 2;
  const own = codec !== undefined && channels === 1 && rateHz === 8000 ? { codec, bytes: data } : undefined;
  return { rateHz, samples, g711: own };
}

function pcm16(data: Uint8Array): Int16Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const pcm = new Int16Array(Math.floor(data.length / 2));
  for (let index = 0; index < pcm.length; index += 1) pcm[index] = view.getInt16(2 * index, true);
  return pcm;
}
