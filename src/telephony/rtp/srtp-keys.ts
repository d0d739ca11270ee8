import { createCipheriv, type Cipheriv } from 'node:crypto';
import type { SrtpKey } from '../sdp/media.ts';
import { HmacSha1 } from './hmac-sha1.ts';

const KEY_BYTES = 16;
const SALT_BYTES = 14;
const AUTHENTICATION_KEY_BYTES = 20;
/** Of AES. */
export const BLOCK_BYTES = 16;
/** Keystream of the packets of a call; longer ones make it grow. */
const FIRST_BLOCKS = 12;

/** What is derived from a master key for RTP or for RTCP. */
export interface SessionKeys {
  readonly cipher: AesCounter;
  readonly authentication: HmacSha1;
  readonly salt: Uint8Array;
}

/** Session keys of one direction (RFC 3711 §4.3 with a derivation rate of zero). */
export function deriveSessionKeys(master: SrtpKey, use: 'rtp' | 'rtcp'): SessionKeys {
  const label = use === 'rtp' ? 0 : 3;
  const key = master.keySalt.subarray(0, KEY_BYTES);
  const salt = master.keySalt.subarray(KEY_BYTES, KEY_BYTES + SALT_BYTES);
  return {
    cipher: new AesCounter(derive(key, salt, label, KEY_BYTES)),
    authentication: new HmacSha1(derive(key, salt, label + 1, AUTHENTICATION_KEY_BYTES)),
    salt: derive(key, salt, label + 2, SALT_BYTES),
  };
}

/** One derived key: the keystream at `label · 2⁴⁸ ⊕ salt` (RFC 3711 §4.3.1). */
export function derive(key: Uint8Array, salt: Uint8Array, label: number, bytes: number): Uint8Array {
  const counter = new Uint8Array(BLOCK_BYTES);
  counter.set(salt);
  counter[7]! ^= label;
  const out = new Uint8Array(bytes);
  new AesCounter(key).apply(counter, out, 0, bytes);
  return out;
}

/**
 * AES in counter mode (RFC 3711 §4.1.1). The counter blocks go through one cipher that lives as long as its key: setting
 * one up for each packet costs more than the encryption.
 */
export class AesCounter {
  readonly #cipher: Cipheriv;
  #blocks = new Uint8Array(FIRST_BLOCKS * BLOCK_BYTES);

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  }

  /** Encrypts or decrypts `bytes` in place; `counter` holds 16 octets, of which the last two count blocks from 0. */
  apply(counter: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
    const count = Math.ceil((to - from) / BLOCK_BYTES);
    if (count <= 0) return;
    if (count * BLOCK_BYTES > this.#blocks.length) this.#blocks = new Uint8Array(count * BLOCK_BYTES);
    const blocks = this.#blocks;
    for (let block = 0, at = 0; block < count; block++, at += BLOCK_BYTES) {
      for (let i = 0; i < BLOCK_BYTES - 2; i++) blocks[at + i] = counter[i]!;
      blocks[at + 14] = block >> 8;
      blocks[at + 15] = block;
    }
    const stream = this.encryptBlocks(blocks.subarray(0, count * BLOCK_BYTES));
    for (let i = from; i < to; i++) bytes[i]! ^= stream[i - from]!;
  }

  /** The keystream of whole counter blocks. */
  encryptBlocks(counters: Uint8Array): Uint8Array {
    return this.#cipher.update(counters);
  }
}

/** Salt, source and packet index as the counter of a packet (RFC 3711 §4.1.1); `counter` holds 16 octets. */
export function setCounter(
  counter: Uint8Array,
  salt: Uint8Array,
  packet: Uint8Array,
  ssrcAt: number,
  index: number,
): void {
  for (let i = 0; i < SALT_BYTES; i++) counter[i] = salt[i]!;
  for (let i = 0; i < 4; i++) counter[4 + i]! ^= packet[ssrcAt + i]!;
  const high = Math.floor(index / 0x100000000);
  counter[8]! ^= high >> 8;
  counter[9]! ^= high & 0xff;
  for (let i = 0; i < 4; i++) counter[10 + i]! ^= (index >>> (24 - 8 * i)) & 0xff;
}
