import { BLOCK_BYTES, setCounter, type AesCounter } from './srtp-keys.ts';

/** Packets whose keystream is made at once: beyond 16 the call into the cipher is no longer what costs. */
const AHEAD = 16;
/** 256 octets of payload; longer packets get their keystream one by one. */
const MAX_BLOCKS = 16;
const HEADER_SSRC_AT = 8;

/** The counter blocks at hand; one keystream works at a time. */
const counters = new Uint8Array(AHEAD * MAX_BLOCKS * BLOCK_BYTES);
const counterWords = new Uint32Array(counters.buffer);

/**
 * Encrypts and decrypts the packets of one direction (RFC 3711 §4.1.1). The indices of a stream count up by one, so that the
 * keystream of the next packets is made ahead in one call into the cipher: 0.4 µs a packet of 20 ms in place of 4. A packet
 * that comes late or from another source than the one before gets its own.
 */
export class Keystream {
  readonly #cipher: AesCounter;
  readonly #salt: Uint8Array;
  readonly #counter = new Uint8Array(BLOCK_BYTES);
  readonly #counterWords = new Uint32Array(this.#counter.buffer);
  #stream: Uint8Array = new Uint8Array(0);
  /** The same by words, and by words the memory in which the last packet lay, mostly that of all of them. */
  #streamWords: Uint32Array = new Uint32Array(0);
  #packetWords: Uint32Array = new Uint32Array(0);
  #ssrc = -1;
  #first = 0;
  #blocks = 0;

  constructor(cipher: AesCounter, salt: Uint8Array) {
    this.#cipher = cipher;
    this.#salt = salt;
  }

  /** Encrypts or decrypts `packet` from `from` to `to` in place. `ssrc` is what its header says, `index` its packet index. */
  apply(packet: Uint8Array, from: number, to: number, ssrc: number, index: number): void {
    const blocks = Math.ceil((to - from) / BLOCK_BYTES);
    if (blocks <= 0) return;
    let ahead = index - this.#first;
    if (ssrc !== this.#ssrc || ahead >= AHEAD || (blocks > this.#blocks && ahead >= 0)) {
      if (blocks <= MAX_BLOCKS) this.#advance(packet, ssrc, index, blocks);
      ahead = index - this.#first;
    }
    if (ahead < 0 || blocks > this.#blocks) {
      setCounter(this.#counter, this.#salt, packet, HEADER_SSRC_AT, index);
      this.#cipher.apply(this.#counter, packet, from, to);
      return;
    }
    this.#mix(packet, from, to, ahead * this.#blocks * BLOCK_BYTES);
  }

  /** Four octets at a time where they lie so, then one by one. */
  #mix(packet: Uint8Array, from: number, to: number, at: number): void {
    const offset = packet.byteOffset + from;
    if ((offset & 3) === 0) {
      if (this.#packetWords.buffer !== packet.buffer)
        this.#packetWords = new Uint32Array(packet.buffer, 0, packet.buffer.byteLength >> 2);
      const words = this.#packetWords;
      const stream = this.#streamWords;
      const count = (to - from) >> 2;
      const first = offset >> 2;
      const streamFirst = at >> 2;
      for (let i = 0; i < count; i++) words[first + i]! ^= stream[streamFirst + i]!;
      from += count * 4;
      at += count * 4;
    }
    for (let i = from; i < to; i++) packet[i]! ^= this.#stream[at++]!;
  }

  #advance(packet: Uint8Array, ssrc: number, index: number, blocks: number): void {
    // Short packets, of keys, come between those of audio.
    if (blocks > this.#blocks) this.#blocks = blocks;
    this.#ssrc = ssrc;
    this.#first = index;
    let at = 0;
    for (let ahead = 0; ahead < AHEAD; ahead++) {
      setCounter(this.#counter, this.#salt, packet, HEADER_SSRC_AT, index + ahead);
      const words = this.#counterWords;
      for (let block = 0; block < this.#blocks; block++) {
        counterWords[at++] = words[0]!;
        counterWords[at++] = words[1]!;
        counterWords[at++] = words[2]!;
        counterWords[at++] = words[3]!;
        counters[4 * at - 1] = block;
      }
    }
    const stream = this.#cipher.encryptBlocks(counters.subarray(0, 4 * at));
    this.#stream = (stream.byteOffset & 3) === 0 ? stream : stream.slice();
    this.#streamWords = new Uint32Array(this.#stream.buffer, this.#stream.byteOffset, at);
  }
}
