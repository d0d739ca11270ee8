import { encodeG711, FRAME_SAMPLES, silentFrame } from '../codec/g711.ts';
import { clockHzOf, frameCodecOf, type AudioMedia, type G711Codec } from '../sdp/media.ts';
import { DtmfSender } from './dtmf.ts';
import { DtmfGenerator } from './dtmf-generator.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet.ts';
import { packetizerFor, type Packetizer, type PayloadSink } from './packetizer.ts';

const UNIT_HZ = 8000;

/** Of whichever sender is at work, so that they stay in the processor's cache: its frame, and its packet if that is one frame. */
const sharedFrame = new Uint8Array(FRAME_SAMPLES);
const sharedPacket = new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES);
const tonePcm = new Int16Array(FRAME_SAMPLES);
const sharedRoom = sharedPacket.subarray(RTP_HEADER_BYTES);

/** Where packets go; their bytes are reused once it returns. */
export interface PacketSink {
  sendPacket(packet: Uint8Array): void;
}

/**
 * The sending half of an audio stream: frames of 20 ms in, RTP packets out. Knows nothing of sockets. What a frame needs lies
 * in few objects, because with many calls each of them is fetched from memory again.
 */
export class AudioSender implements PayloadSink {
  ssrc: number;
  /** Of this source, as its reports count them. */
  packets = 0;
  octets = 0;
  /** Of sources before it. */
  #packetsBefore = 0;
  /** What the handler fills between `blank` and `next`: 160 octets. */
  readonly frame = sharedFrame;
  readonly #packets: PacketSink;
  readonly #random: () => number;
  readonly #dtmf = new DtmfSender();
  readonly #event = new Uint8Array(4);
  #packet = sharedPacket;
  /** The packet from its payload on. */
  #room = sharedRoom;
  #sequence: number;
  #timestamp: number;
  #media: AudioMedia;
  /** Of `#media`. */
  #payloadType: number;
  #dtmfPayloadType: number | undefined;
  /** Of the frames. */
  #codec: G711Codec;
  #silence: Uint8Array;
  /** Timestamp units in one of 8 kHz. */
  #clock = 1;
  #packetizer: Packetizer;
  /** The next audio packet is the first one or comes after a pause (RFC 3551 §4.1). */
  #marker = true;
  #wire: Uint8Array | undefined;
  /** Only once keys had to be sent as tones. */
  #tones: DtmfGenerator | undefined;

  /** `random` gives numbers in [0, 1). */
  constructor(media: AudioMedia, random: () => number, packets: PacketSink) {
    this.#packets = packets;
    this.#random = random;
    this.ssrc = this.#random32();
    this.#sequence = Math.floor(random() * 0x8000);
    this.#timestamp = this.#random32();
    this.#media = media;
    this.#payloadType = media.payloadType;
    this.#dtmfPayloadType = media.dtmfPayloadType;
    this.#codec = frameCodecOf(media.codec);
    this.#silence = silentFrame(this.#codec);
    this.#packetizer = packetizerFor(media, this);
    this.#prepare();
  }

  /** Packets of the whole call. */
  get allPackets(): number {
    return this.#packetsBefore + this.packets;
  }

  /** The timestamp of the next frame, 32 bits. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Of the timestamps. */
  get clockHz(): number {
    return this.#clock * UNIT_HZ;
  }

  /** Sends in what a renegotiation agreed from the next packet on. */
  renegotiate(media: AudioMedia): void {
    const { codec, ptimeMs, opus } = this.#media;
    const alike = codec === media.codec && ptimeMs === media.ptimeMs && sameWishes(opus, media.opus);
    this.#media = media;
    this.#payloadType = media.payloadType;
    this.#dtmfPayloadType = media.dtmfPayloadType;
    if (clockHzOf(codec) !== clockHzOf(media.codec)) this.#changeSource();
    if (!alike) {
      this.#packetizer.close();
      this.#packetizer = packetizerFor(media, this);
      this.#codec = frameCodecOf(media.codec);
      this.#silence = silentFrame(this.#codec);
      this.#prepare();
    }
    this.#pause();
  }

