import type { SrtpKey } from '../sdp/media.ts';
import { BLOCK_BYTES, tagMatches, writeTag } from './hmac-sha1.ts';
import { Keystream } from './keystream.ts';
import { extendCounter, readUint32, RTP_HEADER_BYTES, writeUint32 } from './packet.ts';
import { ReplayWindow } from './replay-window.ts';
import { deriveSessionKeys, type SessionKeys } from './srtp-keys.ts';

/** Of the rollover counter; a tag is at least as long. */
const COUNTER_BYTES = 4;
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
  readonly #keystream: Keystream;
  /** The padded key, then the packet, then its rollover counter, in whose place the tag comes at last. */
  #bytes = new Uint8Array(0);
  /** All of it that is authenticated, and what goes over the wire. */
  #message = this.#bytes;
  #out = this.#bytes;
  #index = -1;
  #ssrc = -1;

  constructor(key: SrtpKey) {
    this.#keys = deriveSessionKeys(key, 'rtp');
    this.#keystream = new Keystream(this.#keys.cipher, this.#keys.salt);
    this.#tagBytes = tagBytesOf(key);
  }

  /** The packet as it goes over the wire; its bytes are reused for the next one. `packet` is a whole RTP packet. */
  protect(packet: Uint8Array): Uint8Array {
    const end = packet.length;
    if (this.#out.length !== end + this.#tagBytes) this.#prepare(end);
    const out = this.#out;
    out.set(packet);
    const sequence = (packet[2]! << 8) | packet[3]!;
    const ssrc = readUint32(packet, 8);
    this.#index = ssrc === this.#ssrc ? extendCounter(sequence, this.#index, 16) : sequence;
    this.#ssrc = ssrc;
    this.#keystream.apply(out, payloadStart(packet, end), end, ssrc, this.#index);
    writeUint32(out, end, Math.floor(this.#index / 0x10000));
    writeTag(this.#keys.authentication.digestPadded(this.#message), out, end, this.#tagBytes);
    return out;
  }

  /** Most packets are as long as the one before. */
  #prepare(end: number): void {
    const bytes = BLOCK_BYTES + end + this.#tagBytes;
    if (bytes > this.#bytes.length) {
      this.#bytes = new Uint8Array(bytes);
      this.#keys.authentication.pad(this.#bytes);
    }
    this.#message = this.#bytes.subarray(0, BLOCK_BYTES + end + COUNTER_BYTES);
    this.#out = this.#bytes.subarray(BLOCK_BYTES, bytes);
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
    const packet = beginning(bytes, end);
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

/** The packet that was read last, and the datagram it is in: polled sockets hand out the same memory again and again. */
let lastPacket = new Uint8Array(0);
let packetIn = lastPacket;

function beginning(bytes: Uint8Array, end: number): Uint8Array {
  if (bytes !== packetIn || lastPacket.length !== end) {
    packetIn = bytes as Uint8Array<ArrayBuffer>;
    lastPacket = packetIn.subarray(0, end);
  }
  return lastPacket;
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
