import { encodeG711, linearTable } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';

const RATE_HZ = 8000;

/** A steady tone as ready-to-send octets. */
export function toneOf(hz: number, ms: number, codec: G711Codec = 'PCMA', amplitude = 6000): Uint8Array {
  const pcm = Int16Array.from({ length: (ms * RATE_HZ) / 1000 }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / RATE_HZ)),
  );
  const octets = new Uint8Array(pcm.length);
  encodeG711(codec, pcm, octets);
  return octets;
}

/** Amplitude of one frequency in octets (Goertzel), on the 16-bit scale. */
export function amplitudeAt(hz: number, octets: ArrayLike<number>, codec: G711Codec = 'PCMA'): number {
  const linear = linearTable(codec);
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / RATE_HZ);
  let before = 0;
  let last = 0;
  for (let i = 0; i < octets.length; i++) [before, last] = [last, linear[octets[i]!]! + coefficient * last - before];
  const power = last * last + before * before - coefficient * last * before;
  return octets.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / octets.length;
}
