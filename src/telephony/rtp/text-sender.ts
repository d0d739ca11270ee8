import type { TextMedia } from '../sdp/media.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet.ts';
import { fitsRed, writeRed, type RedBlock } from './redundancy.ts';
import { BOM } from './t140.ts';

/** RFC 4103 §5.1: text is collected for 300 ms. */
const BUFFERING_MS = 300;
/** Keeps address translations open while nobody types. */
const KEEP_ALIVE_MS = 15_000;
/** Characters of one packet; with 300 ms a packet the rest follows soon. */
const MAX_CHARACTERS = 80;

interface Generation {
  readonly timestamp: number;
  readonly data: Uint8Array;
}

const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

/** The sending half of a real-time text stream (RFC 4103): text in, packets out. Knows nothing of sockets. */
export class TextSender {
  readonly ssrc: number;
  packets = 0;
  octets = 0;
  readonly #send: (packet: Uint8Array) => void;
  readonly #timestampOffset: number;
  #media: TextMedia;
  #sequence: number;
  #pending = BOM;
  #generations: Generation[] = [];
  /** Packets still owed so that the last text is repeated in every generation. */
  #owed = 0;
  #nextMs = 0;
  #idle = true;
  #timestamp = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(media: TextMedia, random: () => number, send: (packet: Uint8Array) => void) {
    this.#media = media;
    this.#send = send;
    this.ssrc = Math.floor(random() * 0x100000000);
    this.#sequence = Math.floor(random() * 0x8000);
    this.#timestampOffset = Math.floor(random() * 0x80000000);
  }

  /** RTP timestamp (1000 Hz) of the latest poll. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Sends as a renegotiation agreed from the next packet on. */
  renegotiate(media: TextMedia): void {
    this.#media = media;
  }

  /** Queues text; new lines become the LINE SEPARATOR that T.140 wants. */
  enqueue(text: string): void {
    this.#pending += text.toWellFormed().replace(/\r\n|\r|\n/gu, '\u2028');
  }

  /** Sends what is due; to be called every frame. */
  poll(nowMs: number): void {
    this.#timestamp = (Math.floor(nowMs) + this.#timestampOffset) >>> 0;
    if (this.#idle) {
      if (this.#pending === '' && nowMs < this.#nextMs) return;
      if (this.#pending === '') this.#pending = BOM;
      // The first characters after a pause wait for company; the opening mark does not, nor has it any.
      this.#idle = false;
      this.#nextMs = this.#pending.startsWith(BOM) ? nowMs : nowMs + BUFFERING_MS;
      this.#emit(nowMs, true);
      return;
    }
    this.#emit(nowMs, false);
  }

  /** Sends what still waits, once: the stream is about to close. */
  flush(nowMs: number): void {
    while (this.#pending !== '' && this.#pending !== BOM) {
      this.#nextMs = nowMs;
      this.#emit(nowMs, this.#idle);
    }
  }

  #emit(nowMs: number, afterIdle: boolean): void {
    if (afterIdle) this.#markerDue = true;
    if (nowMs < this.#nextMs) return;
    if (this.#pending === '' && this.#owed === 0) {
      this.#idle = true;
      this.#nextMs = nowMs + KEEP_ALIVE_MS;
      return;
    }
    const data = this.#takePending();
    this.#owed = data.length > 0 ? this.#redundancy : this.#owed - 1;
    this.#write(data);
    this.#nextMs = nowMs + BUFFERING_MS;
  }

  #markerDue = true;

  get #redundancy(): number {
    return this.#media.redPayloadType === undefined ? 0 : this.#media.redundancy;
  }

  /**
   * Whole characters only: a block is never half of one (RFC 4103 §4.2). The opening mark goes alone, so that no text is lost
   * with a stream's first packet where the far end does not look at what the second one repeats.
   */
  #takePending(): Uint8Array {
    if (this.#pending === '') return EMPTY;
    let end = this.#pending.startsWith(BOM) ? BOM.length : Math.min(this.#pending.length, MAX_CHARACTERS);
    const last = this.#pending.charCodeAt(end - 1);
    if (end < this.#pending.length && last >= 0xd800 && last <= 0xdbff) end++;
    const data = encoder.encode(this.#pending.slice(0, end));
    this.#pending = this.#pending.slice(end);
    return data;
  }

  #write(data: Uint8Array): void {
    const { payloadType, redPayloadType } = this.#media;
    const payload = redPayloadType === undefined ? data : writeRed(this.#older(payloadType), payloadType, data);
    const packet = new Uint8Array(RTP_HEADER_BYTES + payload.length);
    writeRtpHeader(packet, this.#markerDue, redPayloadType ?? payloadType, this.#sequence, this.#timestamp, this.ssrc);
    packet.set(payload, RTP_HEADER_BYTES);
    this.#markerDue = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += payload.length;
    this.#generations.push({ timestamp: this.#timestamp, data });
    if (this.#generations.length > this.#redundancy) this.#generations.splice(0, 1);
    this.#send(packet);
  }

  /** The generations before this packet; those from before a long pause are replaced by empty ones. */
  #older(payloadType: number): RedBlock[] {
    return this.#generations.map(({ timestamp, data }) => {
      const offset = (this.#timestamp - timestamp) >>> 0;
      return fitsRed(offset, data.length) ? { payloadType, offset, data } : { payloadType, offset: 0, data: EMPTY };
    });
  }
}
