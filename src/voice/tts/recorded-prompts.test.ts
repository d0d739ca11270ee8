import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeG711, encodeG711 } from '../g711.ts';
import { recordedPrompt, RecordedPrompts } from './recorded-prompts.ts';
import { parseWav } from './wav.ts';

/** A WAV file; `odd` puts a chunk of odd length before the format. */
function wav(options: {
  rateHz: number;
  channels: number;
  format: number;
  data: Uint8Array;
  bits?: number;
  odd?: boolean;
}): Uint8Array {
  const { rateHz, channels, format, data } = options;
  const bits = options.bits ?? (format === 1 ? 16 : 8);
  const head = Buffer.alloc(24);
  head.write('fmt ', 0);
  head.writeUInt32LE(16, 4);
  head.writeUInt16LE(format, 8);
  head.writeUInt16LE(channels, 10);
  head.writeUInt32LE(rateHz, 12);
  head.writeUInt32LE((rateHz * channels * bits) / 8, 16);
  head.writeUInt16LE((channels * bits) / 8, 20);
  head.writeUInt16LE(bits, 22);
  const odd = options.odd === true ? Buffer.from('LIST\x03\0\0\0abc\0', 'latin1') : Buffer.alloc(0);
  const size = Buffer.alloc(8);
  size.write('data', 0);
  size.writeUInt32LE(data.length, 4);
  const riff = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1');
  return Buffer.concat([riff, odd, head, size, data]);
}

function sine(rateHz: number, hz: number, channels = 1, peak = 8000): Uint8Array {
  const pcm = new Int16Array(rateHz * channels);
  for (let index = 0; index < rateHz; index += 1)
    pcm[index * channels] = Math.round(peak * Math.sin((2 * Math.PI * hz * index) / rateHz));
  if (channels === 2) for (let index = 0; index < rateHz; index += 1) pcm[index * 2 + 1] = pcm[index * 2]!;
  return new Uint8Array(pcm.buffer);
}

function crossings(pcm: Int16Array): number {
  let count = 0;
  for (let index = 1; index < pcm.length; index += 1) if (pcm[index - 1]! < 0 !== pcm[index]! < 0) count += 1;
  return count;
}

function rms(pcm: Int16Array): number {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample ** 2, 0) / pcm.length);
}

describe('recorded prompts', () => {
  it.each([8000, 16_000, 24_000, 44_100, 48_000])('brings %i Hz mono and stereo to the line', (rateHz) => {
    for (const channels of [1, 2]) {
      const file = wav({ rateHz, channels, format: 1, data: sine(rateHz, 1000, channels), odd: channels === 2 });
      const pcm = decodeG711('PCMA', recordedPrompt(file, 'PCMA'));
      expect(pcm.length / 8000).toBeCloseTo(1, 1);
      expect(crossings(pcm) / (pcm.length / 8000) / 2).toBeCloseTo(1000, -1.5);
      expect(20 * Math.log10(rms(pcm) / 32768)).toBeCloseTo(-20, 0);
    }
  });

  it('lets nothing above 4 kHz fold back', () => {
    const mixed = new Int16Array(48_000);
    const [low, high] = [300, 6500].map((hz) => new Int16Array(sine(48_000, hz).buffer));
    for (let index = 0; index < mixed.length; index += 1) mixed[index] = low![index]! / 10 + high![index]!;
    const file = wav({ rateHz: 48_000, channels: 1, format: 1, data: new Uint8Array(mixed.buffer) });
    const pcm = decodeG711('PCMA', recordedPrompt(file, 'PCMA')).subarray(400, -400);
    expect(crossings(pcm) / (pcm.length / 8000) / 2).toBeCloseTo(300, -1.5);
  });

  it('sends G.711 of the line as it is, and converts the other law', () => {
    const bytes = encodeG711('PCMU', new Int16Array(sine(8000, 500).buffer));
    const file = wav({ rateHz: 8000, channels: 1, format: 7, data: bytes });
    expect([...recordedPrompt(file, 'PCMU')]).toEqual([...bytes]);
    const alaw = decodeG711('PCMA', recordedPrompt(file, 'PCMA'));
    expect(crossings(alaw) / (alaw.length / 8000) / 2).toBeCloseTo(500, -1.5);
  });

  it.each([
    ['what is not WAV', Buffer.from('ID3 this is not a wave file at all')],
    ['an unknown rate', wav({ rateHz: 11_025, channels: 1, format: 1, data: new Uint8Array(8) })],
    ['24 bits', wav({ rateHz: 8000, channels: 1, format: 1, bits: 24, data: new Uint8Array(9) })],
    ['six channels', wav({ rateHz: 8000, channels: 6, format: 1, data: new Uint8Array(12) })],
    [
      'a file cut off in its head',
      wav({ rateHz: 8000, channels: 1, format: 1, data: new Uint8Array(8) }).subarray(0, 30),
    ],
  ])('refuses %s and says what to use', (_name, bytes) => {
    expect(() => parseWav(bytes)).toThrow(/Use WAV|recording/);
  });

  it('reads by name below its directory only', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'prompts-'));
    mkdirSync(join(directory, 'bank'));
    const data = encodeG711('PCMA', new Int16Array(160).fill(900));
    writeFileSync(join(directory, 'bank', 'hello.wav'), wav({ rateHz: 8000, channels: 1, format: 6, data }));
    const prompts = new RecordedPrompts(directory);
    expect([...(await prompts.get('bank/hello.wav', 'PCMA'))]).toEqual([...data]);
    await expect(prompts.get('no.wav', 'PCMA')).rejects.toMatchObject({ code: 'not-found' });
    for (const name of ['../bank/hello.wav', '/etc/passwd', 'bank//hello.wav', ''])
      await expect(prompts.get(name, 'PCMA')).rejects.toMatchObject({ code: 'invalid-input' });
    rmSync(directory, { recursive: true });
  });
});