  /** Digits to send as telephone-events, or as tones where the far end does not take those. */
  enqueueDtmf(digits: string): void {
    if (this.#dtmfPayloadType !== undefined) this.#dtmf.enqueue(digits);
    else (this.#tones ??= new DtmfGenerator()).enqueue(digits);
  }

  /** Presets `frame` with silence and returns it; all until `next` is about this sender's frame. */
  blank(): Uint8Array {
    this.#wire = undefined;
    this.frame.set(this.#silence);
    return this.frame;
  }

  /** The octets of the next frame as they go on the wire, in place of `frame`; read before `next` returns. */
  relay(wire: Uint8Array): void {
    this.#wire = wire;
  }

  /** Sends `frame` or the telephone-event that takes its place. `active` is false while on hold: only time passes. */
  next(active: boolean): void {
    if (active) this.#nextActive();
    else this.#pause();
    this.#advance(FRAME_SAMPLES);
  }

  /** Media time that passed without frames. */
  skip(frames: number): void {
    this.#pause();
    this.#advance(frames * FRAME_SAMPLES);
  }

  /** For the packetizer: the next packet from its payload on. */
  room(): Uint8Array {
    return this.#room;
  }

  /** For the packetizer: sends the first octets of the room. */
  emit(bytes: number, startUnits: number): void {
    const start = (this.#timestamp + startUnits * this.#clock) >>> 0;
    this.#sendPacket(bytes, this.#marker, this.#payloadType, start);
    this.#marker = false;
  }

  /** Frees what an encoder holds. */
  close(): void {
    this.#packetizer.close();
  }

  /** Timestamps of one source count at one rate: another clock makes another source (RFC 7160 §4.1). */
  #changeSource(): void {
    this.#packetsBefore += this.packets;
    this.packets = 0;
    this.octets = 0;
    this.ssrc = this.#random32();
    this.#sequence = Math.floor(this.#random() * 0x8000);
    this.#timestamp = this.#random32();
  }

  #random32(): number {
    return Math.floor(this.#random() * 0x100000000);
  }

  #prepare(): void {
    this.#clock = clockHzOf(this.#media.codec) / UNIT_HZ;
    const { maxBytes } = this.#packetizer;
    // Packets of other lengths are filled from frame to frame.
    this.#packet = maxBytes === FRAME_SAMPLES ? sharedPacket : new Uint8Array(RTP_HEADER_BYTES + maxBytes);
    this.#room = maxBytes === FRAME_SAMPLES ? sharedRoom : this.#packet.subarray(RTP_HEADER_BYTES);
  }

  #advance(units: number): void {
    this.#timestamp = (this.#timestamp + units * this.#clock) >>> 0;
  }

  #pause(): void {
    this.#packetizer.pause();
    this.#marker = true;
  }

  #nextActive(): void {
    const dtmfPayloadType = this.#dtmfPayloadType;
    if (dtmfPayloadType !== undefined) {
      const event = this.#dtmf.next(this.#timestamp, this.#event, this.#media.dtmfRateHz);
      if (event.muted) {
        this.#pause();
        for (let copy = 0; copy < event.copies; copy++) {
          this.#room.set(this.#event);
          this.#sendPacket(this.#event.length, event.marker, dtmfPayloadType, event.timestamp);
        }
        return;
      }
    }
    if (this.#tones?.next(tonePcm) === true) {
      encodeG711(this.#codec, tonePcm, this.frame);
      this.#wire = undefined;
    }
    this.#packetizer.push(this.frame, this.#wire);
  }

  #sendPacket(payloadBytes: number, marker: boolean, payloadType: number, timestamp: number): void {
    const packet = this.#packet;
    writeRtpHeader(packet, marker, payloadType, this.#sequence, timestamp, this.ssrc);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += payloadBytes;
    const bytes = RTP_HEADER_BYTES + payloadBytes;
    this.#packets.sendPacket(bytes === packet.length ? packet : packet.subarray(0, bytes));
  }
}

function sameWishes(one: AudioMedia['opus'], other: AudioMedia['opus']): boolean {
  return one?.fec === other?.fec && one?.cbr === other?.cbr && one?.maxBitsPerSecond === other?.maxBitsPerSecond;
}
