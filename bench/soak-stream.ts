import type { Socket } from 'node:dgram';
import type { Random } from '#simulator/random.ts';
import { encodeAlaw } from '#telephony/codec/g711.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '#telephony/rtp/packet.ts';
import { TextSender } from '#telephony/rtp/text-sender.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import type { Talk } from './soak-fates.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;
const VOICE_FRAMES = 250;
const DTMF_FRAMES = 8;
const DTMF_GAP_FRAMES = 5;
const DTMF_END_PACKETS = 3;
/** A text stream has something to send every 300 ms at the most. */
const TEXT_POLL_FRAMES = 10;
const EVENTS = '0123456789*#';
const voice = syntheticVoice();

/** What one callee sends: 50 packets a second of something voiced, key presses and real-time text, as cheaply as can be. */
export class SoakStream {
  readonly #random: Random;
  readonly #talk: Talk;
  readonly #media: NegotiatedMedia;
  readonly #socket: Socket;
  readonly #packet = new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES);
  readonly #event = new Uint8Array(RTP_HEADER_BYTES + 4);
  readonly #text: TextSender | undefined;
  readonly #voiceOffset: number;
  readonly #digitFrames: number;
  #linesSent = 0;
  #frame = 0;
  #sequence = 0;
  #timestamp = 0;
  #ssrc = 0;
  sent = 0;

  constructor(
    media: NegotiatedMedia,
    talk: Talk,
    random: Random,
    sockets: { readonly audio: Socket; readonly text: Socket },
  ) {
    this.#media = media;
    this.#talk = talk;
    this.#random = random;
    this.#socket = sockets.audio;
    this.#voiceOffset = random.integer(0, VOICE_FRAMES - 1);
    this.#digitFrames = media.audio.dtmfPayloadType === undefined ? 0 : talk.digits.length * DTMF_FRAMES * 2;
    const { text } = media;
    if (text !== undefined && talk.lines.length > 0)
      this.#text = new TextSender(text, random.next, (packet) =>
        sockets.text.send(packet, text.remotePort, text.remoteAddress, ignore),
      );
    this.#newSource();
  }

  /** Sends the next 20 ms. */
  tick(nowMs: number): void {
    const frame = this.#frame++;
    const atMs = frame * FRAME_MS;
    const { newSourceAtMs, loss, lines, digitsAtMs } = this.#talk;
    if (newSourceAtMs !== undefined && atMs <= newSourceAtMs && atMs + FRAME_MS > newSourceAtMs) this.#newSource();
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    const digitFrame = frame - Math.floor(digitsAtMs / FRAME_MS);
    if (loss === 0 || !this.#random.chance(loss)) {
      if (digitFrame < 0 || digitFrame >= this.#digitFrames) this.#sendVoice(frame);
      else this.#sendDigit(digitFrame);
    }
    if (this.#text === undefined || frame % TEXT_POLL_FRAMES !== 0) return;
    for (let line = lines[this.#linesSent]; line !== undefined; line = lines[++this.#linesSent]) {
      if (line.atMs > atMs) break;
      this.#text.enqueue(`${line.text}\u2028`);
    }
    this.#text.poll(nowMs);
  }

  #sendVoice(frame: number): void {
    const { audio } = this.#media;
    const packet = this.#packet;
    writeRtpHeader(packet, frame === 0, audio.payloadType, this.#sequence, this.#timestamp, this.#ssrc);
    packet.set(voice[(frame + this.#voiceOffset) % VOICE_FRAMES]!, RTP_HEADER_BYTES);
    this.#send(packet);
  }

  /** A press is as long as the pause behind it; its end is sent three times (RFC 4733 §2.5.1.4). */
  #sendDigit(digitFrame: number): void {
    const { digits } = this.#talk;
    const step = digitFrame % (DTMF_FRAMES * 2);
    const last = DTMF_FRAMES * 2 - DTMF_GAP_FRAMES - 1;
    if (step > last) return this.#sendVoice(this.#frame);
    const ends = last - step < DTMF_END_PACKETS;
    const length = Math.min(step + 1, last - DTMF_END_PACKETS + 2) * FRAME_SAMPLES;
    const event = this.#event;
    const started = (this.#timestamp - step * FRAME_SAMPLES) >>> 0;
    writeRtpHeader(event, step === 0, this.#media.audio.dtmfPayloadType ?? 0, this.#sequence, started, this.#ssrc);
    event[RTP_HEADER_BYTES] = EVENTS.indexOf(digits[Math.floor(digitFrame / (DTMF_FRAMES * 2))] ?? '0');
    event[RTP_HEADER_BYTES + 1] = ends ? 0x8a : 0x0a;
    event[RTP_HEADER_BYTES + 2] = length >> 8;
    event[RTP_HEADER_BYTES + 3] = length;
    this.#send(event);
  }

  #send(packet: Uint8Array): void {
    const { remotePort, remoteAddress } = this.#media.audio;
    this.#socket.send(packet, 0, packet.length, remotePort, remoteAddress, ignore);
    this.sent++;
  }

  #newSource(): void {
    this.#ssrc = this.#random.integer(1, 0xffff_ffff);
    this.#sequence = this.#random.integer(0, 0xffff);
    this.#timestamp = this.#random.integer(0, 0xffff_ffff);
  }
}

/** The platform may have closed its port already. */
function ignore(): void {
  return undefined;
}

/** Five seconds of bursts of a gliding buzz with pauses, so that voice activity and turns have work to do. */
function syntheticVoice(): readonly Uint8Array[] {
  const pcm = new Int16Array(FRAME_SAMPLES);
  return Array.from({ length: VOICE_FRAMES }, (_, frame) => {
    const loud = frame < 90 && frame % 30 < 24 ? 6_000 : 0;
    for (let index = 0; index < FRAME_SAMPLES; index++) {
      const seconds = (frame * FRAME_SAMPLES + index) / 8_000;
      const pitch = 2 * Math.PI * (130 + 30 * Math.sin(seconds * 3)) * seconds;
      pcm[index] = loud * (Math.sin(pitch) + 0.6 * Math.sin(5 * pitch) + 0.3 * Math.sin(11 * pitch)) * 0.5;
    }
    const octets = new Uint8Array(FRAME_SAMPLES);
    encodeAlaw(pcm, octets);
    return octets;
  });
}
