import { encodeG711, FRAME_SAMPLES } from '#telephony/codec/g711.ts';
import type { G711Codec } from '#telephony/sdp/media.ts';

const FRAMES = 50;
/** About −66 dBFS: an open line rather than a dead one. */
const PEAK = 28;

const noise = { PCMA: noiseIn('PCMA'), PCMU: noiseIn('PCMU') } satisfies Record<G711Codec, Uint8Array>;

/** Fills `tx` with the quiet noise of an open line, where the other side sends nothing at all; `index` counts frames. */
export function comfort(codec: G711Codec, index: number, tx: Uint8Array): void {
  const at = (index % FRAMES) * FRAME_SAMPLES;
  tx.set(noise[codec].subarray(at, at + FRAME_SAMPLES));
}

function noiseIn(codec: G711Codec): Uint8Array {
  const pcm = new Int16Array(FRAMES * FRAME_SAMPLES);
  let seed = 1;
  for (let i = 0; i < pcm.length; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    pcm[i] = Math.round((seed / 0x1_0000_0000 - 0.5) * 2 * PEAK);
  }
  const octets = new Uint8Array(pcm.length);
  encodeG711(codec, pcm, octets);
  return octets;
}
