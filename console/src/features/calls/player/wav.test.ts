import { describe, expect, it } from 'vitest';
import { alawToPcm, decodeWav, encodePcmWav, mulawToPcm } from './wav.ts';

/** A stereo G.711 file as the server writes it: `fmt ` of 18 bytes, a `fact` chunk, then the samples. */
function g711File(code: 6 | 7, samples: readonly number[], declaredBytes = samples.length): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(58 + samples.length));
  const text = (at: number, letters: string): void =>
    new TextEncoder().encode(letters).forEach((byte, index) => view.setUint8(at + index, byte));
  text(0, 'RIFF');
  view.setUint32(4, 50 + declaredBytes, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 18, true);
  view.setUint16(20, code, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, 8000, true);
  view.setUint32(28, 16_000, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 8, true);
  text(38, 'fact');
  view.setUint32(42, 4, true);
  text(50, 'data');
  view.setUint32(54, declaredBytes, true);
  samples.forEach((byte, index) => view.setUint8(58 + index, byte));
  return view.buffer;
}

describe('G.711 in the browser', () => {
  it('decodes A-law as ITU-T G.711 says', () => {
    expect([0xd5, 0x55, 0xaa, 0x2a, 0x80].map(alawToPcm)).toEqual([8, -8, 32_256, -32_256, 5504]);
  });

  it('decodes µ-law as ITU-T G.711 says', () => {
    expect([0xff, 0x7f, 0x80, 0x00].map((byte) => Math.abs(mulawToPcm(byte)))).toEqual([0, 0, 32_124, 32_124]);
    expect(mulawToPcm(0x80)).toBe(32_124);
    expect(mulawToPcm(0x00)).toBe(-32_124);
  });

  it('keeps the callee left and the platform right', () => {
    const decoded = decodeWav(g711File(6, [0xd5, 0xaa, 0x55, 0x2a]));
    expect(decoded?.rateHz).toBe(8000);
    expect(decoded?.channels.map((channel) => [...channel])).toEqual([
      [8, -8],
      [32_256, -32_256],
    ]);
  });

  it('decodes µ-law files with the other table', () => {
    expect(decodeWav(g711File(7, [0x80, 0x00]))?.channels.map((channel) => channel[0])).toEqual([32_124, -32_124]);
  });

  it('plays what there is of a file that was cut short', () => {
    expect(decodeWav(g711File(6, [0xd5, 0xd5, 0xd5, 0xd5], 4000))?.channels[0]).toHaveLength(2);
  });

  it('says that other files are none', () => {
    expect(decodeWav(new ArrayBuffer(0))).toBeUndefined();
    expect(decodeWav(new TextEncoder().encode('{"error": {"code": "not-found"}}').buffer)).toBeUndefined();
  });

  it('writes PCM that reads back as the same samples', () => {
    const decoded = decodeWav(g711File(6, [0xd5, 0xaa, 0x12, 0x2a]));
    expect(decodeWav(encodePcmWav(decoded!))).toEqual(decoded);
  });
});
