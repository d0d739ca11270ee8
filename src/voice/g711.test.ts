import { describe, expect, it } from 'vitest';
import { decodeG711, encodeG711, gainTables, silenceByte } from './g711.ts';

describe.each(['PCMA', 'PCMU'] as const)('%s', (codec) => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

  it('gives every level back, byte for byte, save the negative zero of µ-law', () => {
    const again = encodeG711(codec, decodeG711(codec, everyByte));
    const changed = [...everyByte].filter((byte) => again[byte] !== byte);
    expect(changed).toEqual(codec === 'PCMU' ? [0x7f] : []);
  });

  it('keeps sine waves within 31 dB of what was coded', () => {
    for (const peak of [500, 4000, 30_000]) {
      const pcm = Int16Array.from({ length: 8000 }, (_, index) => peak * Math.sin(index * 0.7123));
      const coded = decodeG711(codec, encodeG711(codec, pcm));
      const error = pcm.reduce((sum, sample, index) => sum + (sample - coded[index]!) ** 2, 0);
      const signal = pcm.reduce((sum, sample) => sum + sample ** 2, 0);
      expect(10 * Math.log10(signal / error)).toBeGreaterThan(31);
    }
  });

  it('is silent at gain zero and unchanged at full gain', () => {
    const gains = gainTables(codec);
    expect([...gains[0]!].every((byte) => byte === silenceByte(codec))).toBe(true);
    expect(gains.at(-1)).toEqual(everyByte);
  });
});

it('has the code points of ITU-T G.711', () => {
  expect([...decodeG711('PCMA', Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a))]).toEqual([8, -8, 32256, -32256]);
  expect([...decodeG711('PCMU', Uint8Array.of(0xff, 0x80, 0x00))]).toEqual([0, 32124, -32124]);
});
