import { FRAME_SAMPLES, silenceOctet } from '../codec/g711.ts';
import { frameCodecOf, type AudioMedia } from '../sdp/media.ts';
import { DtmfSender } from './dtmf.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet.ts';

/** Packets that may still be read by the kernel while the next ones are written. */
const BUFFERS = 4;

/** The sending half of an audio stream: frames of 20 ms in, RTP packets out. Knows nothing of sockets. */
export class AudioSender {
  readonly ssrc: number;
  packets = 0;
  octets = 0;
  /** What the handler fills: 160 octets. */
  readonly frame = new Uint8Array(FRAME_SAMPLES);
  readonly #send: (packet: Uint8Array) => void;
  readonly #dtmf = new DtmfSender();
  readonly #event = new Uint8Array(4);
  readonly #buffers: Uint8Array[];
  #buffer = 0;
  #sequence: number;
  #timestamp: number;
  #media: AudioMedia;
  #framesPerPacket = 1;
  #frames = 0;
  /** The next audio packet is the first one or comes after a pause (RFC 3551 §4.1). */
  #marker = true;
  #packet: Uint8Array;

  /** `send` gets one packet; its bytes are reused after three more. `random` gives numbers in [0, 1). */
  constructor(media: AudioMedia, random: () => number, send: (packet: Uint8Array) => void) {
    this.#media = media;
    this.#framesPerPacket = framesPerPacket(media);
    this.#send = send;
    this.ssrc = Math.floor(random() * 0x100000000);
    this.#sequence = Math.floor(random() * 0x8000);
    this.#timestamp = Math.floor(random() * 0x100000000);
    this.#buffers = Array.from({ length: BUFFERS }, () => newPacket(this.#framesPerPacket));
    this.#packet = this.#buffers[0]!;
  }

  /** The timestamp of the next frame, 32 bits. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Sends in what a renegotiation agreed from the next packet on. */
  renegotiate(media: AudioMedia): void {
    this.#media = media;
    const frames = framesPerPacket(media);
    if (frames !== this.#framesPerPacket) {
      this.#framesPerPacket = frames;
      for (let i = 0; i < BUFFERS; i++) this.#buffers[i] = newPacket(frames);
      this.#packet = this.#buffers[this.#buffer]!;
    }
    this.#frames = 0;
    this.#marker = true;
  }

  /** Digits to send as telephone-events; false where the far end does not take them. */
  enqueueDtmf(digits: string): boolean {
    if (this.#media.dtmfPayloadType === undefined) return false;
    this.#dtmf.enqueue(digits);
    return true;
  }

  /** Presets `frame` with silence and returns it. */
  blank(): Uint8Array {
    return this.frame.fill(silenceOctet(frameCodecOf(this.#media.codec)));
  }

  /** Sends `frame` or the telephone-event that takes its place. `active` is false while on hold: only time passes. */
  next(active: boolean): void {
    if (active) this.#nextActive();
    else this.#pause();
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
  }

  /** Media time that passed without frames. */
  skip(frames: number): void {
    this.#pause();
    this.#timestamp = (this.#timestamp + frames * FRAME_SAMPLES) >>> 0;
  }

  #pause(): void {
    this.#frames = 0;
    this.#marker = true;
  }

  #nextActive(): void {
    const { dtmfPayloadType } = this.#media;
    if (dtmfPayloadType !== undefined) {
      const event = this.#dtmf.next(this.#timestamp, this.#event);
      if (event.muted) {
        this.#pause();
        for (let copy = 0; copy < event.copies; copy++) {
          this.#packet.set(this.#event, RTP_HEADER_BYTES);
          this.#emit(this.#event.length, event.marker, dtmfPayloadType, event.timestamp);
        }
        return;
      }
    }
    const packet = this.#packet;
    packet.set(this.frame, RTP_HEADER_BYTES + this.#frames * FRAME_SAMPLES);
    this.#frames++;
    if (this.#frames < this.#framesPerPacket) return;
    const start = (this.#timestamp - (this.#frames - 1) * FRAME_SAMPLES) >>> 0;
    this.#emit(this.#frames * FRAME_SAMPLES, this.#marker, this.#media.payloadType, start);
    this.#frames = 0;
    this.#marker = false;
  }

  #emit(payloadBytes: number, marker: boolean, payloadType: number, timestamp: number): void {
    const packet = this.#packet;
    writeRtpHeader(packet, marker, payloadType, this.#sequence, timestamp, this.ssrc);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += payloadBytes;
    const bytes = RTP_HEADER_BYTES + payloadBytes;
    this.#send(bytes === packet.length ? packet : packet.subarray(0, bytes));
    this.#buffer = (this.#buffer + 1) % BUFFERS;
    this.#packet = this.#buffers[this.#buffer]!;
  }
}

/** Packet times that are no multiple of 20 ms are sent as the next lower one: the far end's ptime is a wish (RFC 8866 §6.4). */
function framesPerPacket(media: AudioMedia): number {
  return Math.max(1, Math.min(6, Math.floor(media.ptimeMs / 20)));
}

function newPacket(frames: number): Uint8Array {
  return new Uint8Array(RTP_HEADER_BYTES + frames * FRAME_SAMPLES);
}
