import type { TextMedia } from '../sdp/media.ts';
import { extendCounter, type RtpPacket } from './packet.ts';
import { Reception } from './reception.ts';
import { parseRed } from './redundancy.ts';
import { cleanT140, MISSING_TEXT } from './t140.ts';

/** A gap that redundancy cannot fill waits that long for packets that were merely overtaken. */
const REORDER_MS = 500;
const MAX_WAITING = 32;
/** Blocks that were read last: what another source repeats of them was read already. */
const REMEMBERED_BLOCKS = 4;

interface Waiting {
  readonly sequence: number;
  /** Oldest first, the primary last. */
  readonly blocks: readonly Uint8Array[];
  readonly arrivedMs: number;
}

/** The receiving half of a real-time text stream (RFC 4103): packets in, text in order out. Knows nothing of sockets. */
export class TextReceiver {
  readonly reception = new Reception(1000);
  malformed = 0;
  readonly #onText: (text: string) => void;
  #media: TextMedia;
  #decoder = newDecoder();
  /** The next extended sequence number whose text has not been delivered. */
  #next = -1;
  #waiting: Waiting[] = [];
  /** The last blocks with text, oldest first. */
  #read: Uint8Array[] = [];

  constructor(media: TextMedia, onText: (text: string) => void) {
    this.#media = media;
    this.#onText = onText;
  }

  renegotiate(media: TextMedia): void {
    this.#media = media;
  }

  understands(payloadType: number): boolean {
    return payloadType === this.#media.payloadType || payloadType === this.#media.redPayloadType;
  }

  /** Takes a packet that was read from `bytes`. */
  accept(packet: RtpPacket, bytes: Uint8Array, nowMs: number): void {
    if (!this.understands(packet.payloadType)) return;
    const payload = bytes.slice(packet.payloadStart, packet.payloadEnd);
    const blocks = this.#blocks(packet.payloadType, payload);
    if (blocks === undefined) {
      this.malformed++;
      return;
    }
    if (!this.reception.started || packet.ssrc !== this.reception.ssrc) this.#restart(packet, blocks);
    const sequence = this.reception.count(packet.sequence, packet.timestamp, nowMs);
    if (sequence < 0) return;
    // A restarted sequence (the sender began anew) has nothing to do with what came before it.
    if (this.#next < 0 || Math.abs(sequence - this.#next) > 3000) this.#next = sequence;
    if (sequence < this.#next || this.#waiting.some((other) => other.sequence === sequence)) return;
    this.#waiting.push({ sequence, blocks, arrivedMs: nowMs });
    this.#waiting.sort((a, b) => a.sequence - b.sequence);
    this.#deliver(nowMs);
  }

  /** Gives up on packets that have been overdue for too long; to be called every frame. */
  poll(nowMs: number): void {
    if (this.#waiting.length > 0) this.#deliver(nowMs);
  }

  /**
   * Begins with a source that was not heard before. What its first packet repeats was in packets that were lost, as the very
   * first may be, or in another source's, where somebody on the way has changed its number in mid-stream.
   */
  #restart(packet: RtpPacket, blocks: readonly Uint8Array[]): void {
    this.reception.restart(packet.ssrc, packet.sequence);
    this.#waiting = [];
    this.#decoder = newDecoder();
    const older = blocks.slice(0, -1);
    const lost = older.length - 1 - older.findLastIndex((block) => this.#wasRead(block));
    this.#next = extendCounter(packet.sequence, this.reception.highest, 16) - lost;
  }

  #wasRead(block: Uint8Array): boolean {
    return block.length > 0 && this.#read.some((other) => Buffer.compare(other, block) === 0);
  }

  #blocks(payloadType: number, payload: Uint8Array): Uint8Array[] | undefined {
    if (payloadType !== this.#media.redPayloadType) return [payload];
    const blocks = parseRed(payload);
    if (blocks === undefined || blocks.some((block) => block.payloadType !== this.#media.payloadType)) return undefined;
    return blocks.map((block) => block.data);
  }

  #deliver(nowMs: number): void {
    let text = '';
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const missing = first.sequence - this.#next;
      const older = first.blocks.length - 1;
      const overdue = nowMs - first.arrivedMs >= REORDER_MS || this.#waiting.length > MAX_WAITING;
      if (missing > older && !overdue) break;
      if (missing > older) text += this.#decode(undefined) + MISSING_TEXT;
      for (let i = Math.max(0, older - missing); i <= older; i++) text += this.#decode(first.blocks[i]);
      this.#next = first.sequence + 1;
      this.#waiting.shift();
    }
    text = cleanT140(text);
    if (text !== '') this.#onText(text);
  }

  /** Undefined ends a character that a loss has cut. */
  #decode(block: Uint8Array | undefined): string {
    if (block === undefined) return this.#decoder.decode();
    if (block.length > 0) this.#read = [...this.#read, block].slice(-REMEMBERED_BLOCKS);
    return this.#decoder.decode(block, { stream: true });
  }
}

/** Some senders split characters over packets, so decoding goes on from one to the next. */
function newDecoder() {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
