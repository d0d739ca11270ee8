import type { SrtpKey } from '../sdp/media.ts';
import { tagMatches, writeTag } from './hmac-sha1.ts';
import { readUint32, writeUint32 } from './packet.ts';
import { ReplayWindow } from './replay-window.ts';
import { deriveSessionKeys, setCounter, type SessionKeys } from './srtp-keys.ts';

/** The first packet's header and its source stay readable. */
const CLEAR_BYTES = 8;
const INDEX_BYTES = 4;
/** Both suites use 80 bits for RTCP (RFC 4568 §6.2). */
const TAG_BYTES = 10;
const ENCRYPTED = 0x80000000;
const MAX_SOURCES = 64;

/** Encrypts and authenticates compound RTCP packets (RFC 3711 §3.4). */
export class SrtcpSender {
  readonly #keys: SessionKeys;
  readonly #counter = new Uint8Array(16);
  #index = 0;

  constructor(key: SrtpKey) {
    this.#keys = deriveSessionKeys(key, 'rtcp');
  }

  /** A new packet as it goes over the wire; reports are few, so nothing is pooled. */
  protect(packet: Uint8Array): Uint8Array {
    const end = packet.length;
    const out = new Uint8Array(end + INDEX_BYTES + TAG_BYTES);
    out.set(packet);
    this.#index = (this.#index + 1) % ENCRYPTED;
    setCounter(this.#counter, this.#keys.salt, packet, 4, this.#index);
    this.#keys.cipher.apply(this.#counter, out, CLEAR_BYTES, end);
    writeUint32(out, end, ENCRYPTED + this.#index);
    const digest = this.#keys.authentication.digest(out.subarray(0, end + INDEX_BYTES));
    writeTag(digest, out, end + INDEX_BYTES, TAG_BYTES);
    return out;
  }
}

/** Checks and decrypts compound RTCP packets that come under one key. */
export class SrtcpReceiver {
  refused = 0;
  replayed = 0;
  readonly #keys: SessionKeys;
  readonly #mkiBytes: number;
  readonly #sources = new Map<number, ReplayWindow>();
  readonly #counter = new Uint8Array(16);

  constructor(key: SrtpKey) {
    this.#keys = deriveSessionKeys(key, 'rtcp');
    this.#mkiBytes = key.mkiBytes;
  }

  /** Decrypts in place and returns the RTCP packet, or undefined where it must be dropped. */
  unprotect(bytes: Uint8Array): Uint8Array | undefined {
    const end = bytes.length - TAG_BYTES - this.#mkiBytes - INDEX_BYTES;
    if (end < CLEAR_BYTES) {
      this.refused++;
      return undefined;
    }
    const ssrc = readUint32(bytes, 4);
    const word = readUint32(bytes, end);
    const index = word % ENCRYPTED;
    const known = this.#sources.get(ssrc);
    if (known?.admits(index) === false) {
      this.replayed++;
      return undefined;
    }
    const digest = this.#keys.authentication.digest(bytes.subarray(0, end + INDEX_BYTES));
    if (!tagMatches(digest, bytes, bytes.length - TAG_BYTES, TAG_BYTES)) {
      this.refused++;
      return undefined;
    }
    (known ?? this.#admitSource(ssrc)).take(index);
    if (word >= ENCRYPTED) {
      setCounter(this.#counter, this.#keys.salt, bytes, 4, index);
      this.#keys.cipher.apply(this.#counter, bytes, CLEAR_BYTES, end);
    }
    return bytes.subarray(0, end);
  }

  #admitSource(ssrc: number): ReplayWindow {
    const window = new ReplayWindow();
    if (this.#sources.size >= MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value!);
    this.#sources.set(ssrc, window);
    return window;
  }
}
