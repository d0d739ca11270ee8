import type { SrtpKey } from '../sdp/media.ts';
import { tagMatches, writeTag } from './hmac-sha1.ts';
import { Keystream } from './keystream.ts';
import { extendCounter, readUint32, RTP_HEADER_BYTES } from './packet.ts';
import { ReplayWindow } from './replay-window.ts';
import { deriveSessionKeys, type SessionKeys } from './srtp-keys.ts';

/** Packets that may still be read by the kernel while the next ones are written. */
const BUFFERS = 4;
/** Sources of one key that are remembered: each change of source takes one. */
const MAX_SOURCES = 64;
/** An index has 48 bits (RFC 3711 §9.2): no call gets there. */
const MAX_INDEX = 2 ** 48 - 1;

/** Octets of the authentication tag (RFC 4568 §6.2). */
function tagBytesOf(key: SrtpKey): number {
  return key.suite === 'AES_CM_128_HMAC_SHA1_32' ? 4 : 10;
}

/** Encrypts and authenticates the RTP packets of a sender in order; each of its sources counts from zero (RFC 3711 §3.2.3). */
export class SrtpSender {
  readonly #keys: SessionKeys;
  readonly #tagBytes: number;
  readonly #buffers: Uint8Array[] = Array.from({ length: BUFFERS }, () => new Uint8Array(0));
  readonly #keystream: Keystream;
  #buffer = 0;
  #index = -1;
  #ssrc = -1;

  constructor(key: SrtpKey) {
    this.#keys = deriveSessionKeys(key, 'rtp');
    this.#keystream = new Keystream(this.#keys.cipher, this.#keys.salt);
    this.#tagBytes = tagBytesOf(key);
  }

  /** The packet as it goes over the wire; its bytes are reused after three more. `packet` is a whole RTP packet. */
  protect(packet: Uint8Array): Uint8Array {
    const end = packet.length;
    const bytes = end + this.#tagBytes;
    this.#buffer = (this.#buffer + 1) % BUFFERS;
    if (this.#buffers[this.#buffer]!.length < bytes) this.#buffers[this.#buffer] = new Uint8Array(bytes);
    const held = this.#buffers[this.#buffer]!;
    const out = held.length === bytes ? held : held.subarray(0, bytes);
    out.set(packet);
    const sequence = (packet[2]! << 8) | packet[3]!;
    const ssrc = readUint32(packet, 8);
    this.#index = ssrc === this.#ssrc ? extendCounter(sequence, this.#index, 16) : sequence;
    this.#ssrc = ssrc;
    this.#keystream.apply(out, payloadStart(packet, end), end, ssrc, this.#index);
    const digest = this.#keys.authentication.digest(out.subarray(0, end), Math.floor(this.#index / 0x10000));
    writeTag(digest, out, end, this.#tagBytes);
    return out;
  }
}

/** Checks and decrypts the RTP packets that come under one key, whatever their sources (RFC 3711). */
export class SrtpReceiver {
  /** Packets that were not authentic, or no SRTP at all. */
  refused = 0;
  /** Packets that had been taken before or were too old to tell. */
  replayed = 0;
  readonly #keys: SessionKeys;
  readonly #tagBytes: number;
  readonly #mkiBytes: number;
  readonly #sources = new Map<number, ReplayWindow>();
  readonly #keystream: Keystream;

  constructor(key: SrtpKey) {
    this.#keys = deriveSessionKeys(key, 'rtp');
    this.#keystream = new Keystream(this.#keys.cipher, this.#keys.salt);
    this.#tagBytes = tagBytesOf(key);
    this.#mkiBytes = key.mkiBytes;
  }

  /** Decrypts in place and returns the RTP packet, or undefined where it must be dropped. */
  unprotect(bytes: Uint8Array): Uint8Array | undefined {
    const end = bytes.length - this.#tagBytes - this.#mkiBytes;
    const start = end < RTP_HEADER_BYTES || bytes[0]! >> 6 !== 2 ? -1 : payloadStart(bytes, end);
    if (start < 0) {
      this.refused++;
      return undefined;
    }
    const ssrc = readUint32(bytes, 8);
    const sequence = (bytes[2]! << 8) | bytes[3]!;
    const known = this.#sources.get(ssrc);
    const index = known === undefined ? sequence : extendCounter(sequence, known.highest, 16);
    if (index < 0 || index > MAX_INDEX || known?.admits(index) === false) {
      this.replayed++;
      return undefined;
    }
    const packet = bytes.subarray(0, end);
    const digest = this.#keys.authentication.digest(packet, Math.floor(index / 0x10000));
    if (!tagMatches(digest, bytes, bytes.length - this.#tagBytes, this.#tagBytes)) {
      this.refused++;
      return undefined;
    }
    (known ?? this.#admitSource(ssrc)).take(index);
    this.#keystream.apply(packet, start, end, ssrc, index);
    return packet;
  }

  /** Only authentic packets come here, so that nobody without the key fills the table. */
  #admitSource(ssrc: number): ReplayWindow {
    const window = new ReplayWindow();
    if (this.#sources.size >= MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value!);
    this.#sources.set(ssrc, window);
    return window;
  }
}

/** Where the payload of a packet begins, or -1 where its header does not fit before `end`. */
function payloadStart(packet: Uint8Array, end: number): number {
  let start = RTP_HEADER_BYTES + (packet[0]! & 15) * 4;
  if ((packet[0]! & 0x10) !== 0) {
    if (start + 4 > end) return -1;
    start += 4 + ((packet[start + 2]! << 8) | packet[start + 3]!) * 4;
  }
  return start > end ? -1 : start;
}
