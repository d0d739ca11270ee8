/** The two companding laws of ITU-T G.711 that a line may carry, 8 kHz, one byte a sample. */
export type G711Codec = 'PCMA' | 'PCMU';

/** Samples a second on every telephone leg. */
export const LINE_RATE_HZ = 8000;

/** Bytes and samples of one 20 ms frame. */
export const FRAME_SAMPLES = 160;

/** Length of one frame in ms. */
export const FRAME_MS = 20;

/** Steps between silence and full level in the gain tables. */
export const GAIN_STEPS = 16;

interface Law {
  /** Linear value by byte. */
  readonly linear: Int16Array;
  /** Byte by (linear value + 32768) >> 2: fourteen bits carry every G.711 level. */
  readonly coded: Uint8Array;
  /** Byte by byte, one table for each gain 0/16 … 16/16. */
  readonly gains: readonly Uint8Array[];
  readonly silence: number;
}

function alawToLinear(byte: number): number {
  const bits = byte ^ 0x55;
  const exponent = (bits & 0x70) >> 4;
  const mantissa = bits & 0x0f;
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

function ulawToLinear(byte: number): number {
  const bits = ~byte & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

/** The nearest level wins, so encoding what was decoded gives the same byte. */
function codingTable(linear: Int16Array): Uint8Array {
  const levels = Array.from(linear, (value, byte) => ({ value, byte })).sort((a, b) => a.value - b.value);
  const coded = new Uint8Array(16384);
  let index = 0;
  for (let step = 0; step < coded.length; step += 1) {
    const target = (step << 2) - 32768 + 2;
    while (
      index + 1 < levels.length &&
      Math.abs(levels[index + 1]!.value - target) <= Math.abs(levels[index]!.value - target)
    )
      index += 1;
    coded[step] = levels[index]!.byte;
  }
  return coded;
}

function law(toLinear: (byte: number) => number, silence: number): Law {
  const linear = Int16Array.from({ length: 256 }, (_, byte) => toLinear(byte));
  const coded = codingTable(linear);
  const gains = Array.from({ length: GAIN_STEPS + 1 }, (_, step) =>
    Uint8Array.from({ length: 256 }, (_unused, byte) => {
      if (step === GAIN_STEPS) return byte;
      if (step === 0) return silence;
      return coded[(Math.round((linear[byte]! * step) / GAIN_STEPS) + 32768) >> 2]!;
    }),
  );
  return { linear, coded, gains, silence };
}

const LAWS: Readonly<Record<G711Codec, Law>> = { PCMA: law(alawToLinear, 0xd5), PCMU: law(ulawToLinear, 0xff) };

/** The byte that stands for no sound. */
export function silenceByte(codec: G711Codec): number {
  return LAWS[codec].silence;
}

/** Codes 16-bit samples, one byte each. */
export function encodeG711(codec: G711Codec, pcm: Int16Array): Uint8Array {
  const { coded } = LAWS[codec];
  const bytes = new Uint8Array(pcm.length);
  for (let index = 0; index < pcm.length; index += 1) bytes[index] = coded[(pcm[index]! + 32768) >> 2]!;
  return bytes;
}

/** Decodes bytes into 16-bit samples. */
export function decodeG711(codec: G711Codec, bytes: Uint8Array): Int16Array {
  const { linear } = LAWS[codec];
  const pcm = new Int16Array(bytes.length);
  for (let index = 0; index < bytes.length; index += 1) pcm[index] = linear[bytes[index]!]!;
  return pcm;
}

/** Linear value by byte, for code that reads levels without decoding a whole phrase; not to be written to. */
export function linearTable(codec: G711Codec): Int16Array {
  return LAWS[codec].linear;
}

/** Byte-to-byte tables for the gains 0/16 … 16/16; not to be written to. */
export function gainTables(codec: G711Codec): readonly Uint8Array[] {
  return LAWS[codec].gains;
}
