import { isAscii, isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

/** The encodings an import reads. */
export type FileEncoding = 'utf-8' | 'gb18030' | 'utf-16le';

// Enough to tell UTF-8 from GB18030: a few Chinese names decide, and a sample must not hold back a whole small file.
const SAMPLE_BYTES = 4096;
const EMPTY = new Uint8Array(0);

/** Streaming decoder that finds the encoding by itself; `encoding` is the best answer so far. */
export interface FileDecoder {
  readonly encoding: FileEncoding;
  decode(bytes: Uint8Array): string;
  end(): string;
}

/**
 * Decodes by the byte order mark; without one ASCII passes through, and the first other bytes decide between UTF-8 and
 * GB18030. Undecodable bytes become U+FFFD.
 */
export function createFileDecoder(): FileDecoder {
  let decoder: TextDecoder | undefined;
  let encoding: FileEncoding = 'utf-8';
  let held: Uint8Array = EMPTY;
  let atStart = true;

  function choose(choice: FileEncoding): TextDecoder {
    encoding = choice;
    decoder = new TextDecoder(choice);
    return decoder;
  }

  function decode(bytes: Uint8Array, last: boolean): string {
    if (decoder !== undefined) return decoder.decode(bytes, { stream: !last });
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    if (atStart && held.length < 3 && !last) return '';
    if (atStart && held[0] === 0xff && held[1] === 0xfe) return release(choose('utf-16le'), last);
    if (atStart && held[0] === 0xef && held[1] === 0xbb && held[2] === 0xbf) return release(choose('utf-8'), last);
    atStart = false;
    const firstOther = held.findIndex((byte) => byte > 0x7f);
    const ascii = firstOther < 0 ? held.length : firstOther;
    const text = Buffer.from(held.buffer, held.byteOffset, ascii).toString('latin1');
    held = held.subarray(ascii);
    if (held.length === 0) return text;
    if (held.length < SAMPLE_BYTES && !last) return text;
    return text + release(choose(guessEncoding(held)), last);
  }

  function release(chosen: TextDecoder, last: boolean): string {
    const bytes = held;
    held = EMPTY;
    return chosen.decode(bytes, { stream: !last });
  }

  return {
    get encoding() {
      return encoding;
    },
    decode: (bytes) => decode(bytes, false),
    end: () => decode(EMPTY, true),
  };
}

/** UTF-8 where it decodes, also with a few bad bytes; a sample may end within a character. */
function guessEncoding(bytes: Uint8Array): FileEncoding {
  const sample = bytes.subarray(0, 64 * 1024);
  if (isAscii(sample) || isUtf8(sample)) return 'utf-8';
  const text = new TextDecoder('utf-8').decode(sample, { stream: true });
  const badCount = text.split('\ufffd').length - 1;
  // Of GB18030 nearly every Chinese character is bad UTF-8; a UTF-8 file with a few broken bytes stays UTF-8.
  return badCount * 200 < sample.length ? 'utf-8' : 'gb18030';
}
