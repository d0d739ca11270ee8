import { parseArgs } from 'node:util';
import { decodeAlaw, encodeAlaw, FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import { G722Decoder, G722Encoder } from '#telephony/codec/g722.ts';
import { OPUS_MAX_SAMPLES, OpusDecoder, OpusEncoder } from '#telephony/codec/opus.ts';
import { printFigure } from './figure.ts';

/** Frames of something like speech that are gone through over and over: 2 s. */
const FRAMES = 100;

/** What a frame of 20 ms costs to code and to decode, in each codec of the wire. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { frames: { type: 'string', default: '10000' } } });
  const frames = Number(values.frames);
  const speech = Array.from({ length: FRAMES }, (_, frame) => speechLike(frame));
  const octets = speech.map(() => new Uint8Array(FRAME_SAMPLES));
  const pcm = new Int16Array(OPUS_MAX_SAMPLES);
  const report = (codec: string, act: string, each: (frame: number) => void): void =>
    printFigure({ bench: 'codecs', figure: `${codec} ${act}`, value: costUs(frames, each), unit: 'µs CPU/frame' });

  report('G.711', 'encode', (i) => encodeAlaw(speech[i]!, octets[i]!));
  report('G.711', 'decode', (i) => decodeAlaw(octets[i]!, pcm));
  const [g722Encoder, g722Decoder] = [new G722Encoder(), new G722Decoder()];
  report('G.722', 'encode', (i) => g722Encoder.encode(speech[i]!, octets[i]!));
  report('G.722', 'decode', (i) => g722Decoder.decode(octets[i]!, 0, FRAME_SAMPLES, pcm, 0));
  for (const fec of [false, true]) {
    const name = fec ? 'Opus with redundancy' : 'Opus';
    const [encoder, decoder] = [new OpusEncoder({ fec, cbr: false, maxBitsPerSecond: undefined }), new OpusDecoder()];
    const room = new Uint8Array(1276);
    const packets = speech.map((frame) => room.slice(0, encoder.encode(frame, FRAME_SAMPLES, room, 0)));
    report(name, 'encode', (i) => encoder.encode(speech[i]!, FRAME_SAMPLES, room, 0));
    report(name, 'decode', (i) => decoder.decode(packets[i]!, packets[i]!.length, pcm));
    encoder.close();
    decoder.close();
  }
}

/** User and system time of the process for one frame, after a tenth of them to warm up. */
function costUs(frames: number, each: (frame: number) => void): number {
  for (let i = 0; i < frames / 10; i++) each(i % FRAMES);
  const before = process.cpuUsage();
  for (let i = 0; i < frames; i++) each(i % FRAMES);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / frames;
}

/** A pitch of 120 Hz with harmonics that swell and sink, and some noise. */
function speechLike(frame: number): Int16Array {
  return Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => {
    const t = (frame * FRAME_SAMPLES + i) / 8000;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic++) sum += Math.sin(2 * Math.PI * 120 * harmonic * t) / harmonic;
    return 4000 * (1 + Math.sin(2 * Math.PI * 2 * t)) * sum + 200 * Math.sin(i * i * 7.3);
  });
}
