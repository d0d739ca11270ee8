import type { Libc } from '#telephony/rtp/libc.ts';
import { RTP_HEADER_BYTES } from '#telephony/rtp/packet.ts';
import { writeSocketAddress } from '#telephony/rtp/socket-address.ts';

const AF_INET = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Sizes and offsets of 64-bit Linux: `struct mmsghdr`, `iovec`, `sockaddr_in`. */
const MESSAGE_BYTES = 64;
const NAME_LENGTH_AT = 8;
const VECTORS_AT = 16;
const VECTOR_COUNT_AT = 24;
const VECTOR_BYTES = 16;
const NAME_BYTES = 32;
const SOCKADDR_IN_BYTES = 16;
const HEADER_ROOM = 16;

/**
 * RTP packets of many calls that leave one socket by one system call, their payloads from where they lie: what the far end of
 * a benchmark costs is taken from what is measured.
 */
export class SendBatch {
  /** Of the packets that were added since the last `flush`. */
  count = 0;
  /** The RTP header of each packet to come. */
  readonly headers: readonly Uint8Array[];
  readonly #libc: Libc;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #address: number;
  readonly #vectorsAt: number;
  readonly #namesAt: number;
  readonly #payloadsAddress: number;
  readonly #payloadBytes: number;

  /** `payloads` holds payloads of `payloadBytes` one after another. */
  constructor(libc: Libc, host: string, payloads: Uint8Array<ArrayBuffer>, payloadBytes: number, most: number) {
    const vectorsAt = (this.#vectorsAt = most * MESSAGE_BYTES);
    const namesAt = (this.#namesAt = vectorsAt + most * 2 * VECTOR_BYTES);
    const headersAt = namesAt + most * NAME_BYTES;
    const bytes = (this.#bytes = new Uint8Array(headersAt + most * HEADER_ROOM));
    const address = (this.#address = libc.addressOf(bytes.buffer));
    this.#libc = libc;
    this.#words = new Uint32Array(bytes.buffer);
    this.#payloadsAddress = libc.addressOf(payloads.buffer) + payloads.byteOffset;
    this.#payloadBytes = payloadBytes;
    const view = new DataView(bytes.buffer);
    const pointer = (at: number, to: number): void => view.setBigUint64(at, BigInt(address + to), true);
    for (let i = 0; i < most; i++) {
      const message = i * MESSAGE_BYTES;
      const vectors = vectorsAt + i * 2 * VECTOR_BYTES;
      const name = namesAt + i * NAME_BYTES;
      pointer(message, name);
      view.setUint32(message + NAME_LENGTH_AT, SOCKADDR_IN_BYTES, true);
      pointer(message + VECTORS_AT, vectors);
      view.setUint32(message + VECTOR_COUNT_AT, 2, true);
      pointer(vectors, headersAt + i * HEADER_ROOM);
      view.setUint32(vectors + 8, RTP_HEADER_BYTES, true);
      view.setUint32(vectors + VECTOR_BYTES + 8, payloadBytes, true);
      writeSocketAddress(bytes.subarray(name, name + NAME_BYTES), AF_INET, host, 0);
    }
    this.headers = Array.from({ length: most }, (_, i) => {
      const at = headersAt + i * HEADER_ROOM;
      return bytes.subarray(at, at + RTP_HEADER_BYTES);
    });
  }

  /** Adds a packet to a port of the host: the header that the caller has written at `headers[count]`, and that payload. */
  add(port: number, payload: number): void {
    const name = this.#namesAt + this.count * NAME_BYTES;
    this.#bytes[name + 2] = port >> 8;
    this.#bytes[name + 3] = port;
    const address = this.#payloadsAddress + payload * this.#payloadBytes;
    const word = (this.#vectorsAt + (this.count * 2 + 1) * VECTOR_BYTES) >> 2;
    this.#words[word] = address % 0x100000000;
    this.#words[word + 1] = address / 0x100000000;
    this.count++;
  }

  /** Sends them all on a socket; one that the system refuses is left out, as a lost one. */
  flush(fd: number): void {
    for (let done = 0; done < this.count;) {
      const left = this.count - done;
      const sent = this.#libc.sendmmsg(fd, this.#address + done * MESSAGE_BYTES, left, MSG_DONTWAIT | MSG_NOSIGNAL);
      done += sent <= 0 ? 1 : sent;
    }
    this.count = 0;
  }
}
