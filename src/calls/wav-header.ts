import type { G711Codec } from '#telephony/sdp/media.ts';
import { WAV_FORMATS } from '#voice/wav-file.ts';

/** RIFF, fmt with its extension size, fact, data: RFC 2361 wants `fact` for everything but PCM. */
export const WAV_HEADER_BYTES = 58;

/** What stands before so many octets of G.711 at 8 kHz, the channels in turn. */
export function wavHeader(codec: G711Codec, channels: 1 | 2, dataBytes: number): Uint8Array {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(WAV_FORMATS[codec], 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(8000 * channels, 28);
  header.writeUInt16LE(channels, 32);
  header.writeUInt16LE(8, 34);
  header.write('fact', 38, 'latin1');
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(dataBytes / channels, 46);
  header.write('data', 50, 'latin1');
  header.writeUInt32LE(dataBytes, 54);
  return header;
}
