/** A piece of a stream: one whole message, or a keep-alive ping or pong (RFC 5626 §3.5.1). */
export type Frame =
  | { readonly type: 'message'; readonly bytes: Buffer }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' };

const EMPTY = Buffer.alloc(0);
const LENGTH = /^(?:content-length|l)[ \t]*:[ \t]*(?:\r?\n[ \t]+)?(\d{1,8})[ \t]*\r?$/gim;

/** Cuts a byte stream into messages by Content-Length, which streams demand (RFC 3261 §18.3, §20.14). */
export class StreamFramer {
  readonly #maxBytes: number;
  #held: Buffer = EMPTY;
  /** Where the search for the end of the header goes on. */
  #searchFrom = 0;
  /** Length of the message at the start of `#held` once its header is whole. */
  #wanted: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a message has begun that is not whole yet. */
  get partial(): boolean {
    return this.#held.length > 0;
  }

  /** The frames that these bytes complete, or what is wrong with the stream, which cannot be read on then. */
  push(chunk: Buffer): readonly Frame[] | string {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      if (this.#wanted === undefined) {
        this.#skipLineEnds(frames);
        if (this.#held.length === 0) return frames;
        const end = this.#held.indexOf('\r\n\r\n', this.#searchFrom, 'latin1');
        if (end < 0) {
          // A half-received CRLF CRLF is found from three bytes back.
          this.#searchFrom = Math.max(0, this.#held.length - 3);
          return this.#held.length > this.#maxBytes ? 'header is too large' : frames;
        }
        const length = contentLength(this.#held.toString('latin1', 0, end + 2));
        if (length === undefined) return 'no Content-Length';
        this.#wanted = end + 4 + length;
        if (this.#wanted > this.#maxBytes) return 'message is too large';
      }
      if (this.#held.length < this.#wanted) return frames;
      frames.push({ type: 'message', bytes: this.#held.subarray(0, this.#wanted) });
      this.#held = this.#held.subarray(this.#wanted);
      this.#wanted = undefined;
      this.#searchFrom = 0;
    }
  }

  /** CRLF CRLF between messages is a ping, a single CRLF a pong. */
  #skipLineEnds(frames: Frame[]): void {
    let at = 0;
    while (this.#held[at] === 13 && this.#held[at + 1] === 10) {
      if (this.#held[at + 2] === 13 && this.#held[at + 3] === 10) {
        frames.push({ type: 'ping' });
        at += 4;
      } else {
        // The first half of a ping may have come alone.
        if (this.#held.length === at + 3 && this.#held[at + 2] === 13) break;
        frames.push({ type: 'pong' });
        at += 2;
      }
    }
    if (at > 0) this.#held = this.#held.subarray(at);
  }
}

/** One value, however often it is repeated; undefined where there is none or two differ. */
function contentLength(head: string): number | undefined {
  let found: number | undefined;
  for (const match of head.matchAll(LENGTH)) {
    const length = Number(match[1]);
    if (found !== undefined && found !== length) return undefined;
    found = length;
  }
  return found;
}
